// Waiting for several descriptors.
//
// All go to the kernel's variants with a mask, which every architecture has.
#include <sigexc/posix.hpp>

#include "wait/posix_call.hpp"
#include "wait/posix_mask.hpp"

#include <sys/syscall.h>

#include <algorithm>
#include <cstring>

namespace sigexc::posix {

using namespace detail;  // NOLINT: these are its operations

namespace {

// The sets of a select. They are the kernel's result if there is one, and as they were if not (O1):
// asking without waiting (M6) empties them.
class kept_sets {
 public:
  kept_sets(int count, fd_set* reading, fd_set* writing, fd_set* exceptional) noexcept
      : size_(static_cast<std::size_t>(std::clamp(count, 0, FD_SETSIZE) + word_bits - 1) /
              word_bits * sizeof(long)),
        given_{reading, writing, exceptional} {
    for (int i = 0; i < 3; ++i)
      if (given_[i] != nullptr) std::memcpy(&kept_[i], given_[i], size_);
  }
  kept_sets(const kept_sets&) = delete;
  kept_sets& operator=(const kept_sets&) = delete;
  ~kept_sets() {
    if (!has_result_) restore();
  }
  void restore() const noexcept {
    for (int i = 0; i < 3; ++i)
      if (given_[i] != nullptr) std::memcpy(given_[i], &kept_[i], size_);
  }
  void set_result() noexcept { has_result_ = true; }

 private:
  static constexpr int word_bits = 8 * sizeof(long);
  std::size_t size_;
  fd_set* given_[3];
  fd_set kept_[3];
  bool has_result_ = false;
};

}  // namespace

int poll(pollfd* polled, nfds_t count, int milliseconds) {
  const timespec time = from_milliseconds(milliseconds);
  return posix::ppoll(polled, count, milliseconds < 0 ? nullptr : &time, nullptr);
}

int ppoll(pollfd* polled, nfds_t count, const timespec* timeout, const sigset_t* mask) {
  const foreign_signals blocked(mask);
  return in_time(timeout, 0, [&](timespec* rest) {
    return gate(SYS_ppoll, polled, count, rest, blocked.get(), mask_size);
  });
}

int select(int count, fd_set* reading, fd_set* writing, fd_set* exceptional, timeval* timeout) {
  if (timeout == nullptr)
    return posix::pselect(count, reading, writing, exceptional, nullptr, nullptr);
  const timespec time = sum({timeout->tv_sec, 0},
                            {timeout->tv_usec / 1'000'000, timeout->tv_usec % 1'000'000 * 1000});
  detail::timeout left(&time);
  const int result = posix::pselect(count, reading, writing, exceptional, &time, nullptr);
  const timespec rest = *left.rest();
  *timeout = {rest.tv_sec, rest.tv_nsec / 1000};
  return result;
}

int pselect(int count, fd_set* reading, fd_set* writing, fd_set* exceptional,
            const timespec* timeout, const sigset_t* mask) {
  const foreign_signals blocked(mask);
  const struct {
    const sigset_t* set;
    std::size_t size;
  } sixth{blocked.get(), mask_size};
  kept_sets sets(count, reading, writing, exceptional);
  const answer result = in_time(timeout, 0, [&](timespec* rest) -> long {
    if (count > FD_SETSIZE) return -EINVAL;
    sets.restore();
    return gate(SYS_pselect6, count, reading, writing, exceptional, rest, &sixth);
  });
  sets.set_result();
  return result;
}

int epoll_wait(int epoll, epoll_event* events, int count, int milliseconds) {
  return posix::epoll_pwait(epoll, events, count, milliseconds, nullptr);
}

int epoll_pwait(int epoll, epoll_event* events, int count, int milliseconds, const sigset_t* mask) {
  const foreign_signals blocked(mask);
  const timespec time = from_milliseconds(milliseconds);
  return in_time(milliseconds < 0 ? nullptr : &time, 0, [&](const timespec* rest) {
    return gate(SYS_epoll_pwait, epoll, events, count, rest ? to_milliseconds(*rest) : -1,
                blocked.get(), mask_size);
  });
}

}  // namespace sigexc::posix
