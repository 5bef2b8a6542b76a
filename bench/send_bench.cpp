// Sending to a target that runs: how soon it has caught it (P3), what it takes the sender (P6), how
// many get through when several senders keep at it (P6b), and how this grows with the number of
// targets.
//
// `--when_waiting`: with `options::wake::when_waiting`, which holds for a whole process.
#include "latency.hpp"

#include <sigexc/configure.hpp>
#include <sigexc/sigexc.hpp>
#include <sigexc/sync.hpp>

#include <benchmark/benchmark.h>
#include <boost/thread.hpp>

#include <pthread.h>
#include <signal.h>

#include <atomic>
#include <condition_variable>
#include <exception>
#include <latch>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace {

using bench::interrupt_each_time;
using bench::interruptible_thread;
using bench::stop_it;
using bench::when;

// To a running target, from the send to the catch clause.

// Runs until `poll` throws.
template <class Poll>
[[gnu::noinline]] void poll_for_ever(Poll poll) {
  for (;;) poll();
}

// The floor: a flag that is polled and an exception that is thrown.
std::atomic<bool> flag{false};
void poll_flag() {
  if (!flag.load(std::memory_order_relaxed)) return;
  flag.store(false, std::memory_order_relaxed);
  throw stop_it{};
}

// Until the thread is interrupted by E.
template <class E, class Poll>
void run_until_caught(Poll poll) {
  try {
    poll_for_ever(poll);
  } catch (const E&) {
    return;
  }
}

void running_flag(benchmark::State& state) {
  interrupt_each_time<std::thread>(
      state, when::running, [] { run_until_caught<stop_it>(poll_flag); },
      [](std::thread&) { flag.store(true, std::memory_order_relaxed); });
}

// The floor of what can carry any exception from one thread to another: the sender makes it, and
// the target rethrows it.
std::atomic<std::exception_ptr*> letter{nullptr};
void poll_letter() {
  if (letter.load(std::memory_order_relaxed) == nullptr) return;
  const std::unique_ptr<std::exception_ptr> got(letter.exchange(nullptr));
  std::rethrow_exception(std::move(*got));
}

void running_exception_ptr(benchmark::State& state) {
  interrupt_each_time<std::thread>(
      state, when::running, [] { run_until_caught<stop_it>(poll_letter); },
      [](std::thread&) { letter = new std::exception_ptr(std::make_exception_ptr(stop_it{})); });
}

void running_sigexc(benchmark::State& state) {
  interrupt_each_time<interruptible_thread>(
      state, when::running, [] { run_until_caught<stop_it>([] { sigexc::safe_point(); }); },
      [](interruptible_thread& target) { target.interrupt(); });
}

// What the signal alone takes: its handler sets the flag.
void running_pthread_kill(benchmark::State& state) {
  struct sigaction setting {};
  setting.sa_handler = [](int) { flag.store(true, std::memory_order_relaxed); };
  ::sigaction(SIGUSR1, &setting, nullptr);
  interrupt_each_time<std::thread>(
      state, when::running, [] { run_until_caught<stop_it>(poll_flag); },
      [](std::thread& target) { ::pthread_kill(target.native_handle(), SIGUSR1); });
}

void running_stop_token(benchmark::State& state) {
  std::optional<std::stop_source> source;  // a new one each time, as it can be stopped only once
  source.emplace();
  interrupt_each_time<std::thread>(
      state, when::running,
      [&] {
        const std::stop_token token = source->get_token();
        run_until_caught<stop_it>([&] {
          if (token.stop_requested()) throw stop_it{};
        });
        source.emplace();
      },
      [&](std::thread&) { std::stop_source(*source).request_stop(); });
}

void running_boost(benchmark::State& state) {
  interrupt_each_time<boost::thread>(
      state, when::running,
      [] { run_until_caught<boost::thread_interrupted>(boost::this_thread::interruption_point); },
      [](boost::thread& target) { target.interrupt(); });
}

void running_pthread_cancel(benchmark::State& state) {
  bench::cancel_each_time(state, when::running, [] { poll_for_ever(::pthread_testcancel); });
}

