// The stack of a computation, and the switch to it and back, with all that a thread keeps elsewhere
// and that has to go along.
#pragma once

#include "context/runtime_state.hpp"
#include "context/sanitizer.hpp"
#include "context/stack.hpp"

#include <sigexc/resumable.hpp>

#include <boost/context/fiber.hpp>

#include <cstddef>

namespace sigexc::detail {

struct context {
  explicit context(std::size_t stack_size) : stack(stack_size) {}

  // Before the first switch. `self` outlives this.
  void begin(stacked_computation& self);
  [[nodiscard]] bool has_begun() const noexcept { return has_begun_; }

  void switch_in() noexcept;
  void switch_out() noexcept;

  const computation_stack stack;

 private:
  static void run_body(stacked_computation& self);
  static void run(stacked_computation& self);

  bool has_begun_ = false;
  runtime_state runtime_;  // of the side that does not run
  fiber_annotation annotation_;
  // Each is what the other side was left as; one of them is empty.
  boost::context::fiber inside_;
  boost::context::fiber outside_;
};

}  // namespace sigexc::detail
