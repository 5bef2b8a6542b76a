// Waiting for time, and for other threads of one's own: sleeps, a mutex, a condition variable, a
// semaphore. What an interrupt can end here loses nothing: no lock, no notification, no unit.
//
//   std::unique_lock lock(mutex);
//   changed.wait(lock, [&] { return !jobs.empty(); });    // raises with `lock` locked
//
// A thread that waits sleeps on a futex of its own, and a table that belongs to the library knows
// who waits for what. So whoever interrupts a thread wakes that thread and no other, without a
// signal; and the objects are small, since they keep no queues: they know whether there is anyone
// to wake, and that is all. Nothing of an object is touched once it has let somebody go who may
// destroy it.
//
// Waiting for atomics, futures and foreign code is in <sigexc/foreign.hpp>, which this includes.
#pragma once

#include <sigexc/detail/current.hpp>
#include <sigexc/export.hpp>
#include <sigexc/foreign.hpp>
#include <sigexc/safe_point.hpp>
#include <sigexc/target.hpp>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

namespace sigexc {

namespace detail {

using steady_deadline = std::optional<std::chrono::steady_clock::time_point>;

// What is left until `time`: exactly, or a year if it is more than that. Nothing overflows, as times
// far away may be out of range for the duration that they have in common with the clock's.
template <class Clock, class Duration>
std::chrono::nanoseconds left_until(const std::chrono::time_point<Clock, Duration>& time) {
  using seconds = std::chrono::duration<double>;
  constexpr std::chrono::hours year{24 * 365};
  const auto now = Clock::now();
  const seconds left = seconds(time.time_since_epoch()) - seconds(now.time_since_epoch());
  if (left > year) return year;
  if (!(left > -year)) return -year;  // also if it is no number
  return std::chrono::ceil<std::chrono::nanoseconds>(time - now);
}

// `time` on the steady clock, as things stand now.
template <class Clock, class Duration>
std::chrono::steady_clock::time_point steady(const std::chrono::time_point<Clock, Duration>& time) {
  return after(left_until(time));
}

SIGEXC_EXPORT void sleep_until(std::chrono::steady_clock::time_point time);

// What a condition wait does to the caller's lock, whatever its type.
struct lock_reference {
  void* lock;
  void (*acquire)(void*);
  void (*release)(void*);

  template <class Lock>
  explicit lock_reference(Lock& of) noexcept
      : lock(const_cast<std::remove_const_t<Lock>*>(std::addressof(of))),
        acquire([](void* it) { static_cast<Lock*>(it)->lock(); }),
        release([](void* it) { static_cast<Lock*>(it)->unlock(); }) {}
};

// Waits, interruptibly, to be notified. False: the deadline passed first.
SIGEXC_EXPORT bool await_notification(std::atomic<std::uint32_t>& has_waiters, lock_reference lock,
                                      steady_deadline until);
SIGEXC_EXPORT void notify(std::atomic<std::uint32_t>& has_waiters, bool is_all) noexcept;

}  // namespace detail

/// Sleeps for `duration`; not at all if it is zero or negative.
///
/// Safe point: always.  Blocks: until then; interruptible. A callback that handles an interrupt is
/// followed by the rest of the sleep.  Threads: acts on the caller's.  Signals: unsafe.
/// Throws: interrupts.  See: O1-O4, D3.
template <class Rep, class Period>
void sleep_for(const std::chrono::duration<Rep, Period>& duration) {
  detail::sleep_until(detail::after(duration));
}

/// Sleeps until `time`; not at all if it has passed. That a clock other than `steady_clock` is set
/// meanwhile is seen when the sleep ends, which then may begin again, but is not cut short.
///
/// Safe point: always.  Blocks: until then; interruptible.  Threads: acts on the caller's.
/// Signals: unsafe.  Throws: interrupts.  See: O1-O4, D3.
template <class Clock, class Duration>
void sleep_until(const std::chrono::time_point<Clock, Duration>& time) {
  do detail::sleep_until(detail::steady(time));
  while (detail::left_until(time).count() > 0);
}

/// A mutex whose lock can be waited for interruptibly. 4 bytes; not recursive; without contention
/// one atomic instruction to lock and one to unlock. It may be a `constinit` static, and may be
/// destroyed by its last user at once, as std::mutex.
///
/// `lock()` is what std::unique_lock, std::scoped_lock and std::lock call, and is neither a safe
/// point nor interrupted: it is for short sections. To be interruptible while waiting, say so:
///
///   mutex.lock_interruptibly();
///   std::unique_lock lock(mutex, std::adopt_lock);
class SIGEXC_EXPORT mutex {
 public:
  constexpr mutex() noexcept = default;
  mutex(const mutex&) = delete;
  mutex& operator=(const mutex&) = delete;

  /// Locks.
  ///
  /// Safe point: never.  Blocks: until it is free; not interruptible.  Threads: any but the one
  /// that has it.  Signals: unsafe.  Throws: nothing.  See: `std::mutex::lock`.
  void lock() noexcept {
    if (!acquire_free()) lock_slowly();
  }