BENCHMARK(running_flag)->UseManualTime()->Iterations(1000);
BENCHMARK(running_exception_ptr)->UseManualTime()->Iterations(1000);
BENCHMARK(running_sigexc)->UseManualTime()->Iterations(1000);
BENCHMARK(running_pthread_kill)->UseManualTime()->Iterations(1000);
BENCHMARK(running_stop_token)->UseManualTime()->Iterations(1000);
BENCHMARK(running_boost)->UseManualTime()->Iterations(1000);
BENCHMARK(running_pthread_cancel)->UseManualTime()->Iterations(1000);

// Several senders, nothing lost: until the target has got them all.

constexpr int storm_size = 80'000;  // of all senders together

// `send` is called by the senders, `get` by the target until it has got them all.
template <class Thread, class Send, class Get>
void storm(benchmark::State& state, Send send, Get get) {
  const auto senders = state.range(0);
  for (auto _ : state) {
    std::latch start(senders + 2);
    std::int64_t done_at = 0;
    Thread target([&] {
      start.arrive_and_wait();
      get();
      done_at = bench::now();
    });
    std::vector<std::thread> all;
    for (std::int64_t i = 0; i < senders; ++i)
      all.emplace_back([&] {
        start.arrive_and_wait();
        for (std::int64_t left = storm_size / senders; left > 0; --left) send(target);
      });
    start.arrive_and_wait();
    const std::int64_t begin = bench::now();
    target.join();
    state.SetIterationTime(static_cast<double>(done_at - begin) * 1e-9);
    for (std::thread& one : all) one.join();
  }
  using benchmark::Counter;
  state.counters["each"] =
      Counter(storm_size, Counter::kIsIterationInvariantRate | Counter::kInvert);
}

// They are caught one by one, or in groups where several have come.
void storm_sigexc(benchmark::State& state) {
  storm<interruptible_thread>(
      state, [](interruptible_thread& target) { target.interrupt(); },
      [&] {
        for (std::size_t caught = 0; caught < storm_size;) try {
            poll_for_ever([] { sigexc::safe_point(); });
          } catch (const stop_it&) {
            ++caught;
          } catch (const sigexc::exception_group& several) {
            caught += several.exceptions().size();
          }
      });
}

// A callback handles them, and nothing is thrown.
void storm_sigexc_callback(benchmark::State& state) {
  storm<interruptible_thread>(
      state, [](interruptible_thread& target) { target.interrupt(); },
      [&] {
        int handled = 0;
        const auto handling = sigexc::attach<stop_it>([&](const stop_it&) { ++handled; });
        while (handled < storm_size) sigexc::safe_point();
      });
}

// What one would write instead: exceptions in a vector, with a flag that says so.
void storm_by_hand(benchmark::State& state) {
  std::mutex mutex;
  std::vector<std::exception_ptr> queue;
  storm<std::thread>(
      state,
      [&](std::thread&) {
        auto exception = std::make_exception_ptr(stop_it{});
        const std::lock_guard lock(mutex);
        queue.push_back(std::move(exception));
        flag.store(true, std::memory_order_release);
      },
      [&] {
        for (int caught = 0; caught < storm_size;) {
          if (!flag.load(std::memory_order_relaxed)) continue;
          std::unique_lock lock(mutex);
          flag.store(false, std::memory_order_relaxed);
          const auto arrived = std::exchange(queue, {});
          lock.unlock();
          for (const auto& one : arrived) try {
              std::rethrow_exception(one);
            } catch (const stop_it&) {
              ++caught;
            }
        }
      });
}

#define SENDERS Arg(1)->Arg(2)->Arg(4)->Arg(8)->Arg(16)->UseManualTime()->Iterations(3)
BENCHMARK(storm_sigexc)->SENDERS;
BENCHMARK(storm_sigexc_callback)->SENDERS;
BENCHMARK(storm_by_hand)->SENDERS;

// Many targets, each asleep in a wait of its own: until all have been told and have caught it.

