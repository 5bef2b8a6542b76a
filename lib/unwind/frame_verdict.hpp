// What happens to an exception in one frame of the stack.
#pragma once

#include "unwind/function_entry.hpp"

#include <cstdint>
#include <typeinfo>

namespace sigexc::detail {

enum class fate : std::uint8_t {
  passes,  // to the caller, perhaps after destructors
  caught,
  dies  // std::terminate would be called, or nobody can tell
};

struct frame_verdict {
  fate what = fate::dies;
  bool tells_types = false;   // it might be another one for another type
  bool may_be_other = false;  // what passes may be another exception, of a type that nobody knows
};

// `counter` lies in the call that the exception comes out of: the return address less one.
frame_verdict judge(const function_entry& function, std::uintptr_t counter,
                    const std::type_info* thrown) noexcept;

}  // namespace sigexc::detail
