// The interruptible wait, without a window.
//
// The thread sleeps on its own bell. It publishes that it is asleep before it looks at its pending
// flag; a sender sets the flag before it looks whether the target is asleep; all four accesses are
// sequentially consistent, so one of the two sees the other (O2). Whoever rings increments the
// bell, so a ring between the thread's look and its sleep keeps it from sleeping. The same holds
// for what it waits for, since it is entered in the parking lot before it looks.
//
// Who was woken has used up a wake-up that somebody else could have had. So it looks whether it got
// what it was woken for before it raises: if it is there, it is taken, and the interrupt waits
// (O3); if it is not, somebody else has taken it, and will wake the next when he gives it back. And
// nobody takes anything while in the lot, where a wake-up would still be spent on him.
#include "wait/await.hpp"

#include "deliver/deliver.hpp"

#include <sigexc/detail/current.hpp>

#include <chrono>

namespace sigexc::detail {

roused sleep(const parking_lot::sleeper& self, deadline until) noexcept {
  current.asleep.store(true, std::memory_order_seq_cst);
  auto why = roused::woken;
  for (;;) {
    const auto rings = this_block().bell.load(std::memory_order_seq_cst);
    if (self.is_woken.load(std::memory_order_acquire)) break;
    why = roused::pending;
    if (current.pending_flag.load(std::memory_order_seq_cst) != 0) break;
    why = roused::late;
    if (until && std::chrono::steady_clock::now() >= *until) break;
    why = roused::woken;
    futex_wait(this_block().bell, rings, until);
  }
  current.asleep.store(false, std::memory_order_relaxed);
  return why;
}

bool await(const void* address, const std::function<bool()>& is_done, deadline until) {
  if (current.has_news()) deliver_at(place::operation);  // O1
  bool is_complete = is_done();
  bool is_late = false;
  while (!is_complete && !is_late) {  // M6: on_blocking delivers only where the wait has to sleep
    if (current.has_news()) deliver_at(place::wait);
    parking_lot::sleeper self{address, &this_block().bell};
    is_complete = !parking_lot::enter(self, is_done);
    if (is_complete) break;
    is_late = sleep(self, until) == roused::late;
    parking_lot::leave(self);
    is_complete = is_done();
  }
  keep_flag_if_unraised();
  return is_complete;
}

void await_deaf(const void* address, const std::function<bool()>& is_done) noexcept {
  while (!is_done()) {
    parking_lot::sleeper self{address, &this_block().bell};
    if (!parking_lot::enter(self, is_done)) return;
    for (;;) {
      const auto rings = this_block().bell.load(std::memory_order_acquire);
      if (self.is_woken.load(std::memory_order_acquire)) break;
      futex_wait(this_block().bell, rings);
    }
    parking_lot::leave(self);
  }
}

}  // namespace sigexc::detail
