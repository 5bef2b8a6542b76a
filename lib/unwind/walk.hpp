// The addresses of a stack, innermost first: each of a byte in the call that has not returned.
#pragma once

#include "unwind/frame_rule.hpp"

#include <cstddef>
#include <cstdint>

namespace sigexc::detail {

// From `from` outward, by the rules that are remembered of known places: for a raise, which this must
// not make slower than need be. Ends at a signal frame, or where there are no tables.
// @return how many were stored, at most `most`.
std::size_t walk(const stack_position& from, std::uintptr_t* addresses, std::size_t most) noexcept;

}  // namespace sigexc::detail
