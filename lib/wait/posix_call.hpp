// The shapes that POSIX operations have in common. Each runs `call`, a function object that goes
// through the gate, as an operation; they differ in how they learn without waiting whether the call
// would have to wait (M6), and in what they do about a timeout (O4).
#pragma once

#include "wait/operation.hpp"
#include "wait/posix_timeout.hpp"

#include <cerrno>

namespace sigexc::detail {

// What a POSIX function returns: an error of the kernel goes to errno (O7).
class answer {
 public:
  answer(long result) noexcept : value_(result < 0 ? -1 : result) {  // NOLINT: meant to convert
    if (result < 0) errno = static_cast<int>(-result);
  }
  operator int() const noexcept { return static_cast<int>(value_); }  // NOLINT
  operator long() const noexcept { return value_; }                   // NOLINT

 private:
  long value_;
};

// A call that completes at once, or of which nobody can ask whether it would: it finds out itself,
// in the time that a way out leaves it.
template <class Call>
[[gnu::always_inline]] inline answer unasked(Call call) {
  return operate(call, call);
}

// A call that the flag `no_wait` keeps from waiting: it then returns `instead`.
template <class Call>
[[gnu::always_inline]] inline answer by_flag(int flags, int no_wait, long instead, Call call) {
  return operate([&] { return call(flags); },
                 [&] {
                   const long result = call(flags | no_wait);
                   const bool is_told_to_wait = (flags & no_wait) == 0;
                   return result == instead && is_told_to_wait ? would_wait : result;
                 });
}

// A call that takes a timeout, and returns `instead` when it has passed. Null: for ever.
template <class Call>
[[gnu::always_inline]] inline answer in_time(const timespec* duration, long instead, Call call) {
  timeout left(duration);
  return operate([&] { return call(left.rest()); },
                 [&] {
                   timespec none{};
                   const long result = call(&none);
                   return result == instead && !left.is_zero() ? would_wait : result;
                 });
}

}  // namespace sigexc::detail
