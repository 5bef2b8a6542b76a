// What deadlines and structured tasks cost, beside what stands for them in the standard library, in
// one run. Every figure is to be read as a ratio to its peer's.
#include <sigexc/sigexc.hpp>

#include <benchmark/benchmark.h>

#include <signal.h>
#include <time.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <semaphore>
#include <stop_token>
#include <thread>
#include <vector>

namespace {

using namespace std::chrono_literals;

// A scope that does not expire (P8), beside the timers that could be its mechanism.

void timeout_sigexc(benchmark::State& state) {
  const sigexc::enrollment here;
  for (auto _ : state) benchmark::DoNotOptimize(sigexc::timeout(1s, [] { return 1; }));
}
BENCHMARK(timeout_sigexc);

// Where others have thousands of deadlines that run.
void timeout_sigexc_among_others(benchmark::State& state) {
  const sigexc::enrollment here;
  const auto nest = [&](auto& self, int depth) -> void {
    if (depth == 0) {
      for (auto _ : state) benchmark::DoNotOptimize(sigexc::timeout(1s, [] { return 1; }));
    } else {
      sigexc::timeout(std::chrono::minutes(depth), [&] { self(self, depth - 1); });
    }
  };
  nest(nest, 5000);
}
BENCHMARK(timeout_sigexc_among_others);

void clock_gettime_twice(benchmark::State& state) {
  for (auto _ : state) {
    benchmark::DoNotOptimize(std::chrono::steady_clock::now());
    benchmark::DoNotOptimize(std::chrono::steady_clock::now());
  }
}
BENCHMARK(clock_gettime_twice);

void timer_settime_twice(benchmark::State& state) {
  sigevent none{};
  none.sigev_notify = SIGEV_NONE;
  timer_t timer{};
  if (::timer_create(CLOCK_MONOTONIC, &none, &timer) != 0) return state.SkipWithError("no timer");
  const itimerspec second{{}, {1, 0}};
  const itimerspec off{};
  for (auto _ : state) {
    ::timer_settime(timer, 0, &second, nullptr);
    ::timer_settime(timer, 0, &off, nullptr);
  }
  ::timer_delete(timer);
}
BENCHMARK(timer_settime_twice);

// A race of two, of which one waits until it is called off.

void race_of_two_sigexc(benchmark::State& state) {
  const sigexc::enrollment here;
  sigexc::counting_semaphore never(0);
  for (auto _ : state)
    benchmark::DoNotOptimize(sigexc::race([] { return 1; }, [&] { never.acquire(); }));
}
BENCHMARK(race_of_two_sigexc)->UseRealTime();

// Waits until stop is requested, or for ever.
void wait_for_stop(const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any never;
  std::unique_lock lock(mutex);
  never.wait(lock, stop, [] { return false; });
}

void race_of_two_jthread(benchmark::State& state) {
  for (auto _ : state) {
    std::optional<int> first;
    std::binary_semaphore has_first(0);
    std::jthread loser(wait_for_stop);
    std::jthread winner([&] {
      first = 1;
      has_first.release();
    });
    has_first.acquire();
    loser.request_stop();
    loser.join();
    winner.join();
    benchmark::DoNotOptimize(first);
  }
}
BENCHMARK(race_of_two_jthread)->UseRealTime();

// Two threads that nobody has to call off: the least that it can take.
void two_threads_std(benchmark::State& state) {
  for (auto _ : state) {
    std::thread one([] {});
    std::thread other([] {});
    one.join();
    other.join();
  }
}
BENCHMARK(two_threads_std)->UseRealTime();

// A hundred tasks that end by themselves.

constexpr int many = 100;

void group_of_100_sigexc(benchmark::State& state) {
  const sigexc::enrollment here;
  std::atomic<int> sum{0};
  for (auto _ : state) {
    sigexc::task_group group;
    for (int i = 0; i < many; ++i) group.spawn([&sum] { ++sum; });
    group.join();
  }
}
BENCHMARK(group_of_100_sigexc)->UseRealTime();

template <class Thread>
void threads_100(benchmark::State& state) {
  std::atomic<int> sum{0};
  for (auto _ : state) {
    std::vector<Thread> threads;
    for (int i = 0; i < many; ++i) threads.emplace_back([&sum] { ++sum; });
    for (auto& one : threads) one.join();
  }
}
BENCHMARK(threads_100<std::jthread>)->Name("group_of_100_jthread")->UseRealTime();
BENCHMARK(threads_100<std::thread>)->Name("group_of_100_thread")->UseRealTime();

// A hundred tasks that wait, and are all called off.

void end_of_100_sigexc(benchmark::State& state) {
  const sigexc::enrollment here;
  sigexc::counting_semaphore never(0);
  for (auto _ : state) {
    sigexc::task_group group;
    for (int i = 0; i < many; ++i) group.spawn([&never] { never.acquire(); });
    group.terminate();
    group.join();
  }
}
BENCHMARK(end_of_100_sigexc)->UseRealTime();

void end_of_100_jthread(benchmark::State& state) {
  for (auto _ : state) {
    std::vector<std::jthread> threads;
    for (int i = 0; i < many; ++i) threads.emplace_back(wait_for_stop);
    for (auto& one : threads) one.request_stop();
    for (auto& one : threads) one.join();
  }
}
BENCHMARK(end_of_100_jthread)->UseRealTime();

}  // namespace

BENCHMARK_MAIN();
