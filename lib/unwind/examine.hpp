// Whether an exception raised here would be survived (R1, R2).
#pragma once

#include "unwind/frame_rule.hpp"

#include <typeinfo>

namespace sigexc::detail {

struct verdict {
  bool survives = false;
  std::uintptr_t holder = 0;  // if not: the counter in the frame that holds it, for diagnosis
  bool tells_types = false;   // if not: it might be survived if it had another type
};

// Judges a raise of an exception of type `thrown` by the function that `from` is the caller of;
// null stands for a type that only `catch (...)` takes. `from` has to be computed in a function
// that may throw, or compilers leave its caller's tables empty. Other exceptions may be on their
// way. It takes 16 KiB of the stack where a landing pad is met for the first time.
verdict examine(const std::type_info* thrown, const stack_position& from) noexcept;

// Whether the last examination, it seems, still stands, and found that no exception of any type
// would be survived (R4). No: examine. Yes may be said a bounded number of times too often, as
// examine.cpp explains.
bool is_known_to_hold(const stack_position& from) noexcept;

}  // namespace sigexc::detail
