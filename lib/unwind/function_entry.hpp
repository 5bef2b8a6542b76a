// What the unwind tables (.eh_frame) say of the function that a program counter lies in.
#pragma once

#include <cstdint>

namespace sigexc::detail {

struct function_entry {
  std::uintptr_t begin = 0;
  std::uintptr_t end = 0;
  std::uintptr_t personality = 0;  // 0: the function has nothing to do when it is unwound
  std::uintptr_t handlers = 0;     // its table of handlers (LSDA), or 0
  bool is_signal_frame = false;
  // How to find its caller: see frame_rule.cpp.
  std::uint64_t code_alignment = 1;
  std::int64_t data_alignment = 1;
  std::uint64_t return_column = 0;
  const std::uint8_t* common_program = nullptr;
  const std::uint8_t* common_program_end = nullptr;
  const std::uint8_t* program = nullptr;
  const std::uint8_t* program_end = nullptr;
};

// False: no tables cover `counter`, or they are of a kind unknown here.
bool find_function(std::uintptr_t counter, function_entry& found) noexcept;

}  // namespace sigexc::detail
