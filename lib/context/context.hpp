// The stack of a computation, and the switch to it and back, with all that a thread keeps elsewhere
// and that has to go along.
#pragma once

#include "context/overflow.hpp"
#include "context/runtime_state.hpp"
#include "context/sanitizer.hpp"
#include "context/stack.hpp"

#include <sigexc/resumable.hpp>

#include <boost/context/fiber.hpp>

#include <atomic>
#include <cstddef>
#include <cstring>
#include <utility>

namespace sigexc::detail {

// What each thread needs that switches for the first time.
inline void prepare_to_switch() noexcept {
  if (runtime_state::here.of_errno != nullptr) [[likely]]
    return;
  runtime_state::find_place();
  prepare_signal_stack();
}

struct context {
  explicit context(std::size_t stack_size) : stack(stack_size) {}

  // Before the first switch. `self` outlives this.
  void begin(stacked_computation& self);
  [[nodiscard]] bool has_begun() const noexcept { return has_begun_; }

  // A stack that is resumed for the first time in a while is not in the cache, and the table that
  // tells where it is, neither. By any thread: who asks may not be the one who is to have it.
  void fetch() const noexcept { __builtin_prefetch(top_.load(std::memory_order_relaxed), 1); }
  // In the frame of the caller: see computation::board.
  [[gnu::always_inline]] void switch_in() noexcept {
    prepare_to_switch();
    runtime_.exchange();
    annotation_.before_switch_in(stack.low(), stack.size());
    inside_ = std::move(inside_).resume();
    void* top;
    std::memcpy(&top, &inside_, sizeof top);
    top_.store(top, std::memory_order_relaxed);
    annotation_.after_switch_out();
    runtime_.exchange();
  }
  [[gnu::always_inline]] void switch_out() noexcept {
    annotation_.before_switch_out(false);
    outside_ = std::move(outside_).resume();
    annotation_.after_switch_in();
  }

  const computation_stack stack;

 private:
  static void run_body(stacked_computation& self);
  static void run(stacked_computation& self);

  bool has_begun_ = false;
  runtime_state runtime_;  // of the side that does not run
  fiber_annotation annotation_;
  std::atomic<void*> top_{nullptr};  // for `fetch`: what was left on top of the stack
  // Each is what the other side was left as; one of them is empty. A fiber is no more than the
  // address of what it has left on top of its stack.
  boost::context::fiber inside_;
  boost::context::fiber outside_;
  static_assert(sizeof inside_ == sizeof(void*));
};

}  // namespace sigexc::detail
