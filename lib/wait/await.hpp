// Waiting in such a way that an interrupt ends the wait.
#pragma once

#include "mailbox/futex.hpp"

#include <functional>

namespace sigexc::detail {

// Waits until `is_done()`; delivers what arrives meanwhile. Whoever makes `is_done` true calls
// `parking_lot::wake_all(address)` afterwards.
//
// @return false: the deadline passed first.  Throws: interrupts, before anything was waited for or
// while `is_done()` is false; a result that is there is never dropped for an interrupt (O3).
bool await(const void* address, const std::function<bool()>& is_done, deadline until);

}  // namespace sigexc::detail
