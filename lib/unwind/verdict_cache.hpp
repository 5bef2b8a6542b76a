// Remembers what was found out about the places of the program that appear on stacks.
#pragma once

#include "unwind/frame_rule.hpp"
#include "unwind/frame_verdict.hpp"

#include <cstdint>
#include <typeinfo>

namespace sigexc::detail {

struct frame_facts {
  frame_rule rule;
  frame_verdict verdict;
};

// The number of libraries that were ever closed: facts from before the last closing are not used.
// Ask once a walk; while its frames are on the stack their libraries stay.
inline constexpr std::uint32_t nobody_knows = 0xffffffff;
std::uint32_t count_closed_libraries() noexcept;

// What is known about an exception of type `thrown` that comes out of a call which returns to
// `counter`. False: nothing.
bool recall(std::uintptr_t counter, const std::type_info* thrown, std::uint32_t closed_libraries,
            frame_facts& found) noexcept;

// Remembers it, unless it is too large or somebody else is writing at the same place.
void remember(std::uintptr_t counter, const std::type_info* thrown, std::uint32_t closed_libraries,
              const frame_facts& facts) noexcept;

}  // namespace sigexc::detail
