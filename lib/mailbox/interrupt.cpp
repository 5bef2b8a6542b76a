// The transitions of an interrupt's state.
#include "mailbox/interrupt.hpp"

#include "mailbox/mailbox.hpp"
#include "mailbox/parking_lot.hpp"

#include <sigexc/detail/current.hpp>

#include <utility>

namespace sigexc::detail {

interrupt::interrupt(mailbox& to, std::exception_ptr what, bool reusable) noexcept
    : box(to),
      state(status{.now = reusable ? phase::idle : phase::pending}),
      is_reusable(reusable),
      exception(std::move(what)),
      sender(current.self != nullptr && !reusable ? reference<record>(*current.self)
                                                  : reference<record>()),
      queued(std::chrono::steady_clock::now()) {
  box.retain();
}

interrupt::~interrupt() { box.release(); }

delivery interrupt::outcome() const noexcept {
  switch (state.load(std::memory_order_seq_cst).now) {
    case phase::raised:
      return delivery::raised;
    case phase::handled:
      return delivery::handled;
    case phase::withdrawn:
      return delivery::withdrawn;
    case phase::discarded:
      return delivery::discarded;
    default:
      return box.is_left_behind() ? delivery::discarded : delivery::pending;
  }
}

bool interrupt::is_settled() const noexcept { return outcome() != delivery::pending; }

bool interrupt::claim() noexcept {
  if (had_callback) return true;  // it was not given back: see below
  // Who fires it again while it is pending writes the same word, so this fails for no such reason.
  status then = state.load(std::memory_order_relaxed);
  return is_pending_here(then) &&
         state.compare_exchange_strong(then, {.now = phase::delivering, .firing = then.firing},
                                       std::memory_order_acq_rel);
}

void interrupt::unclaim() noexcept {
  // What a callback has seen, and has thrown another exception for, cannot be withdrawn any more.
  if (had_callback) return;
  // A read-modify-write: what was written before a fire() that it overwrites is seen by the next
  // claim.
  change(phase::pending);
}

phase interrupt::change(phase to) noexcept {
  status before = state.load(std::memory_order_relaxed);
  status after;
  do {
    after = to == phase::pending ? pending_here(before.firing)
                                 : status{.now = to, .firing = before.firing};
  } while (!state.compare_exchange_weak(before, after, std::memory_order_acq_rel,
                                        std::memory_order_relaxed));
  return before.now;
}

void interrupt::ended() noexcept {
  box.count_out();
  // The waiter sets this mark before it looks at the state, which has changed before this look.
  // All four are sequentially consistent, so one of the two sees the other.
  if (is_waited_for.load(std::memory_order_seq_cst)) parking_lot::wake_all(this);
}

bool interrupt::settle(phase outcome) noexcept {
  if (is_reusable) {
    box.count_out();
    if (cause() == nullptr) sender = reference<record>();  // of this firing
    return change(phase::idle) == phase::delivering_again;
  }
  // Whoever holds a receipt must not keep the exception alive: D5 watches for its end.
  exception = nullptr;
  state.store({.now = outcome}, std::memory_order_seq_cst);
  ended();
  return false;
}

bool interrupt::withdraw() noexcept {
  if (box.is_left_behind()) return false;
  status expected{.now = phase::pending};
  if (!state.compare_exchange_strong(expected, {.now = phase::withdrawn},
                                     std::memory_order_seq_cst))
    return false;
  ended();
  box.forget(*this);
  return true;
}

void retain(const interrupt& who) noexcept {
  who.references.fetch_add(1, std::memory_order_relaxed);
}

void release(const interrupt& who) noexcept {
  if (who.references.fetch_sub(1, std::memory_order_acq_rel) == 1) delete &who;
}

}  // namespace sigexc::detail
