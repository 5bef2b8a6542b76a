// An error in the place of an exception that C++ cannot hold: one of another language, or a forced
// unwinding. It is made in catch clauses from which nothing may escape, so where there is no memory
// for the words it is std::bad_alloc, for which the C++ runtime keeps some.
#pragma once

#include <exception>
#include <new>
#include <stdexcept>

namespace sigexc::detail {

inline std::exception_ptr error_in_place(const char* words) noexcept {
  try {
    return std::make_exception_ptr(std::runtime_error(words));
  } catch (const std::bad_alloc&) {
    return std::current_exception();
  }
}

}  // namespace sigexc::detail
