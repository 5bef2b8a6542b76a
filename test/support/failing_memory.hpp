// Makes any allocation fail: the global operator new throws, and where no sanitizer has it in its
// hands malloc returns null. For programs that failing_memory.cpp is a part of, which replaces
// these.
//
// Failing once, at the first allocation, at the second, ... until a scenario passes without a
// failure, comes to every place that there is: `at_every_allocation`.
#pragma once

#include <atomic>

#include "support/order.hpp"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SIGEXC_TEST_HAS_OWN_MALLOC 0
#else
#define SIGEXC_TEST_HAS_OWN_MALLOC 1
#endif

namespace sigexc::test {

// How many allocations, of whichever thread, succeed before one fails; negative: all do.
inline constinit std::atomic<int> allocations_left{-1};
// Whether those that C code makes are counted, and fail, too.
inline constinit std::atomic<bool> is_malloc_failing{false};
// What operator new has given and has not got back.
inline constinit std::atomic<long> allocated{0};

inline bool has_memory() noexcept {
  int left = allocations_left.load(std::memory_order_relaxed);
  while (left >= 0)
    if (allocations_left.compare_exchange_weak(left, left - 1)) return left != 0;
  return true;
}

// Calls `scenario()` with the first allocation failing, the second, the third ..., until it passes
// without a failure. @return how many it has.
template <class Scenario>
int at_every_allocation(Scenario scenario, bool with_malloc = false) {
  await(are_others_asleep);  // one that begins needs memory
  for (int n = 0;; ++n) {
    is_malloc_failing = with_malloc;
    allocations_left = n;
    scenario();
    const bool has_failed = allocations_left < 0;
    allocations_left = -1;
    is_malloc_failing = false;
    if (!has_failed) return n;
  }
}

}  // namespace sigexc::test
