// Delivering: from the mailbox to callbacks and raised exceptions.
#pragma once

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

// Whether exceptions of some type can be raised here.
bool may_raise();

// At the end of a wait that has cleared the flag so as not to spin, although something may not be
// raised only because that could not be survived here: sets it again, for the first safe point
// where it can (R3).
void keep_flag_if_unraised() noexcept;

}  // namespace sigexc::detail
