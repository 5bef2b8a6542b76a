// The semaphore where it is contended.
//
// As with the mutex, a waiter sets `awaited` before it sleeps, and a release that finds the mark
// goes under the lock of the waiters' list, where it adds its units, wakes as many waiters, and
// clears the mark if there are no more. Units are not handed to those who are woken: who comes by
// may take one first. So there is a wake-up for each unit, and who was woken either takes a unit or
// has found none: interrupted then, it has nothing to pass on.
#include "wait/await.hpp"

#include <sigexc/sync.hpp>

namespace sigexc {

bool counting_semaphore::acquire_or_announce() noexcept {
  std::ptrdiff_t now = state_.load(std::memory_order_relaxed);
  for (;;) {
    const bool has_units = now >= unit;
    if (!has_units && (now & awaited) != 0) return false;
    if (state_.compare_exchange_weak(now, has_units ? now - unit : now | awaited,
                                     std::memory_order_acquire, std::memory_order_relaxed))
      return has_units;
  }
}

bool counting_semaphore::acquire_slowly(detail::steady_deadline until) {
  return detail::await(
      this, [this] { return acquire_or_announce(); }, until);
}

void counting_semaphore::release_slowly(std::ptrdiff_t units) noexcept {
  detail::parking_lot::wake(this, static_cast<std::size_t>(units), [this, units](bool has_more) {
    std::ptrdiff_t now = state_.load(std::memory_order_relaxed);
    const std::ptrdiff_t cleared = has_more ? 0 : awaited;
    while (!state_.compare_exchange_weak(now, (now + units * unit) & ~cleared,
                                         std::memory_order_release, std::memory_order_relaxed)) {
    }
  });
}

}  // namespace sigexc
