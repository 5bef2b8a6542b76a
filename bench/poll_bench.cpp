// What it costs to ask, when there is nothing (P1), and to hold back for a while (P2), beside what
// others have for it. Each time is one of sixteen in a row, so that no loop is measured.
#include <sigexc/sigexc.hpp>

#include <benchmark/benchmark.h>
#include <boost/thread.hpp>

#include <pthread.h>
#include <signal.h>

#include <atomic>
#include <stop_token>

namespace {

constexpr int in_a_row = 16;

template <class Do>
[[gnu::always_inline]] inline void sixteen_times(benchmark::State& state, Do what) {
  for (auto _ : state) {
    // clang-format off
    what(); what(); what(); what(); what(); what(); what(); what();
    what(); what(); what(); what(); what(); what(); what(); what();
    // clang-format on
  }
  using benchmark::Counter;
  state.counters["each"] = Counter(in_a_row, Counter::kIsIterationInvariantRate | Counter::kInvert);
}

// The floor of the first: a flag of the thread's own, which somebody else may set.
constinit thread_local std::atomic<bool> flag{false};
[[noreturn, gnu::noinline]] void flag_is_set() { std::abort(); }

void poll_flag(benchmark::State& state) {
  sixteen_times(state, [] {
    if (flag.load(std::memory_order_relaxed)) [[unlikely]]
      flag_is_set();
  });
}
void poll_sigexc(benchmark::State& state) {
  const sigexc::enrollment here;
  sixteen_times(state, [] { sigexc::safe_point(); });
}
void poll_stop_token(benchmark::State& state) {
  const std::stop_source source;
  const std::stop_token token = source.get_token();
  sixteen_times(state, [&] {
    if (token.stop_requested()) [[unlikely]]
      flag_is_set();
  });
}
void poll_pthread(benchmark::State& state) {
  sixteen_times(state, [] { ::pthread_testcancel(); });
}
// On a thread of Boost's: on others there is nothing to ask.
void poll_boost(benchmark::State& state) {
  boost::thread([&] {
    sixteen_times(state, [] { boost::this_thread::interruption_point(); });
  }).join();
}
BENCHMARK(poll_flag);
BENCHMARK(poll_sigexc);
BENCHMARK(poll_stop_token);
BENCHMARK(poll_pthread);
BENCHMARK(poll_boost);

// The floor of the second: a counter of the thread's own, up and down.
constinit thread_local volatile int blocked = 0;

void mask_counter(benchmark::State& state) {
  sixteen_times(state, [] {
    blocked = blocked + 1;
    benchmark::ClobberMemory();
    blocked = blocked - 1;
  });
}
void mask_sigexc(benchmark::State& state) {
  const sigexc::enrollment here;
  sixteen_times(state, [] {
    const sigexc::block_scope quiet;
    benchmark::ClobberMemory();
  });
}
void mask_setcancelstate(benchmark::State& state) {
  sixteen_times(state, [] {
    int before = 0;
    ::pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before);
    benchmark::ClobberMemory();
    ::pthread_setcancelstate(before, nullptr);
  });
}
void mask_boost(benchmark::State& state) {
  boost::thread([&] {
    sixteen_times(state, [] {
      const boost::this_thread::disable_interruption quiet;
      benchmark::ClobberMemory();
    });
  }).join();
}
void mask_sigmask(benchmark::State& state) {
  sigset_t one;
  sigemptyset(&one);
  sigaddset(&one, SIGUSR1);
  sixteen_times(state, [&] {
    sigset_t before;
    ::pthread_sigmask(SIG_BLOCK, &one, &before);
    benchmark::ClobberMemory();
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  });
}
BENCHMARK(mask_counter);
BENCHMARK(mask_sigexc);
BENCHMARK(mask_setcancelstate);
BENCHMARK(mask_boost);
BENCHMARK(mask_sigmask);

}  // namespace

BENCHMARK_MAIN();
