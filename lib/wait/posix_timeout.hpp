// Times of the POSIX operations. A relative timeout becomes a point in time once, so that each
// attempt gets what is left of it (O4).
#pragma once

#include <time.h>

namespace sigexc::detail {

[[nodiscard]] timespec now_on(clockid_t clock) noexcept;
// Both stay in the range of timespec: the end of time is far enough, and no time is left before 0.
[[nodiscard]] timespec sum(const timespec& a, const timespec& b) noexcept;
[[nodiscard]] timespec difference(const timespec& later, const timespec& earlier) noexcept;
[[nodiscard]] bool is_valid(const timespec& time) noexcept;
[[nodiscard]] inline bool is_zero(const timespec& time) noexcept {
  return time.tv_sec == 0 && time.tv_nsec == 0;
}

[[nodiscard]] timespec from_milliseconds(int milliseconds) noexcept;
[[nodiscard]] int to_milliseconds(const timespec& time) noexcept;  // rounded up

class timeout {
 public:
  // `duration` must outlive this. Null: for ever.
  explicit timeout(const timespec* duration) noexcept;

  // What is left, or null. The kernel may write to it.
  [[nodiscard]] timespec* rest() noexcept;
  [[nodiscard]] bool is_zero() const noexcept {
    return duration_ != nullptr && detail::is_zero(*duration_);
  }

 private:
  const timespec* duration_;
  timespec end_{};
  timespec rest_{};
};

}  // namespace sigexc::detail
