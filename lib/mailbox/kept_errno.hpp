// Keeps errno over what may change it: in what a signal handler calls, and where a question that
// nobody asked is put to the kernel.
#pragma once

#include <cerrno>

namespace sigexc::detail {

class kept_errno {
 public:
  kept_errno() noexcept = default;
  kept_errno(const kept_errno&) = delete;
  kept_errno& operator=(const kept_errno&) = delete;
  ~kept_errno() { errno = value_; }

 private:
  const int value_ = errno;
};

}  // namespace sigexc::detail
