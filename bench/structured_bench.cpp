// What deadlines and structured tasks cost, beside what stands for them in the standard library, in
// one run. Every figure is to be read as a ratio to its peer's.
#include <sigexc/sigexc.hpp>

#include <benchmark/benchmark.h>

#include <signal.h>
#include <time.h>

#include <chrono>

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

}  // namespace

BENCHMARK_MAIN();
