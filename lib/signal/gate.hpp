// The gate: a system call that SIGEXC keeps from beginning, or ends, without a window.
//
// A flag that is looked at before a system call leaves a window between the look and the call, in
// which the signal comes too late to be seen and too early to interrupt. The gate closes it. It is
// a few instructions of assembly with labels, and the handler compares the interrupted program
// counter with them:
//
//   begin    the last look at the pending flag; if it is set, to `cancel`
//            the system call instruction
//   end      behind it: the call has returned, and has a result
//   cancel   returns `not_executed`
//   leave    behind the gate
//
// In [begin, end) the handler moves the counter to `cancel`: the call has not begun; or it has
// waited without having had an effect, since the kernel sets the counter back onto the instruction
// of a call that it would restart (SA_RESTART). From `end` on the handler lets the result be.
// A call that Linux never restarts returns -EINTR, and its caller looks at the flag.
//
// It is musl's mechanism for thread cancellation, and since 2.41 glibc's.
#pragma once

#include <sigexc/detail/current.hpp>

#include <atomic>
#include <cstddef>

namespace sigexc::detail {

// Returned for a call that was not executed, or had no effect. No system call returns it.
inline constexpr long not_executed = -512;

extern "C" {
// Makes the system call `number`, marked by `block.in_gate`, unless or until SIGEXC comes.
// @return what the kernel returned (-errno for an error), or `not_executed`.
long sigexc_gate(current_block* block, long number, long a, long b, long c, long d, long e, long f);
extern const char sigexc_gate_begin[], sigexc_gate_end[], sigexc_gate_cancel[], sigexc_gate_leave[];
// System calls spoil the processor's foresight of returns: see gate_x86_64.S. Written once, at
// installation; read by the gate.
extern constinit std::atomic<bool> sigexc_gate_refills;
}

// The assembly knows where these stand.
static_assert(offsetof(current_block, pending_flag) == 0);
static_assert(offsetof(current_block, in_gate) == 4);
static_assert(sizeof sigexc_gate_refills == 1);

}  // namespace sigexc::detail
