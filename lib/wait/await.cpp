// The interruptible wait, without a window.
//
// The thread sleeps on its own bell. It publishes that it is asleep before it looks at its pending
// flag; a sender sets the flag before it looks whether the target is asleep; all four accesses are
// sequentially consistent, so one of the two sees the other (O2). Whoever rings increments the
// bell, so a ring between the thread's look and its sleep keeps it from sleeping. The same holds
// for what it waits for, since it is entered in the parking lot before it looks.
#include "wait/await.hpp"

#include "deliver/deliver.hpp"
#include "mailbox/parking_lot.hpp"

#include <sigexc/detail/current.hpp>

#include <chrono>

namespace sigexc::detail {

namespace {

// Sleeps until there is something to look at. True: the deadline has passed.
bool sleep(const void* address, const std::function<bool()>& is_done, deadline until) {
  parking_lot::sleeper self{address, &current.bell};
  if (!parking_lot::enter(self, is_done)) return false;
  current.asleep.store(true, std::memory_order_seq_cst);
  bool is_late = false;
  for (;;) {
    const auto rings = current.bell.load(std::memory_order_seq_cst);
    if (current.pending_flag.load(std::memory_order_seq_cst) != 0 || is_done()) break;
    is_late = until && std::chrono::steady_clock::now() >= *until;
    if (is_late) break;
    futex_wait(current.bell, rings, until);
  }
  current.asleep.store(false, std::memory_order_relaxed);
  parking_lot::leave(self);
  return is_late;
}

}  // namespace

bool await(const void* address, const std::function<bool()>& is_done, deadline until) {
  if (current.has_news()) deliver_at(place::safe_point);  // O1
  bool is_complete = is_done();
  bool is_late = false;
  while (!is_complete && !is_late) {  // M6: on_blocking delivers only where the wait has to sleep
    if (current.has_news()) deliver_at(place::wait);
    is_late = sleep(address, is_done, until);
    is_complete = is_done();
  }
  keep_flag_if_unraised();
  return is_complete;
}

}  // namespace sigexc::detail
