// Sleeping. A relative sleep becomes one until a point in time, on the same clock.
#include <sigexc/posix.hpp>

#include "wait/posix_call.hpp"

#include <sys/syscall.h>

namespace sigexc::posix {

using namespace detail;  // NOLINT: these are its operations

namespace {

// What is not valid, or nowhere, is for the kernel to refuse.
bool can_be_read(const timespec* time) noexcept { return time != nullptr && is_valid(*time); }

// @return 0, or -errno.
long sleep_until(clockid_t clock, const timespec* end) {
  const auto call = [&] { return gate(SYS_clock_nanosleep, clock, TIMER_ABSTIME, end, nullptr); };
  return operate(call, [&] {
    timespec now{};
    if (!can_be_read(end) || ::clock_gettime(clock, &now) != 0) return call();
    return is_zero(difference(*end, now)) ? call() : would_wait;
  });
}

long sleep_for(clockid_t clock, const timespec* duration) {
  // Setting the time of day does not disturb a relative sleep.
  if (clock == CLOCK_REALTIME) clock = CLOCK_MONOTONIC;
  if (!can_be_read(duration)) return sleep_until(clock, duration);
  const timespec end = sum(now_on(clock), *duration);
  return sleep_until(clock, &end);
}

}  // namespace

int nanosleep(const timespec* duration, timespec* /*remaining*/) {
  return answer(sleep_for(CLOCK_MONOTONIC, duration));
}

int clock_nanosleep(clockid_t clock, int flags, const timespec* time, timespec* /*remaining*/) {
  const bool is_absolute = (flags & TIMER_ABSTIME) != 0;
  const long result = is_absolute ? sleep_until(clock, time) : sleep_for(clock, time);
  // The kernel says EOPNOTSUPP also for the caller's own processor time, for which POSIX has
  // EINVAL.
  return clock == CLOCK_THREAD_CPUTIME_ID ? EINVAL : static_cast<int>(-result);
}

}  // namespace sigexc::posix
