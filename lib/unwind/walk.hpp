// The addresses of a stack, innermost first: of the instruction where a frame was interrupted, and
// else of a byte in the call that has not returned. Three walkers: one for raises, one for
// handlers, and the usual one.
#pragma once

#include "unwind/frame_rule.hpp"

#include <ucontext.h>

#include <cstddef>
#include <cstdint>

namespace sigexc::detail {

// From `from` outward, by the rules that are remembered of known places: for a raise, which this
// must not make slower than need be. Ends at a signal frame, or where there are no tables.
// @return how many were stored, at most `most`.
std::size_t walk(const stack_position& from, std::uintptr_t* addresses, std::size_t most) noexcept;

// Of the thread that a signal handler has interrupted, from there outward, through frames of other
// signals' handlers too. Ends where there are no tables, or registers other than those of the stack
// and the frame would have to be known. Signals: async-signal-safe (tables are found by glibc's
// `_dl_find_object`, without a lock, but in a process that has registered tables of generated code:
// libgcc 12 keeps those under a mutex).
std::size_t walk(ucontext_t& interrupted, std::uintptr_t* addresses, std::size_t most) noexcept;

// Of the caller, by libgcc.
std::size_t unwind(std::uintptr_t* addresses, std::size_t most) noexcept;

}  // namespace sigexc::detail
