// Waiting in such a way that an interrupt ends the wait.
#pragma once

#include "mailbox/futex.hpp"
#include "mailbox/parking_lot.hpp"

#include <functional>

namespace sigexc::detail {

// Waits until `is_done()`; delivers what arrives meanwhile. Whoever makes `is_done` true wakes the
// sleepers at `address` in the parking lot afterwards. `is_done` may take what it looks for (a
// unit, a lock): it is called again only after it has returned false, now and then under the lock
// of the lot's bucket, and never while the caller is in the lot.
//
// @return false: the deadline passed first.  Throws: interrupts, before anything was waited for or
// after `is_done()` was false; a result that is there is never dropped for an interrupt (O3).
bool await(const void* address, const std::function<bool()>& is_done, deadline until);

// The same, but nothing is delivered: neither a safe point nor interrupted.
void await_deaf(const void* address, const std::function<bool()>& is_done) noexcept;

// Why a sleep ended.
enum class roused { woken, pending, late };

// Sleeps on the thread's own bell while `self` is in the lot, until it was woken, something is
// pending, or `until`. `self` stays in the lot, if it was not woken.
roused sleep(const parking_lot::sleeper& self, deadline until) noexcept;

}  // namespace sigexc::detail
