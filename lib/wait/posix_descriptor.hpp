// Operations that wait for a descriptor.
//
// A socket may have a timeout of its own (SO_RCVTIMEO, SO_SNDTIMEO). The kernel does not restart
// a wait with such a timeout after a signal, and the next attempt would wait for the whole of it
// again. So each operation remembers when it began; after the first EINTR it asks for the
// timeout, and from then on waits with poll for what is left of it before it makes the call. (If
// the call waits although poll says that it would not, or someone else takes what poll has
// announced, it waits again on its own, for less than one more timeout after the last signal; a
// changed timeout on the socket would be exact, but everybody who shares the socket would see it.)
#pragma once

#include "wait/posix_call.hpp"

#include <poll.h>
#include <sys/socket.h>

#include <cerrno>

namespace sigexc::detail {

// Nobody waits for this descriptor: it has O_NONBLOCK, or there is none of that number.
[[nodiscard]] bool is_nonblocking(int fd) noexcept;

// Asks without waiting. @return `would_wait`, or 1: a call would wait for nothing; or that the
// question was interrupted.
[[nodiscard]] long probe(int fd, short events) noexcept;

// What a call that was told not to wait has returned, to who may not have meant that.
[[nodiscard]] inline long unless_nonblocking(int fd, long result) noexcept {
  return result == -EAGAIN && !is_nonblocking(fd) ? would_wait : result;
}

class socket_timeout {
 public:
  // The coarse clock is read in a third of the time of the fine one.
  socket_timeout(int fd, short events) noexcept : fd_(fd), events_(events) {
    clock_gettime(CLOCK_MONOTONIC_COARSE, &start_);
  }

  // `call()`, within the timeout. @return what it returned, or `passed`.
  template <class Call>
  [[gnu::always_inline]] long attempt(Call call, long passed = -EAGAIN) noexcept {
    if (is_known_) [[unlikely]] {
      const long ready = wait();
      if (ready < 0) return ready;
      if (ready == 0 || has_passed()) return passed;
    }
    const long result = call();
    if (result == -EINTR) [[unlikely]]
      ask();
    return result;
  }

 private:
  void ask() noexcept;
  [[nodiscard]] long wait() const noexcept;
  [[nodiscard]] bool has_passed() const noexcept;

  int fd_;
  short events_;
  bool is_known_ = false;
  timespec start_;
  timespec end_;  // if `is_known_`
};

// `call` waits for `fd` to be ready for `events`. `call_now` is asked in its place where it is
// ready and interrupts are held, and also must not wait half-way.
template <class Call, class CallNow>
[[gnu::always_inline]] inline answer on_descriptor(int fd, short events, Call call,
                                                   CallNow call_now) {
  socket_timeout limit(fd, events);
  return operate([&] { return limit.attempt(call); },
                 [&] {
                   const long ready = probe(fd, events);
                   return ready == 1 ? call_now() : ready;
                 });
}

template <class... A>
[[gnu::always_inline]] inline answer on_descriptor(short events, long number, int fd,
                                                   A... arguments) {
  const auto call = [=] { return gate(number, fd, arguments...); };
  return on_descriptor(fd, events, call, call);
}

// The same for calls that take the flags of recv and send.
template <class Call>
[[gnu::always_inline]] inline answer on_socket(int fd, short events, int flags, Call call) {
  socket_timeout limit(fd, events);
  return operate([&] { return limit.attempt([&] { return call(flags); }); },
                 [&] {
                   const long result = call(flags | MSG_DONTWAIT);
                   return (flags & MSG_DONTWAIT) != 0 ? result : unless_nonblocking(fd, result);
                 });
}

}  // namespace sigexc::detail
