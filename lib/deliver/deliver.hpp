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

// At the end of a wait in a place where nothing could be raised, and which has cleared the flag so
// as not to spin: sets it again, for the first safe point that can.
void keep_flag_if_unraised() noexcept;

}  // namespace sigexc::detail
