// Where a landing pad leads: tables tell that it runs, only its code tells what it does.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace sigexc::detail {

struct pad_ends {
  bool may_terminate = false;
  bool may_catch = false;
  bool handler_may_terminate = false;  // decides if there is nothing else that it may do
  bool may_throw_other = false;        // goes on outward with another exception
  bool may_throw_on = false;           // the handler is too complicated to tell
  bool is_unreadable = false;
  // Where it goes on outward: return addresses of the calls of _Unwind_Resume and __cxa_rethrow.
  // The tables tell whether it goes further than that.
  std::array<std::uintptr_t, 8> resumes{};
  std::size_t resume_count = 0;
};

// What may happen in the pad at `pad` when the personality enters it with `selector`.
pad_ends follow_pad(std::uintptr_t pad, int selector) noexcept;

}  // namespace sigexc::detail
