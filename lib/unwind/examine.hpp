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
// null stands for a type that only `catch (...)` takes. Safe to call anywhere on a stack of its
// own thread, with other exceptions on their way; not in signal handlers that may have interrupted
// it, though it finds out that it is in a handler.
verdict examine(const std::type_info* thrown, const stack_position& from) noexcept;

// Whether it is known, without a look at the whole stack, that no exception of any type would be
// survived (R4). It may say so a few times too often: see examine.cpp. It never says so wrongly
// where the last examination, from no further out, said otherwise.
bool is_known_to_hold(const stack_position& from) noexcept;

}  // namespace sigexc::detail
