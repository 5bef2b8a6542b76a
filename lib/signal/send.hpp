// Sending SIGEXC to a thread, also when the kernel's queue of signals is full.
//
// The kernel keeps real-time signals in a queue, whose length is limited for each user
// (RLIMIT_SIGPENDING); when it is full, pthread_kill fails with EAGAIN. A standard signal is but a
// bit, and always accepted. So there is a spare, SIGSTKFLT or SIGPWR, whose handler is installed
// when it is first needed (S3). A timer for each target, made ahead of time so that it owns its
// place in the queue, was the other way that worked; it costs each thread two system calls and
// fails where the limit is 0. If both belong to somebody else and the queue is full, the pending
// flag is set and waits of ours are woken by a futex, but no system call is.
#pragma once

#include <pthread.h>
#include <signal.h>

namespace sigexc::detail {

// 0 if there is none.
[[nodiscard]] int spare_signal() noexcept;
// Picks it among those that nobody handles. Before the first target.
void choose_spare_signal() noexcept;

// Signals: async-signal-safe; keeps errno.
void send_signal(pthread_t to) noexcept;

// Lets both signals through the calling thread's mask (M2).
// Returns whether SIGEXC had been blocked.
bool unblock_signals() noexcept;
void block_signals() noexcept;

}  // namespace sigexc::detail