  /// Locks, or raises an interrupt and leaves the mutex alone.
  ///
  /// Safe point: always, before it locks.  Blocks: until it is free; interruptible.
  /// Threads: any but the one that has it.  Signals: unsafe.  Throws: interrupts.
  /// See: O1-O3; `Lock.lockInterruptibly` of Java.
  void lock_interruptibly() {
    if (detail::current.has_news() || !acquire_free()) lock_interruptibly_slowly();
  }

  /// @return whether it was free, and now is the caller's.
  ///
  /// Safe point: never.  Blocks: never.  Threads: any.  Signals: unsafe.  Throws: nothing.
  [[nodiscard]] bool try_lock() noexcept {
    std::uint32_t now = state_.load(std::memory_order_relaxed);
    while ((now & locked) == 0)
      if (state_.compare_exchange_weak(now, now | locked, std::memory_order_acquire,
                                       std::memory_order_relaxed))
        return true;
    return false;
  }

  /// Unlocks.
  ///
  /// Safe point: never.  Blocks: never.  Threads: the one that has it.  Signals: unsafe.
  /// Throws: nothing.
  void unlock() noexcept {
    std::uint32_t expected = locked;
    if (!state_.compare_exchange_strong(expected, 0, std::memory_order_release,
                                        std::memory_order_relaxed))
      unlock_slowly();
  }

 private:
  static constexpr std::uint32_t locked = 1;
  static constexpr std::uint32_t awaited = 2;  // there may be waiters

  bool acquire_free() noexcept {
    std::uint32_t expected = 0;
    return state_.compare_exchange_strong(expected, locked, std::memory_order_acquire,
                                          std::memory_order_relaxed);
  }
  // Takes it, or sets `awaited`.
  bool acquire_or_announce() noexcept;
  void lock_slowly() noexcept;
  void lock_interruptibly_slowly();
  void unlock_slowly() noexcept;

  std::atomic<std::uint32_t> state_{0};
};
static_assert(sizeof(mutex) == 4);

/// A condition variable for any kind of lock, whose waits are interruptible.
///
/// A wait owns its lock again before it raises, so what runs while it unwinds, and the catch clause
/// inside the locked section, find things as after a normal return. A notification ends exactly one
/// wait: it is decided in one place whether a waiter was notified or interrupted, and one that was
/// notified returns and gets its interrupt at the next safe point. So a wait without a predicate
/// returns when it was notified and only then, except for clocks that are set (see `wait_until`)
/// and for a waiter who is notified at the instant at which another one, notified too, is raising.
///
/// Callbacks of interrupts that arrive during a wait run while the lock is owned, as if the wait
/// had returned and a safe point followed; then the wait goes on, with the rest of its time, and
/// what was notified meanwhile is not missed.
///
/// 4 bytes; may be a `constinit` static. It may be destroyed as soon as all waiters have been
/// notified, even if they have not returned yet.
class condition_variable {
 public:
  constexpr condition_variable() noexcept = default;
  condition_variable(const condition_variable&) = delete;
  condition_variable& operator=(const condition_variable&) = delete;

  /// Wakes one waiter, the one who has waited longest; none if there is none.
  ///
  /// Safe point: never.  Blocks: never.  Threads: any, with or without the lock.
  /// Signals: unsafe.  Throws: nothing.
  void notify_one() noexcept {
    if (has_waiters_.load(std::memory_order_relaxed) != 0) detail::notify(has_waiters_, false);
  }

  /// Wakes all who are waiting.  Otherwise as `notify_one`.
  void notify_all() noexcept {
    if (has_waiters_.load(std::memory_order_relaxed) != 0) detail::notify(has_waiters_, true);
  }

  /// Unlocks `lock`, waits to be notified, and locks it again.
  ///
  /// @param lock anything with `lock()` and `unlock()`, locked by the caller. If locking it again
  ///        throws, the program ends, as with the standard's. Interrupts are blocked meanwhile.
  ///
  /// Safe point: always, also before it waits.  Blocks: until notified; interruptible.
  /// Threads: any.  Signals: unsafe.  Throws: interrupts, with `lock` locked; what `lock.unlock()`
  /// throws.  See: O1-O5, M6; `std::condition_variable_any::wait`.
  template <class Lock>
  void wait(Lock& lock) {
    detail::await_notification(has_waiters_, detail::lock_reference(lock), std::nullopt);
  }

  /// Waits until `is_true()`, which is called with `lock` locked.
  ///
  /// Safe point: always, also if it is true already.  Throws: what `is_true()` throws, too.
  /// Otherwise as above.
  template <class Lock, class Predicate>
  void wait(Lock& lock, Predicate is_true) {
    safe_point();
    while (!is_true()) wait(lock);
  }

