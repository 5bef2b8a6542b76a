// What operations do around the gate when something is pending.
#include "wait/operation.hpp"

#include "signal/send.hpp"
#include "target/record.hpp"

#include <sigexc/mask.hpp>

namespace sigexc::detail {

namespace {

// With wake::when_waiting no signal may arrive outside of operations. A sender that has seen the
// mark of the gate is counted until it has signalled: the exchange is the fence between taking the
// mark away and looking at the count. One that has signalled already had raised the flag.
void await_signals_of_gate() noexcept {
  if (current.self == nullptr || signals_always()) return;
  current.in_gate.exchange(0, std::memory_order_seq_cst);
  if (current.is_signalled || current.pending_flag.load(std::memory_order_relaxed) != 0 ||
      current.self->traffic.has_any())
    current.self->await_signals();
}

}  // namespace

void deliver_before_operation() {
  if (current.is_mask_edited) {  // see signal/handler.cpp
    current.is_mask_edited = false;
    unblock_signals();
  }
  if (!current.has_news()) return;
  await_signals_of_gate();  // it may raise
  deliver_at(place::safe_point);
  // Where nothing can be raised the flag would stay, and keep the gate shut.
  if (current.pending_flag.load(std::memory_order_relaxed) != 0 && !can_raise())
    deliver_at(place::wait);
}

void leave_operation() noexcept {
  keep_flag_if_unraised();
  await_signals_of_gate();
}

bool is_held_until_waiting() noexcept { return can_raise() && would_deliver_at(place::wait); }

}  // namespace sigexc::detail
