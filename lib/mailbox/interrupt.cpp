// The transitions of an interrupt's state.
#include "mailbox/interrupt.hpp"

#include "mailbox/mailbox.hpp"
#include "mailbox/parking_lot.hpp"

#include <sigexc/detail/current.hpp>

#include <utility>

namespace sigexc::detail {

interrupt::interrupt(mailbox& to, std::exception_ptr what, bool reusable) noexcept
    : box(to),
      state(reusable ? status::idle : status::pending),
      is_reusable(reusable),
      exception(std::move(what)),
      sender(current.self != nullptr && !reusable ? reference<record>(*current.self)
                                                  : reference<record>()),
      queued(std::chrono::steady_clock::now()) {
  box.retain();
}

interrupt::~interrupt() { box.release(); }

delivery interrupt::outcome() const noexcept {
  switch (state.load(std::memory_order_seq_cst)) {
    case status::raised:
      return delivery::raised;
    case status::handled:
      return delivery::handled;
    case status::withdrawn:
      return delivery::withdrawn;
    case status::discarded:
      return delivery::discarded;
    default:
      return box.is_left_behind() ? delivery::discarded : delivery::pending;
  }
}

bool interrupt::is_settled() const noexcept { return outcome() != delivery::pending; }

bool interrupt::claim() noexcept {
  if (had_callback) return true;  // it was not given back: see below
  auto expected = pending_here();
  return state.compare_exchange_strong(expected, status::delivering, std::memory_order_acq_rel);
}

void interrupt::unclaim() noexcept {
  // What a callback has seen, and has thrown another exception for, cannot be withdrawn any more.
  if (had_callback) return;
  // An exchange: what was written before a fire() that it overwrites is seen by the next claim.
  state.exchange(pending_here(), std::memory_order_acq_rel);
}

void interrupt::ended() noexcept {
  box.count_out();
  // The waiter sets this mark before it looks at the state, which has changed before this look.
  // All four are sequentially consistent, so one of the two sees the other.
  if (is_waited_for.load(std::memory_order_seq_cst)) parking_lot::wake_all(this);
}

bool interrupt::settle(status outcome) noexcept {
  if (is_reusable) {
    box.count_out();
    if (cause() == nullptr) sender = reference<record>();  // of this firing
    return state.exchange(status::idle, std::memory_order_acq_rel) == status::delivering_again;
  }
  // Whoever holds a receipt must not keep the exception alive: D5 watches for its end.
  exception = nullptr;
  state.store(outcome, std::memory_order_seq_cst);
  ended();
  return false;
}

bool interrupt::withdraw() noexcept {
  if (box.is_left_behind()) return false;
  auto expected = status::pending;
  if (!state.compare_exchange_strong(expected, status::withdrawn, std::memory_order_seq_cst))
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