  /// As `wait(lock)`, until `time` at the latest.
  ///
  /// A clock other than `steady_clock` may be set meanwhile. That is seen when the time that was
  /// left at first is over; if `time` is still to come then, this returns as if notified.
  ///
  /// @return `std::cv_status::timeout` if it was not notified.
  template <class Lock, class Clock, class Duration>
  std::cv_status wait_until(Lock& lock, const std::chrono::time_point<Clock, Duration>& time) {
    return detail::await_notification(has_waiters_, detail::lock_reference(lock),
                                      detail::steady(time)) ||
                   detail::left_until(time).count() > 0
               ? std::cv_status::no_timeout
               : std::cv_status::timeout;
  }

  /// As `wait(lock, is_true)`, until `time` at the latest. @return what `is_true()` returned last.
  template <class Lock, class Clock, class Duration, class Predicate>
  bool wait_until(Lock& lock, const std::chrono::time_point<Clock, Duration>& time,
                  Predicate is_true) {
    safe_point();
    while (!is_true())
      if (wait_until(lock, time) == std::cv_status::timeout) return is_true();
    return true;
  }

  /// As `wait(lock)`, for at most `duration`.
  template <class Lock, class Rep, class Period>
  std::cv_status wait_for(Lock& lock, const std::chrono::duration<Rep, Period>& duration) {
    return wait_until(lock, detail::after(duration));
  }

  /// As `wait(lock, is_true)`, for at most `duration`. @return what `is_true()` returned last.
  template <class Lock, class Rep, class Period, class Predicate>
  bool wait_for(Lock& lock, const std::chrono::duration<Rep, Period>& duration, Predicate is_true) {
    return wait_until(lock, detail::after(duration), std::move(is_true));
  }

 private:
  // Set and cleared under the lock of the list that the waiters are in.
  std::atomic<std::uint32_t> has_waiters_{0};
};
static_assert(sizeof(condition_variable) == 4);

/// A semaphore whose acquisition is interruptible: an interrupted one has taken no unit, and keeps
/// none from others. 8 bytes; may be a `constinit` static. Who has acquired a unit may destroy it
/// while the `release` that brought the unit has not returned yet.
class SIGEXC_EXPORT counting_semaphore {
 public:
  /// The most units that there may be.
  [[nodiscard]] static constexpr std::ptrdiff_t max() noexcept {
    return std::numeric_limits<std::ptrdiff_t>::max() / unit;
  }

  /// @param units how many there are at first: from 0 to `max()`.
  constexpr explicit counting_semaphore(std::ptrdiff_t units) noexcept : state_(units * unit) {}
  counting_semaphore(const counting_semaphore&) = delete;
  counting_semaphore& operator=(const counting_semaphore&) = delete;

  /// Adds `units` (0 or more; never beyond `max()`), and wakes as many waiters.
  ///
  /// Safe point: never.  Blocks: never.  Threads: any.  Signals: unsafe.  Throws: nothing.
  void release(std::ptrdiff_t units = 1) noexcept {
    std::ptrdiff_t now = state_.load(std::memory_order_relaxed);
    while ((now & awaited) == 0)
      if (state_.compare_exchange_weak(now, now + units * unit, std::memory_order_release,
                                       std::memory_order_relaxed))
        return;
    release_slowly(units);
  }

  /// Takes a unit.
  ///
  /// Safe point: always, before it takes one.  Blocks: until there is one; interruptible.
  /// Threads: any.  Signals: unsafe.  Throws: interrupts; then no unit was taken.  See: O1-O3.
  void acquire() {
    if (detail::current.has_news() || !try_acquire()) acquire_slowly(std::nullopt);
  }

  /// @return whether there was a unit, and it was taken.
  ///
  /// Safe point: never.  Blocks: never.  Threads: any.  Signals: unsafe.  Throws: nothing.
  [[nodiscard]] bool try_acquire() noexcept {
    std::ptrdiff_t now = state_.load(std::memory_order_relaxed);
    while (now >= unit)
      if (state_.compare_exchange_weak(now, now - unit, std::memory_order_acquire,
                                       std::memory_order_relaxed))
        return true;
    return false;
  }

  /// As `acquire()`, for at most `duration`. @return whether a unit was taken.
  template <class Rep, class Period>
  [[nodiscard]] bool try_acquire_for(const std::chrono::duration<Rep, Period>& duration) {
    return try_acquire_until(detail::after(duration));
  }

  /// As `acquire()`, until `time` at the latest. @return whether a unit was taken.
  template <class Clock, class Duration>
  [[nodiscard]] bool try_acquire_until(const std::chrono::time_point<Clock, Duration>& time) {
    do
      if (acquire_slowly(detail::steady(time))) return true;
    while (detail::left_until(time).count() > 0);
    return false;
  }

 private:
  static constexpr std::ptrdiff_t awaited = 1;  // a bit: there may be waiters
  static constexpr std::ptrdiff_t unit = 2;

  bool acquire_or_announce() noexcept;
  bool acquire_slowly(detail::steady_deadline until);
  void release_slowly(std::ptrdiff_t units) noexcept;

  // The units and the mark in one word, so that releasing touches it once.
  std::atomic<std::ptrdiff_t> state_;
};

}  // namespace sigexc
