// Whether an exception raised here would be survived (R1, R2).
#pragma once

#include "unwind/frame_rule.hpp"

#include <sigexc/detail/waker.hpp>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <typeinfo>

namespace sigexc::detail {

struct verdict {
  bool survives = false;
  std::uintptr_t holder = 0;  // if not: the counter in the frame that holds it, for diagnosis
  stack_position at{};        // if not: the holding frame,
  std::size_t frames = 0;     // so many frames away
};

inline constexpr std::uintptr_t no_frame = std::numeric_limits<std::uintptr_t>::max();

// Where the caller's stack is, as far as is known; both 0: it is the thread's, and was not asked
// for.
struct stack_range {
  std::uintptr_t low = 0;
  std::uintptr_t high = 0;
};
// What the thread remembers of its last look at the stack.
struct holding {
  std::uintptr_t slot = 0;  // 0: nothing is remembered
  std::uintptr_t counter = 0;
  std::size_t credit = 0;  // quick answers that may still be given
  unsigned turn = 0;
  stack_range own_stack;
};
extern constinit thread_local holding last_holding __attribute__((tls_model("initial-exec")));

// The caller is about to go on on another stack. Forgets what is held. @return the one before.
inline stack_range change_own_stack(const stack_range& to) noexcept {
  const stack_range before = last_holding.own_stack;
  last_holding.slot = 0;
  last_holding.own_stack = to;
  return before;
}

// Judges a raise of an exception of type `thrown` by the function that `from` is the caller of;
// null stands for a type that only `catch (...)` takes. `from` has to be computed in a function
// that may throw, or compilers leave its caller's tables empty. Other exceptions may be on their
// way. It takes 8 KiB of the stack where a landing pad is met for the first time.
// @param catching the frame that ends above this address is known to catch it, if it gets there.
verdict examine(const std::type_info* thrown, const stack_position& from,
                std::uintptr_t catching = no_frame) noexcept;

// The types that would be survived, if raised by the function that `from` is the caller of. All, if
// there are too many handlers on the way to tell. It is good as long as that function's caller is
// in the call.
survivors find_survivors(const stack_position& from) noexcept;

// Remembers that what is held at `from` is held by `found`, and forgets what was remembered.
// @param cost how much finding it out took, in frames and the like.
void remember_holding(const stack_position& from, const verdict& found, std::size_t cost) noexcept;
void forget_holding() noexcept;
// Whether it is known, without a look at the whole stack, that the same is still held by the same
// frame (R4). It may say so a few times too often: see examine.cpp.
bool is_known_to_hold(const stack_position& from) noexcept;

}  // namespace sigexc::detail