// `wait(i)` returns when target i has noticed; `interrupt(thread, i)` tells it.
template <class Thread, class Wait, class Interrupt>
void many_targets(benchmark::State& state, Wait wait, Interrupt interrupt) {
  const auto count = static_cast<std::size_t>(state.range(0));
  pthread_attr_t small;  // stacks, for all that do not say otherwise
  ::pthread_attr_init(&small);
  ::pthread_attr_setstacksize(&small, std::size_t{128} * 1024);
  ::pthread_setattr_default_np(&small);
  for (auto _ : state) {
    std::vector<std::atomic<pid_t>> waiting(count);
    std::atomic<std::size_t> noticed{0};
    std::vector<std::unique_ptr<Thread>> all;
    for (std::size_t i = 0; i < count; ++i)
      all.push_back(std::make_unique<Thread>([&, i] {
        waiting[i] = ::gettid();
        wait(i);
        ++noticed;
      }));
    for (const auto& tid : waiting) {
      while (tid == 0) std::this_thread::yield();
      bench::await_asleep(tid);
    }
    const std::int64_t begin = bench::now();
    for (std::size_t i = 0; i < count; ++i) interrupt(*all[i], i);
    while (noticed != count) std::this_thread::yield();
    state.SetIterationTime(static_cast<double>(bench::now() - begin) * 1e-9);
    for (auto& one : all) one->join();
  }
  using benchmark::Counter;
  state.counters["each"] =
      Counter(static_cast<double>(count), Counter::kIsIterationInvariantRate | Counter::kInvert);
}

void targets_sigexc(benchmark::State& state) {
  sigexc::counting_semaphore nothing(0);
  many_targets<interruptible_thread>(
      state,
      [&](std::size_t) {
        try {
          nothing.acquire();
        } catch (const stop_it&) {
          return;
        }
      },
      [](interruptible_thread& target, std::size_t) { target.interrupt(); });
}

void targets_stop_token(benchmark::State& state) {
  struct place {
    std::mutex mutex;
    std::condition_variable_any never;
    std::stop_source source;
  };
  std::vector<place> places(static_cast<std::size_t>(state.range(0)));
  many_targets<std::thread>(
      state,
      [&](std::size_t i) {
        places[i].source = std::stop_source();  // it can be stopped only once
        try {
          std::unique_lock lock(places[i].mutex);
          if (!places[i].never.wait(lock, places[i].source.get_token(), [] { return false; }))
            throw stop_it{};
        } catch (const stop_it&) {
          return;
        }
      },
      [&](std::thread&, std::size_t i) { std::stop_source(places[i].source).request_stop(); });
}

void targets_boost(benchmark::State& state) {
  struct place {
    boost::mutex mutex;
    boost::condition_variable never;
  };
  std::vector<place> places(static_cast<std::size_t>(state.range(0)));
  many_targets<boost::thread>(
      state,
      [&](std::size_t i) {
        try {
          boost::unique_lock<boost::mutex> lock(places[i].mutex);
          for (;;) places[i].never.wait(lock);
        } catch (const boost::thread_interrupted&) {
          return;
        }
      },
      [](boost::thread& target, std::size_t) { target.interrupt(); });
}

void targets_pthread_kill(benchmark::State& state) {
  struct sigaction nothing {};
  nothing.sa_handler = [](int) {};
  ::sigaction(SIGUSR1, &nothing, nullptr);
  many_targets<std::thread>(
      state,
      [&](std::size_t) {
        try {
          if (::pause() == -1) throw stop_it{};
        } catch (const stop_it&) {
          return;
        }
      },
      [](std::thread& target, std::size_t) { ::pthread_kill(target.native_handle(), SIGUSR1); });
}

#define FEW_TARGETS Arg(1)->Arg(10)->Arg(100)->UseManualTime()->Iterations(20)
#define MANY_TARGETS Arg(1000)->Arg(10'000)->UseManualTime()->Iterations(1)
BENCHMARK(targets_sigexc)->FEW_TARGETS;
BENCHMARK(targets_sigexc)->MANY_TARGETS;
BENCHMARK(targets_stop_token)->FEW_TARGETS;
BENCHMARK(targets_stop_token)->MANY_TARGETS;
BENCHMARK(targets_boost)->FEW_TARGETS;
BENCHMARK(targets_boost)->MANY_TARGETS;
BENCHMARK(targets_pthread_kill)->FEW_TARGETS;
BENCHMARK(targets_pthread_kill)->MANY_TARGETS;

}  // namespace

int main(int argc, char** argv) {
  if (argc > 1 && argv[1] == std::string_view("--when_waiting")) {
    sigexc::configure({.signal = sigexc::wake::when_waiting});
    argv[1] = argv[0];
    ++argv;
    --argc;
  }
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
}
