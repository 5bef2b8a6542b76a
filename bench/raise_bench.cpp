// What it costs to look before a raise, beside the throw itself, and to be held, at any depth.
//
// `throw_from` unwinds so many frames, each with a destructor to run. `check_from` is the look at
// them before, by itself, which is why this is linked with the library's objects; `raise_from`
// is all of it: sending, delivering, the look and the throw.
#include "unwind/examine.hpp"

#include <sigexc/sigexc.hpp>

#include <benchmark/benchmark.h>

#include <cstdint>
#include <typeinfo>

namespace {

struct news {};

struct guard {
  ~guard() { benchmark::ClobberMemory(); }
};

// Calls `what` from under so many frames.
template <class F>
[[gnu::noinline]] void descend(std::int64_t frames, const F& what) {  // NOLINT(misc-no-recursion)
  const guard one;
  if (frames > 1) {
    descend(frames - 1, what);
  } else {
    what();
  }
  benchmark::ClobberMemory();  // no tail call
}

template <class F>
void catch_from(benchmark::State& state, const F& what) {
  for (auto _ : state) {
    try {
      descend(state.range(0), what);
    } catch (const news&) {
      continue;
    }
    state.SkipWithError("nothing was thrown");
  }
}

void throw_from(benchmark::State& state) {
  bool is_due = true;
  catch_from(state, [&is_due] {
    benchmark::DoNotOptimize(is_due);
    if (is_due) throw news();
  });
}

void raise_from(benchmark::State& state) {
  const sigexc::enrollment here;
  const sigexc::target self = here.get_target();
  catch_from(state, [&self] {
    self.interrupt(news());
    sigexc::safe_point();
  });
}

// It may throw, else its caller's tables would be empty.
[[gnu::noinline]] bool look(bool has_to_throw) {
  if (has_to_throw) throw news();
  return sigexc::detail::examine(&typeid(news), sigexc::detail::caller()).survives;
}

void check_from(benchmark::State& state) {
  bool is_survived = true;
  try {
    descend(state.range(0), [&] {
      bool has_to_throw = false;
      for (auto _ : state) {
        benchmark::DoNotOptimize(has_to_throw);
        is_survived = look(has_to_throw) && is_survived;
      }
    });
  } catch (const news&) {
    state.SkipWithError("something was thrown");
  }
  if (!is_survived) state.SkipWithError("it would not be survived");
}

// Something is pending that cannot be raised: the outermost frame is noexcept. A safe point that
// finds everything as it was.
void held_at_depth(benchmark::State& state) {
  const sigexc::enrollment here;
  const auto receipt = here.get_target().interrupt(news());
  [&]() noexcept {
    descend(state.range(0), [&state] {
      for (auto _ : state) sigexc::safe_point();
    });
  }();
  if (!receipt.withdraw()) state.SkipWithError("it was not held");
}

BENCHMARK(throw_from)->Arg(1)->Arg(10)->Arg(100)->Arg(1000);
BENCHMARK(raise_from)->Arg(1)->Arg(10)->Arg(100)->Arg(1000);
BENCHMARK(check_from)->Arg(1)->Arg(10)->Arg(100)->Arg(1000);
BENCHMARK(held_at_depth)->Arg(1)->Arg(10)->Arg(100)->Arg(1000)->Arg(10000);

}  // namespace

BENCHMARK_MAIN();
