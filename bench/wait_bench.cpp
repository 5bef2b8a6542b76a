// What interruptible operations cost, beside the ones they stand in for, in one run.
//
// Every figure is to be read as a ratio to its peer's. Interruptions are measured from the send to
// the catch clause of a thread that is seen asleep before; its processor sleeps too, unless
// something keeps it awake, which is for the caller of this program to see to.
#include "latency.hpp"

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
#include <mutex>
#include <stop_token>
#include <thread>

namespace {

using bench::interrupt_each_time;
using bench::interruptible_thread;
using bench::stop_it;
using bench::when;
using namespace std::chrono_literals;

struct pipe_ends {
  std::array<int, 2> ends{};
  pipe_ends() {
    if (::pipe(ends.data()) != 0) std::abort();
  }
  ~pipe_ends() {
    ::close(ends[0]);
    ::close(ends[1]);
  }
  // What fits into an empty pipe.
  [[nodiscard]] std::int64_t fill() const {
    static constexpr std::array<char, 65536> bytes{};
    const ssize_t written = ::write(ends[1], bytes.data(), bytes.size());
    if (written <= 0) std::abort();
    return written;
  }
};

// A one-byte read that completes at once (P7). The process has other threads, as any that
// interrupts. The pipe is filled once for all the reads until it is empty, which costs them
// nothing.

template <class Read>
void read_one_byte(benchmark::State& state, Read read) {
  const pipe_ends pipe;
  std::atomic<bool> stop{false};
  std::thread other([&] { stop.wait(false); });
  char byte = 0;
  std::int64_t left = 0;
  for (auto _ : state) {
    if (left-- == 0) left = pipe.fill() - 1;
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

void condition_sigexc(benchmark::State& state) {
  const sigexc::enrollment here;
  notify_and_back<sigexc::mutex, sigexc::condition_variable, interruptible_thread>(state);
}
BENCHMARK(notify_and_back<std::mutex, std::condition_variable_any, std::thread>)
    ->Name("condition_std_any")
    ->UseRealTime();
BENCHMARK(notify_and_back<boost::mutex, boost::condition_variable_any, boost::thread>)
    ->Name("condition_boost_any")
    ->UseRealTime();
BENCHMARK(condition_sigexc)->UseRealTime();

// From the interruption of a sleeping thread to its catch clause, or what stands for it.

template <class F>
void until_caught(F wait) {
  try {
    wait();
  } catch (const stop_it&) {
    return;
  }
}

// ... in a read (P4).

void interrupt_read_sigexc(benchmark::State& state) {
  const pipe_ends pipe;
  interrupt_each_time<interruptible_thread>(
      state, when::asleep,
      [&] {
        until_caught([&] {
          char byte = 0;
          sigexc::posix::read(pipe.ends[0], &byte, 1);
        });
      },
      [](interruptible_thread& sleeper) { sleeper.interrupt(); });
}

void interrupt_read_pthread_kill(benchmark::State& state) {
  struct sigaction ignoring {};
  ignoring.sa_handler = [](int) {};
  ::sigaction(SIGUSR1, &ignoring, nullptr);
  const pipe_ends pipe;
  interrupt_each_time<std::thread>(
      state, when::asleep,
      [&] {
        until_caught([&] {
          char byte = 0;
          if (::read(pipe.ends[0], &byte, 1) == -1 && errno == EINTR) throw stop_it{};
        });
      },
      [](std::thread& sleeper) { ::pthread_kill(sleeper.native_handle(), SIGUSR1); });
}

void interrupt_read_pthread_cancel(benchmark::State& state) {
  const pipe_ends pipe;
  bench::cancel_each_time(state, when::asleep, [&] {
    char byte = 0;
    if (::read(pipe.ends[0], &byte, 1) == 1) std::abort();
  });
}

BENCHMARK(interrupt_read_sigexc)->UseManualTime()->Iterations(300);
BENCHMARK(interrupt_read_pthread_kill)->UseManualTime()->Iterations(300);
BENCHMARK(interrupt_read_pthread_cancel)->UseManualTime()->Iterations(300);

// ... in a wait for a condition (P5).

void interrupt_condition_sigexc(benchmark::State& state) {
  sigexc::mutex mutex;
  sigexc::condition_variable never;
  interrupt_each_time<interruptible_thread>(
      state, when::asleep,
      [&] {
        until_caught([&] {
          std::unique_lock lock(mutex);
          for (;;) never.wait(lock);
        });
      },
      [](interruptible_thread& sleeper) { sleeper.interrupt(); });
}

// `wait` waits for so long, if it is given a time, or for ever.
template <class... Time>
void interrupt_stop_token(benchmark::State& state, Time... time) {
  std::mutex mutex;
  std::condition_variable_any never;
  std::stop_source source;  // a new one each time, as it can be stopped only once
  interrupt_each_time<std::thread>(
      state, when::asleep,
      [&] {
        until_caught([&] {
          std::unique_lock lock(mutex);
          const auto is_over = [] { return false; };
          if constexpr (sizeof...(time) == 0) {
            if (!never.wait(lock, source.get_token(), is_over)) throw stop_it{};
          } else {
            if (!never.wait_for(lock, source.get_token(), time..., is_over)) throw stop_it{};
          }
        });
        source = std::stop_source();
      },
      [&](std::thread&) { std::stop_source(source).request_stop(); });
}
void interrupt_condition_stop_token(benchmark::State& state) { interrupt_stop_token(state); }

template <class F>
void interrupt_boost(benchmark::State& state, F wait) {
  interrupt_each_time<boost::thread>(
      state, when::asleep,
      [&] {
        try {
          wait();
        } catch (const boost::thread_interrupted&) {
          return;
        }
      },
      [](boost::thread& sleeper) { sleeper.interrupt(); });
}
void interrupt_condition_boost(benchmark::State& state) {
  boost::mutex mutex;
  boost::condition_variable_any never;
  interrupt_boost(state, [&] {
    boost::unique_lock<boost::mutex> lock(mutex);
    for (;;) never.wait(lock);
  });
}

void interrupt_condition_pthread_cancel(benchmark::State& state) {
  std::mutex mutex;
  std::condition_variable never;
  bench::cancel_each_time(state, when::asleep, [&] {
    std::unique_lock lock(mutex);
    ::pthread_cond_wait(never.native_handle(), mutex.native_handle());
  });
}

BENCHMARK(interrupt_condition_sigexc)->UseManualTime()->Iterations(300);
BENCHMARK(interrupt_condition_stop_token)->UseManualTime()->Iterations(300);
BENCHMARK(interrupt_condition_boost)->UseManualTime()->Iterations(300);
BENCHMARK(interrupt_condition_pthread_cancel)->UseManualTime()->Iterations(300);

// ... in a sleep (P5).

void interrupt_sleep_sigexc(benchmark::State& state) {
  interrupt_each_time<interruptible_thread>(
      state, when::asleep, [] { until_caught([] { sigexc::sleep_for(1h); }); },
      [](interruptible_thread& sleeper) { sleeper.interrupt(); });
}

// It has no sleep; this is what stands for it.
void interrupt_sleep_stop_token(benchmark::State& state) { interrupt_stop_token(state, 1h); }

void interrupt_sleep_boost(benchmark::State& state) {
  interrupt_boost(state, [] { boost::this_thread::sleep_for(boost::chrono::hours(1)); });
}

void interrupt_sleep_pthread_cancel(benchmark::State& state) {
  bench::cancel_each_time(state, when::asleep, [] {
    const timespec hour{3600, 0};
    ::nanosleep(&hour, nullptr);
  });
}

BENCHMARK(interrupt_sleep_sigexc)->UseManualTime()->Iterations(300);
BENCHMARK(interrupt_sleep_stop_token)->UseManualTime()->Iterations(300);
BENCHMARK(interrupt_sleep_boost)->UseManualTime()->Iterations(300);
BENCHMARK(interrupt_sleep_pthread_cancel)->UseManualTime()->Iterations(300);

}  // namespace

BENCHMARK_MAIN();
