// What a signal mask of the user's must not do.
#pragma once

#include "signal/send.hpp"

#include <sigexc/configure.hpp>

#include <signal.h>

#include <cstddef>

namespace sigexc::detail {

inline constexpr std::size_t mask_size = 8;  // what the kernel takes, of sigset_t's 128 bytes

// A copy of a set of signals without those of the library, or null if null was given.
class foreign_signals {
 public:
  explicit foreign_signals(const sigset_t* given) noexcept : is_given_(given != nullptr) {
    if (!is_given_) return;
    set_ = *given;
    sigdelset(&set_, signal_number());
    if (spare_signal() != 0) sigdelset(&set_, spare_signal());
  }
  [[nodiscard]] const sigset_t* get() const noexcept { return is_given_ ? &set_ : nullptr; }

 private:
  bool is_given_;
  sigset_t set_{};
};

}  // namespace sigexc::detail
