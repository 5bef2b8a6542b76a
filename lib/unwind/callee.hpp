// What a landing pad calls, as far as that decides over the exception.
#pragma once

#include <cstdint>

namespace sigexc::detail {

enum class callee {
  other,
  terminates,  // std::terminate and what leads to it
  catches,     // __cxa_begin_catch
  resumes,     // _Unwind_Resume
  rethrows,    // __cxa_rethrow
  leaves,      // __cxa_end_catch
  borrows,     // __cxa_get_exception_ptr: takes the exception object, and nothing more
  joins,       // std::thread::join: its thread cannot be why the process is terminated
  throws,      // __cxa_throw, std::rethrow_exception: another exception
  ends         // does not return, for reasons of its own
};

// Makes the list of them, when the library is loaded.
void prepare_callees() noexcept;

// Which one is called at `target`; with `is_slot`, through the pointer that stands there.
callee identify(std::uintptr_t target, bool is_slot) noexcept;

// The address of the function that `address`, as found in code or tables, stands for.
std::uintptr_t resolve(std::uintptr_t address) noexcept;

}  // namespace sigexc::detail
