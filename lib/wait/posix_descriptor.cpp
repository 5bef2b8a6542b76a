// Asking about descriptors, and the rest of a socket's own timeout.
#include "wait/posix_descriptor.hpp"

#include "mailbox/kept_errno.hpp"

#include <fcntl.h>
#include <sys/syscall.h>
#include <sys/time.h>

namespace sigexc::detail {

namespace {

long poll_for(int fd, short events, timespec rest) noexcept {
  pollfd asked{fd, events, 0};
  return gate(SYS_ppoll, &asked, 1, &rest, nullptr, 0);
}

}  // namespace

bool is_nonblocking(int fd) noexcept {
  const kept_errno kept;
  const int flags = ::fcntl(fd, F_GETFL);
  return flags < 0 || (flags & O_NONBLOCK) != 0;
}

long probe(int fd, short events) noexcept {
  const long ready = poll_for(fd, events, {});
  if (ready != 0) return ready;
  return is_nonblocking(fd) ? 1 : would_wait;
}

void socket_timeout::ask() noexcept {
  if (is_known_) return;
  const int option = events_ == POLLIN ? SO_RCVTIMEO : SO_SNDTIMEO;
  timeval set{};
  socklen_t size = sizeof set;
  const kept_errno kept;
  is_known_ = ::getsockopt(fd_, SOL_SOCKET, option, &set, &size) == 0 &&
              (set.tv_sec != 0 || set.tv_usec != 0);
  // The coarse clock shows the time of the last tick, and a tick may be late.
  timespec tick{};
  clock_getres(CLOCK_MONOTONIC_COARSE, &tick);
  end_ = sum(sum(start_, sum(tick, tick)), {set.tv_sec, set.tv_usec * 1000});
}

long socket_timeout::wait() const noexcept {
  return poll_for(fd_, events_, difference(end_, now_on(CLOCK_MONOTONIC)));
}

bool socket_timeout::has_passed() const noexcept {
  return is_zero(difference(end_, now_on(CLOCK_MONOTONIC)));
}

}  // namespace sigexc::detail
