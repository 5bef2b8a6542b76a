// Refuses null pointers to functions and empty `std::function`s where they are handed over, since
// they would be called later, and elsewhere.
#pragma once

#include <sigexc/export.hpp>

#include <functional>
#include <type_traits>

namespace sigexc::detail {

template <class F>
inline constexpr bool is_std_function = false;
template <class Signature>
inline constexpr bool is_std_function<std::function<Signature>> = true;

// Throws std::invalid_argument: `what` names the parameter.
[[noreturn]] SIGEXC_EXPORT void refuse_null_callable(const char* what);

template <class F>
void check_callable(const F& function, const char* what) {
  using decayed = std::decay_t<F>;
  if constexpr (std::is_pointer_v<decayed> && !std::is_function_v<F>) {
    if (function == nullptr) refuse_null_callable(what);
  } else if constexpr (std::is_member_pointer_v<decayed> || is_std_function<decayed>) {
    if (function == nullptr) refuse_null_callable(what);
  }
}

}  // namespace sigexc::detail
