// The condition wait: a notification or an interrupt, decided in one place.
//
// A waiter is in the parking lot from before it unlocks until it returns or raises. Notifying takes
// it out, under the lock of the lot's bucket; being out is being notified, and being notified is a
// result, which no interrupt takes away (O3). While a waiter has its lock back and runs callbacks
// it is still in the lot, so what is notified then finds it: the wait goes on without a gap.
//
// One case is left. A waiter that is raising may have been notified since it last looked. It learns
// that on leaving the lot, and then notifies another one in its place (O5).
//
// `has_waiters` only saves notifiers the way into the lot. It is written under the bucket's lock,
// and never by a waiter that leaves: the condition may be gone by then.
//
// Nothing is done for a wake-up by what the scopes here hold: the lock is not even taken for it.
#include "deliver/deliver.hpp"
#include "wait/await.hpp"

#include <sigexc/mask.hpp>
#include <sigexc/sync.hpp>

namespace sigexc::detail {

namespace {

// Locks again; what the lock does for it is interrupted no more. It must not throw, as
// [thread.cond] has it.
void acquire_again(const lock_reference& lock) noexcept {
  const scope everything_blocked(policy::never, governed_types<>);
  lock.acquire(lock.lock);
}

class waiter {
 public:
  explicit waiter(std::atomic<std::uint32_t>& has_waiters)
      : self_{&has_waiters, &this_block().bell} {
    parking_lot::enter(self_, [&has_waiters] {
      has_waiters.store(1, std::memory_order_relaxed);
      return false;
    });
  }
  waiter(const waiter&) = delete;
  waiter& operator=(const waiter&) = delete;
  // Left by an exception: a notification goes to somebody else, if there is anybody.
  ~waiter() {
    if (is_in_ && parking_lot::leave(self_)) parking_lot::wake(self_.address, 1, [](bool) {});
  }

  [[nodiscard]] const parking_lot::sleeper& self() const noexcept { return self_; }
  [[nodiscard]] bool is_notified() const noexcept {
    return self_.is_woken.load(std::memory_order_acquire);
  }
  bool leave() noexcept {
    is_in_ = false;
    return parking_lot::leave(self_);
  }

 private:
  parking_lot::sleeper self_;
  bool is_in_ = true;
};

bool is_in_computation() noexcept { return current.self != nullptr && current.self->of != nullptr; }

// A computation may pause there, and whoever is in the lot belongs to a thread. What is notified
// meanwhile does not find it. So the wait ends then as if it had been notified, which all who wait
// for a condition have to reckon with: they look for themselves, and wait again.
bool deliver_outside_the_lot(waiter& waiting) {
  if (!waiting.leave()) deliver_at(place::wait);
  keep_flag_if_unraised();
  return true;
}

}  // namespace

bool await_notification(std::atomic<std::uint32_t>& has_waiters, lock_reference lock,
                        steady_deadline until) {
  if (current.has_news()) deliver_at(place::wait);  // O1; a condition wait has to wait (M6)
  waiter waiting(has_waiters);
  for (bool is_over = false; !is_over;) {
    lock.release(lock.lock);
    roused why = sleep(waiting.self(), until);
    while (why == roused::pending && !has_deliverable_at(place::wait))
      why = sleep(waiting.self(), until);
    acquire_again(lock);
    if (why == roused::pending && !waiting.is_notified()) {
      if (is_in_computation()) return deliver_outside_the_lot(waiting);
      deliver_at(place::wait);
    }
    is_over = why == roused::late || waiting.is_notified();
  }
  const bool is_notified = waiting.leave();
  keep_flag_if_unraised();
  return is_notified;
}

void notify(std::atomic<std::uint32_t>& has_waiters, bool is_all) noexcept {
  parking_lot::wake(&has_waiters, is_all ? parking_lot::all : 1, [&has_waiters](bool has_more) {
    has_waiters.store(has_more ? 1 : 0, std::memory_order_relaxed);
  });
}

}  // namespace sigexc::detail
