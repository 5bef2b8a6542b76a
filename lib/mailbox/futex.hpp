// Linux futexes: sleeping until a 32-bit word changes, and waking who sleeps on it.
//
// Both are single system calls, so that `futex_wake` may be used in a signal handler; both keep
// errno. std::atomic::wait is not used, since whether its notify is async-signal-safe is nowhere
// said.
#pragma once

#include "mailbox/kept_errno.hpp"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <climits>
#include <cstdint>
#include <ctime>
#include <optional>

namespace sigexc::detail {

using deadline = std::optional<std::chrono::steady_clock::time_point>;

// Sleeps while `word` is `expected`, until woken, until `until`, or for no reason at all: callers
// look again.
inline void futex_wait(const std::atomic<std::uint32_t>& word, std::uint32_t expected,
                       deadline until = std::nullopt) noexcept {
  const kept_errno kept;
  timespec time{};
  if (until) {
    const auto since_start =
        std::chrono::duration_cast<std::chrono::nanoseconds>(until->time_since_epoch());
    const auto seconds = std::chrono::floor<std::chrono::seconds>(since_start);
    time.tv_sec = seconds.count();
    time.tv_nsec = (since_start - seconds).count();
  }
  // steady_clock is CLOCK_MONOTONIC, the clock of FUTEX_WAIT_BITSET, whose times are absolute.
  ::syscall(SYS_futex, &word, FUTEX_WAIT_BITSET_PRIVATE, expected, until ? &time : nullptr, nullptr,
            FUTEX_BITSET_MATCH_ANY);
}

// Wakes who sleeps on `word`. It only takes the address: the word need not exist any more.
inline void futex_wake(const std::atomic<std::uint32_t>* word, int count = INT_MAX) noexcept {
  const kept_errno kept;
  ::syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, count, nullptr, nullptr, 0);
}

}  // namespace sigexc::detail
