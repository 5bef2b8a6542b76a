// Delivering: from the mailbox to callbacks and raised exceptions.
#pragma once

#include "target/record.hpp"
#include "unwind/frame_rule.hpp"

#include <sigexc/mask.hpp>

namespace sigexc::detail {

enum class place {
  safe_point,  // policy::immediate delivers
  operation,   // the same, before an operation, which must find the pending flag clear
  wait         // policy::on_blocking delivers too: the operation has to wait
};

// Delivers what may be delivered at `where`. Raises, or returns when nothing is left that may be
// delivered; the pending flag is then clear, but at a safe point where a raise would not be
// survived.
void deliver_at(place where);

// Whether something that is held here would be delivered at `where`.
bool would_deliver_at(place where);

// Collects what has arrived, and tells whether any of it would be delivered at `where`. If so the
// pending flag is set, else clear: for a wait that has something to do before it may raise.
bool has_deliverable_at(place where);

// For computations (see computation.cpp).
//
// Whether `outside`, who waits for a computation to halt, with `innermost` as its scope and called
// `from` there, has something in what it holds that would be delivered in that wait.
bool would_deliver_outside(record& outside, const scope* innermost, const stack_position& from);
// Whether the scopes from `innermost` on let a pause of `self` through, and it is in no foreign
// code.
bool lets_pause(const record& self, const scope* innermost, bool can_wait) noexcept;
// The thread goes on as somebody else: what is held may be held for any reason. (Which frame held
// it is forgotten with the stack, by change_own_stack.)
extern constinit thread_local bool is_unraised __attribute__((tls_model("initial-exec")));
inline void assume_unraised() noexcept { is_unraised = true; }

// At the end of a wait that has cleared the flag so as not to spin, although something may not be
// raised only because that could not be survived here: sets it again, for the first safe point
// where it can (R3).
void keep_flag_if_unraised() noexcept;

}  // namespace sigexc::detail
