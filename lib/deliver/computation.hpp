// Where a computation was resumed: on the stack of who waits there for it to halt.
#pragma once

#include "unwind/examine.hpp"

#include <sigexc/detail/computation.hpp>
#include <sigexc/detail/current.hpp>

#include <atomic>
#include <cstdint>

namespace sigexc::detail {

struct resumption {
  explicit resumption(const stack_position& caller) noexcept : from(caller) {}

  const stack_position from;  // the caller of the resuming function
  // What the thread was, and is again when the computation halts. Set by `computation::enter`.
  record* self;
  const scope* innermost;
  explorer* exploring;
  const std::atomic<std::uint64_t>* traffic;
  stack_range stack;
  bool quiet;
  bool is_signalled;
};

}  // namespace sigexc::detail
