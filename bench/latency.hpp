// Latencies between two threads: from what one does to what another one notices, by the clock that
// both read. Programs tell the median and the 99th percentile of many rounds, as counters `p50` and
// `p99` (`send`: the median of what it took the sender). A mean would tell of the machine's other
// work.
//
// Who waits here for the other thread does not sleep: a round is to measure how the target is
// woken, not how the sender is. He gives way, though, to whoever else wants his processor.
#pragma once

#include <sigexc/thread.hpp>

#include <benchmark/benchmark.h>
#include <cxxabi.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <fstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace bench {

// What is sent where the peer lets us choose.
struct stop_it {};

// Nanoseconds.
inline std::int64_t now() {
  return std::chrono::nanoseconds(std::chrono::steady_clock::now().time_since_epoch()).count();
}

inline void spin_for(std::int64_t nanoseconds) {
  for (const std::int64_t end = now() + nanoseconds; now() < end;) continue;
}

// Times of many rounds.
class samples {
 public:
  void add(std::int64_t nanoseconds) { all_.push_back(nanoseconds); }
  // The time that so great a part of them stayed under.
  [[nodiscard]] double quantile(double part) {
    if (all_.empty()) return 0;
    const auto which = static_cast<std::ptrdiff_t>(part * static_cast<double>(all_.size() - 1));
    std::nth_element(all_.begin(), all_.begin() + which, all_.end());
    return static_cast<double>(all_[static_cast<std::size_t>(which)]);
  }

 private:
  std::vector<std::int64_t> all_;
};

// Until the kernel says that the thread sleeps.
inline void await_asleep(pid_t tid) {
  for (;;) {
    std::ifstream file("/proc/self/task/" + std::to_string(tid) + "/stat");
    std::string line;
    std::getline(file, line);
    const auto name_end = line.rfind(')');
    if (name_end != std::string::npos && line.at(name_end + 2) == 'S') return;
  }
}

enum class when {
  running,  // the target is in its loop
  asleep    // the target sleeps in the kernel, and its processor may sleep too
};

// What both threads of a measurement share. The target says that a round begins, and when it has
// noticed; the sender then begins the next one.
class rounds {
 public:
  explicit rounds(when state) : state_(state) {}

  // By the target.
  void begin() { tid_ = ::gettid(); }
  void noticed() { noticed_ = now(); }
  void await_next() const {
    while (noticed_ != 0) std::this_thread::yield();
  }

  // By the sender. What `interrupt` does is noticed by the target before this returns.
  template <class Interrupt>
  void send(benchmark::State& state, Interrupt interrupt) {
    while (tid_ == 0) std::this_thread::yield();
    if (state_ == when::asleep) await_asleep(tid_);
    // The target is in its loop by now; or its processor has found nothing else to do.
    spin_for(state_ == when::asleep ? 200'000 : 2'000);
    tid_ = 0;
    const std::int64_t before = now();
    interrupt();
    const std::int64_t sent = now();
    std::int64_t at = 0;
    while ((at = noticed_) == 0) std::this_thread::yield();
    state.SetIterationTime(static_cast<double>(at - before) * 1e-9);
    latency_.add(at - before);
    sending_.add(sent - before);
  }
  void next() { noticed_ = 0; }

  void tell(benchmark::State& state) {
    state.counters["p50"] = latency_.quantile(0.5);
    state.counters["p99"] = latency_.quantile(0.99);
    state.counters["send"] = sending_.quantile(0.5);
  }

 private:
  const when state_;
  std::atomic<pid_t> tid_{0};             // not 0: a round has begun. Set by the target
  std::atomic<std::int64_t> noticed_{0};  // when; 0: not yet. Set by the target
  samples latency_;
  samples sending_;
};

// `work()` returns when it has noticed that `interrupt(thread)` told it to.
template <class Thread, class Work, class Interrupt>
void interrupt_each_time(benchmark::State& state, when how, Work work, Interrupt interrupt) {
  rounds shared(how);
  std::atomic<bool> stop{false};
  Thread target([&] {
    do {
      shared.begin();
      work();
      shared.noticed();
      shared.await_next();
    } while (!stop);
  });
  for (auto _ : state) {
    shared.send(state, [&] { interrupt(target); });
    shared.next();
  }
  shared.tell(state);
  shared.send(state, [&] { interrupt(target); });  // one more round, to be the last
  stop = true;
  shared.next();
  target.join();
}

// The same by `pthread_cancel`, which a thread can be told only once.
template <class Work>
void cancel_each_time(benchmark::State& state, when how, Work work) {
  rounds shared(how);
  for (auto _ : state) {
    std::thread target([&] {
      shared.begin();
      try {
        work();
      } catch (const abi::__forced_unwind&) {
        shared.noticed();
        throw;
      }
    });
    shared.send(state, [&] { ::pthread_cancel(target.native_handle()); });
    target.join();
    shared.next();
  }
  shared.tell(state);
}

// A thread of ours, with the interface that others have.
class interruptible_thread {
 public:
  template <class F>
  explicit interruptible_thread(F body) : thread_(std::move(body)) {}
  void interrupt() { thread_.interrupt(stop_it{}); }
  void join() { thread_.wait(); }

 private:
  sigexc::thread<void> thread_;
};

}  // namespace bench
