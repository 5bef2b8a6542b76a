// What interruptible operations cost, beside the ones they stand in for, in one run.
//
// Every figure is to be read as a ratio to its peer's. Interruptions are measured from the send to
// the catch clause of a thread that is seen asleep before.
#include <sigexc/posix.hpp>
#include <sigexc/sigexc.hpp>
#include <sigexc/sync.hpp>

#include <benchmark/benchmark.h>
#include <boost/thread.hpp>

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <fstream>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>

namespace {

using steady = std::chrono::steady_clock;

struct pipe_ends {
  std::array<int, 2> ends{};
  pipe_ends() {
    if (::pipe(ends.data()) != 0) std::abort();
  }
  ~pipe_ends() {
    ::close(ends[0]);
    ::close(ends[1]);
  }
  void write_byte() const {
    if (::write(ends[1], "x", 1) != 1) std::abort();
  }
};

// A one-byte read that completes at once. The process has other threads, as any that interrupts.

template <class Read>
void read_one_byte(benchmark::State& state, Read read) {
  const pipe_ends pipe;
  std::atomic<bool> stop{false};
  std::thread other([&] { stop.wait(false); });
  char byte = 0;
  for (auto _ : state) {
    pipe.write_byte();
    if (read(pipe.ends[0], &byte, 1) != 1) state.SkipWithError("no byte");
  }
  stop = true;
  stop.notify_all();
  other.join();
}
void read_glibc(benchmark::State& state) { read_one_byte(state, ::read); }
void read_sigexc(benchmark::State& state) {
  const sigexc::enrollment here;
  read_one_byte(state, sigexc::posix::read);
}
BENCHMARK(read_glibc);
BENCHMARK(read_sigexc);

// A notification from one thread to another and back.

template <class Mutex, class Condition, class Thread>
void notify_and_back(benchmark::State& state) {
  Mutex mutex;
  Condition changed;
  long turn = 0;
  bool stop = false;
  Thread other([&] {
    std::unique_lock<Mutex> lock(mutex);
    for (;;) {
      while (turn % 2 == 0 && !stop) changed.wait(lock);
      if (stop) return;
      ++turn;
      changed.notify_one();
    }
  });
  {
    std::unique_lock<Mutex> lock(mutex);
    for (auto _ : state) {
      ++turn;
      changed.notify_one();
      while (turn % 2 != 0) changed.wait(lock);
    }
    stop = true;
    changed.notify_one();
  }
  other.join();
}

// std::thread's interface for a thread of ours.
class joined_thread {
 public:
  template <class F>
  explicit joined_thread(F body) : thread_(std::move(body)) {}
  void join() { thread_.wait(); }

 private:
  sigexc::thread<void> thread_;
};

void condition_sigexc(benchmark::State& state) {
  const sigexc::enrollment here;
  notify_and_back<sigexc::mutex, sigexc::condition_variable, joined_thread>(state);
}
BENCHMARK(notify_and_back<std::mutex, std::condition_variable_any, std::thread>)
    ->Name("condition_std_any")
    ->UseRealTime();
BENCHMARK(notify_and_back<boost::mutex, boost::condition_variable_any, boost::thread>)
    ->Name("condition_boost_any")
    ->UseRealTime();
BENCHMARK(condition_sigexc)->UseRealTime();

// From the interruption of a sleeping thread to its catch clause, or what stands for it.

void await_asleep(pid_t tid) {
  for (;;) {
    std::ifstream file("/proc/self/task/" + std::to_string(tid) + "/stat");
    std::string line;
    std::getline(file, line);
    const auto name_end = line.rfind(')');
    if (name_end != std::string::npos && line.at(name_end + 2) == 'S') return;
  }
}

struct stop_it {};

// `wait()` sleeps until `interrupt()` ends it, and returns when that has been noticed.
template <class Thread, class Wait, class Interrupt>
void interrupt_asleep(benchmark::State& state, Wait wait, Interrupt interrupt) {
  std::atomic<pid_t> tid{0};
  std::atomic<steady::rep> caught{0};
  std::atomic<bool> stop{false};
  Thread sleeper([&] {
    while (!stop) {
      tid = ::gettid();
      wait();
      caught = steady::now().time_since_epoch().count();
      while (caught != 0) std::this_thread::yield();
    }
  });
  for (auto _ : state) {
    while (tid == 0) std::this_thread::yield();
    await_asleep(tid);
    tid = 0;
    const auto sent = steady::now().time_since_epoch().count();
    interrupt(sleeper);
    steady::rep at = 0;
    while ((at = caught) == 0) std::this_thread::yield();
    state.SetIterationTime(std::chrono::duration<double>(steady::duration(at - sent)).count());
    stop = state.iterations() + 1 >= state.max_iterations;
    caught = 0;
  }
  stop = true;
  if (tid != 0) {
    await_asleep(tid);
    interrupt(sleeper);
    while (caught == 0) std::this_thread::yield();
    caught = 0;
  }
  sleeper.join();
}

class interruptible_thread {
 public:
  template <class F>
  explicit interruptible_thread(F body) : thread_(std::move(body)) {}
  void interrupt() { thread_.interrupt(stop_it{}); }
  void join() { thread_.wait(); }

