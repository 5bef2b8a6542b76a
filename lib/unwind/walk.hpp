// The addresses of a stack, innermost first: of the instruction where a frame was interrupted, and
// else of a byte in the call that has not returned. Two walkers, since neither does for both uses.
#pragma once

#include "unwind/frame_rule.hpp"

#include <cstddef>
#include <cstdint>

namespace sigexc::detail {

// From `from` outward, by the rules that are remembered of known places: for a raise, which this must
// not make slower than need be. Ends at a signal frame, or where there are no tables.
// @return how many were stored, at most `most`.
std::size_t walk(const stack_position& from, std::uintptr_t* addresses, std::size_t most) noexcept;

// By libgcc's `_Unwind_Backtrace`, through signal frames too. It begins with the caller, or, in a
// signal handler, with the frame that was interrupted at `interrupted`; 0: the caller.
// Signals: async-signal-safe once it has run before in this process. Its first call initialises libgcc
// under pthread_once; from then on, with glibc's `_dl_find_object`, it takes no lock, but in a process
// that has registered tables of generated code (libgcc 12 keeps those under a mutex).
std::size_t unwind(std::uintptr_t interrupted, std::uintptr_t* addresses,
                   std::size_t most) noexcept;

}  // namespace sigexc::detail
