// Arithmetic with timespec, and the rest of a timeout.
#include "wait/posix_timeout.hpp"

#include <limits>

namespace sigexc::detail {

namespace {

constexpr long second = 1'000'000'000;
constexpr long millisecond = 1'000'000;

}  // namespace

bool is_valid(const timespec& time) noexcept {
  return time.tv_sec >= 0 && time.tv_nsec >= 0 && time.tv_nsec < second;
}

timespec now_on(clockid_t clock) noexcept {
  timespec now{};
  clock_gettime(clock, &now);
  return now;
}

timespec sum(const timespec& a, const timespec& b) noexcept {
  timespec total{0, a.tv_nsec + b.tv_nsec};
  const bool is_carried = total.tv_nsec >= second;
  if (__builtin_add_overflow(a.tv_sec, b.tv_sec, &total.tv_sec) ||
      __builtin_add_overflow(total.tv_sec, is_carried, &total.tv_sec))
    return {std::numeric_limits<time_t>::max(), second - 1};
  if (is_carried) total.tv_nsec -= second;
  return total;
}

timespec difference(const timespec& later, const timespec& earlier) noexcept {
  timespec between{later.tv_sec - earlier.tv_sec, later.tv_nsec - earlier.tv_nsec};
  if (between.tv_nsec < 0) {
    between.tv_nsec += second;
    --between.tv_sec;
  }
  return between.tv_sec < 0 ? timespec{} : between;
}

timespec from_milliseconds(int milliseconds) noexcept {
  return {milliseconds / 1000, milliseconds % 1000 * millisecond};
}

int to_milliseconds(const timespec& time) noexcept {
  return static_cast<int>(time.tv_sec * 1000 + (time.tv_nsec + millisecond - 1) / millisecond);
}

timeout::timeout(const timespec* duration) noexcept : duration_(duration) {
  if (duration != nullptr && is_valid(*duration) && !is_zero())
    end_ = sum(now_on(CLOCK_MONOTONIC), *duration);
}

timespec* timeout::rest() noexcept {
  if (duration_ == nullptr) return nullptr;
  // What is not valid is for the kernel to refuse.
  rest_ =
      is_valid(*duration_) && !is_zero() ? difference(end_, now_on(CLOCK_MONOTONIC)) : *duration_;
  return &rest_;
}

}  // namespace sigexc::detail
