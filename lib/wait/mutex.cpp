// The mutex where it is contended: as WebKit's WTF::Lock.
//
// A waiter sets `awaited` before it sleeps, which keeps `unlock` from its short way; the long one
// frees the mutex under the lock of the list that the waiter is in. So the mark is set whenever
// somebody is in the list, and may be set when nobody is. Freed, the mutex belongs to whoever is
// first, be it who was woken or a thread that just came by; handing it over to the waiter would
// make every contended section as slow as a context switch. Who was woken for nothing sets the mark
// again, so an interrupted waiter needs to pass on nothing: whoever has the mutex wakes the next.
//
// Freeing it is the last thing that `unlock` does to it; afterwards it may be destroyed.
#include "wait/await.hpp"

#include <sigexc/sync.hpp>

namespace sigexc {

bool mutex::acquire_or_announce() noexcept {
  std::uint32_t now = state_.load(std::memory_order_relaxed);
  for (;;) {
    const bool is_free = (now & locked) == 0;
    if (!is_free && (now & awaited) != 0) return false;
    if (state_.compare_exchange_weak(now, now | (is_free ? locked : awaited),
                                     std::memory_order_acquire, std::memory_order_relaxed))
      return is_free;
  }
}

void mutex::lock_slowly() noexcept {
  detail::await_deaf(this, [this] { return acquire_or_announce(); });
}

void mutex::lock_interruptibly_slowly() {
  detail::await(
      this, [this] { return acquire_or_announce(); }, std::nullopt);
}

void mutex::unlock_slowly() noexcept {
  detail::parking_lot::wake(this, 1, [this](bool has_more) {
    state_.store(has_more ? awaited : 0, std::memory_order_release);
  });
}

}  // namespace sigexc
