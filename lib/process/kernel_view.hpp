// What the kernel shows of a thread of this process, in /proc/self/task.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>

namespace sigexc::detail {

class kernel_view {
 public:
  explicit kernel_view(pid_t tid) noexcept;

  // R runs or would, S and D sleep, T and t are stopped, Z and X have ended; '?': it cannot be
  // told.
  [[nodiscard]] char state() const noexcept { return state_; }
  [[nodiscard]] bool is_asleep() const noexcept {
    return state_ == 'S' || state_ == 'D' || state_ == 'T' || state_ == 't';
  }
  // Whether the signal `number` is in its mask.
  [[nodiscard]] bool blocks(int number) const noexcept {
    return (blocked_ >> (number - 1) & 1) != 0;
  }
  // "runs", or "sleeps in the kernel (hrtimer_nanosleep), in system call 230".
  [[nodiscard]] std::string text() const;

 private:
  pid_t tid_;
  char state_ = '?';
  std::uint64_t blocked_ = 0;
};

}  // namespace sigexc::detail