 private:
  sigexc::thread<void> thread_;
};

void interrupt_read_sigexc(benchmark::State& state) {
  const pipe_ends pipe;
  interrupt_asleep<interruptible_thread>(
      state,
      [&] {
        try {
          char byte = 0;
          sigexc::posix::read(pipe.ends[0], &byte, 1);
        } catch (const stop_it&) {
        }
      },
      [](interruptible_thread& sleeper) { sleeper.interrupt(); });
}
BENCHMARK(interrupt_read_sigexc)->UseManualTime()->Iterations(2000);

void interrupt_read_pthread_kill(benchmark::State& state) {
  struct sigaction ignoring {};
  ignoring.sa_handler = [](int) {};
  ::sigaction(SIGUSR1, &ignoring, nullptr);
  const pipe_ends pipe;
  interrupt_asleep<std::thread>(
      state,
      [&] {
        try {
          char byte = 0;
          if (::read(pipe.ends[0], &byte, 1) == -1 && errno == EINTR) throw stop_it{};
        } catch (const stop_it&) {
        }
      },
      [](std::thread& sleeper) { ::pthread_kill(sleeper.native_handle(), SIGUSR1); });
}
BENCHMARK(interrupt_read_pthread_kill)->UseManualTime()->Iterations(2000);

void interrupt_condition_sigexc(benchmark::State& state) {
  sigexc::mutex mutex;
  sigexc::condition_variable never;
  interrupt_asleep<interruptible_thread>(
      state,
      [&] {
        try {
          std::unique_lock lock(mutex);
          for (;;) never.wait(lock);
        } catch (const stop_it&) {
        }
      },
      [](interruptible_thread& sleeper) { sleeper.interrupt(); });
}
BENCHMARK(interrupt_condition_sigexc)->UseManualTime()->Iterations(2000);

void interrupt_condition_boost(benchmark::State& state) {
  boost::mutex mutex;
  boost::condition_variable_any never;
  interrupt_asleep<boost::thread>(
      state,
      [&] {
        try {
          boost::unique_lock<boost::mutex> lock(mutex);
          for (;;) never.wait(lock);
        } catch (const boost::thread_interrupted&) {
        }
      },
      [](boost::thread& sleeper) { sleeper.interrupt(); });
}
BENCHMARK(interrupt_condition_boost)->UseManualTime()->Iterations(2000);

void interrupt_condition_stop_token(benchmark::State& state) {
  std::mutex mutex;
  std::condition_variable_any never;
  std::atomic<std::stop_source*> source{nullptr};
  interrupt_asleep<std::thread>(
      state,
      [&] {
        std::stop_source mine;
        source = &mine;
        try {
          std::unique_lock lock(mutex);
          if (!never.wait(lock, mine.get_token(), [] { return false; })) throw stop_it{};
        } catch (const stop_it&) {
        }
        source = nullptr;
      },
      [&](std::thread&) { std::stop_source(*source.load()).request_stop(); });
}
BENCHMARK(interrupt_condition_stop_token)->UseManualTime()->Iterations(2000);

}  // namespace

BENCHMARK_MAIN();
