// How to find the caller of a frame, in a form small enough to be remembered.
#pragma once

#include "unwind/function_entry.hpp"

#include <cstdint>

namespace sigexc::detail {

// A place on a stack: what a walk needs to know of a frame.
struct stack_position {
  std::uintptr_t counter = 0;  // the return address into it,
  std::uintptr_t slot = 0;     // which stands here;
  std::uintptr_t stack = 0;    // the stack pointer after that return
  std::uintptr_t frame = 0;    // and the frame pointer
};

// aarch64 may sign return addresses in their upper bits.
inline std::uintptr_t without_signature(std::uintptr_t return_address) noexcept {
#if defined(__aarch64__)
  register std::uintptr_t signed_address asm("x30") = return_address;
  asm("hint #7" : "+r"(signed_address));  // xpaclri; does nothing where there are no signatures
  return signed_address;
#else
  return return_address;
#endif
}

// Where the caller of the function is that this is written in.
[[gnu::always_inline]] inline stack_position caller() noexcept {
  // Both architectures save the frame pointer and the return address side by side.
  const auto* const record = static_cast<const std::uintptr_t*>(__builtin_frame_address(0));
  return {without_signature(record[1]), reinterpret_cast<std::uintptr_t>(&record[1]),
          reinterpret_cast<std::uintptr_t>(__builtin_dwarf_cfa()), record[0]};
}

// The end of a frame, E, is computed from a register; everything else lies relative to E or to the
// frame pointer. Compilers do with these forms, other ones are `unknown`.
struct frame_rule {
  enum class kind : std::uint8_t {
    unknown,
    outermost,     // nobody called it
    from_stack,    // E = stack + end
    from_frame,    // E = frame + end
    through_frame  // E = what stands at frame + end: the function has aligned its stack
  };
  enum class saved : std::uint8_t { nowhere, from_end, from_frame };

  kind how = kind::unknown;
  saved frame_is = saved::nowhere;  // where the caller's frame pointer is
  std::int32_t end = 0;
  std::int32_t frame = 0;           // ... at this offset
  std::int32_t return_address = 0;  // from E
};

// The rule that holds while `counter` is executed.
frame_rule find_rule(const function_entry& function, std::uintptr_t counter) noexcept;

// Goes on to the caller. False: this is no stack.
bool step(const frame_rule& rule, stack_position& at) noexcept;

// The same, where the stack is read by `bool read(slot, found)`, which may fail.
template <class Read>
bool step(const frame_rule& rule, stack_position& at, Read read) noexcept {
  const auto plus = [](std::uintptr_t base, std::int32_t offset) {
    return base + static_cast<std::uintptr_t>(static_cast<std::intptr_t>(offset));
  };
  const std::uintptr_t base =
      plus(rule.how == frame_rule::kind::from_stack ? at.stack : at.frame, rule.end);
  // Frames lie one above the other; what leads elsewhere would lead in circles, or nowhere.
  if (base <= at.stack || base % sizeof(void*) != 0) return false;
  std::uintptr_t end = base;
  if (rule.how == frame_rule::kind::through_frame && !read(base, end)) return false;
  if (end <= at.stack || end % sizeof(void*) != 0) return false;
  if (rule.frame_is != frame_rule::saved::nowhere &&
      !read(plus(rule.frame_is == frame_rule::saved::from_end ? end : at.frame, rule.frame),
            at.frame))
    return false;
  at.slot = plus(end, rule.return_address);
  std::uintptr_t return_address = 0;
  if (!read(at.slot, return_address)) return false;
  at.counter = without_signature(return_address);
  at.stack = end;
  return true;
}

// What stands at `slot` of a stack, which may be another function's, or nobody's any more.
std::uintptr_t read_stack(std::uintptr_t slot) noexcept;

}  // namespace sigexc::detail
