// Where a computation was resumed: on the stack of who waits there for it to halt.
#pragma once

#include "unwind/frame_rule.hpp"

#include <sigexc/detail/computation.hpp>
#include <sigexc/detail/current.hpp>

#include <atomic>
#include <cstdint>

namespace sigexc::detail {

struct resumption {
  stack_position from;  // the caller of the resuming function
  // What the thread was, and is again when the computation halts.
  record* self = nullptr;
  const scope* innermost = nullptr;
  explorer* exploring = nullptr;
  const std::atomic<std::uint64_t>* traffic = nullptr;
  std::uintptr_t stack_low = 0;
  std::uintptr_t stack_high = 0;
  bool quiet = false;
  bool is_signalled = false;
};

}  // namespace sigexc::detail
