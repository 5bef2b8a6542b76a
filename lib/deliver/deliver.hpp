// Delivering: from the mailbox to callbacks and raised exceptions.
#pragma once

namespace sigexc::detail {

enum class place {
  safe_point,  // policy::immediate delivers
  wait         // policy::on_blocking delivers too: the operation has to wait
};

// Delivers what may be delivered at `where`. Raises, or returns when nothing is left that may be
// delivered; before a wait the pending flag is then clear.
void deliver_at(place where);

// Whether a raise could be survived here.
bool can_raise() noexcept;

// Whether something that is held here would be delivered at `where`.
bool would_deliver_at(place where) noexcept;

// Collects what has arrived, and tells whether any of it would be delivered at `where`. If so the
// pending flag is set, else clear: for a wait that has something to do before it may raise.
bool has_deliverable_at(place where) noexcept;

// At the end of a wait in a place where nothing could be raised, and which has cleared the flag so
// as not to spin: sets it again, for the first safe point that can.
void keep_flag_if_unraised() noexcept;

}  // namespace sigexc::detail
