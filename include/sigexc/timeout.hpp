// Deadlines: code that is ended when its time is over.
//
//   if (const auto path = sigexc::timeout(200ms, [&] { return find_path(start, goal); }))
//     follow(*path);
//   else
//     stop();                                      // 200 ms were over before there was a path
//
// The body is ended by an exception, at its next safe point or in the operation in which it waits.
// The exception never leaves the scope, and no other scope takes it: scopes nest as they like, and
// those of a library know nothing of its caller's. Whatever blocks interrupts blocks deadlines too;
// blocks for `interruption` do. Callbacks do not get them.
//
// The exception is level-triggered, as `terminated` is: a `catch (...)` in the body that swallows
// it delays the end to the next safe point.
#pragma once

#include <sigexc/detail/deadline.hpp>

#include <chrono>
#include <functional>
#include <optional>
#include <type_traits>
#include <utility>

namespace sigexc {

namespace detail {

// What a body that returns R gives, or nothing: for void whether it returned, for a reference one
// that can be kept.
template <class R>
struct timed {
  using type = std::optional<std::remove_cv_t<R>>;
};
template <class R>
struct timed<R&> {
  using type = std::optional<std::reference_wrapper<R>>;
};
template <class R>
requires std::is_void_v<R>
struct timed<R> {
  using type = bool;
};

// Not inlined: what a noexcept caller does with the exceptions of others, which pass through the
// handler here, must not be taken for what happens to the one that is caught.
template <class F>
[[gnu::noinline]] typename timed<std::invoke_result_t<F>>::type run_until(
    deadline_link::time_point time, bool& is_expired, F&& body) {
  using R = std::invoke_result_t<F>;
  const deadline_link running(time);
  try {
    if constexpr (std::is_void_v<R>) {
      std::forward<F>(body)();
      return true;
    } else {
      return typename timed<R>::type(std::forward<F>(body)());
    }
  } catch (const deadline_reached& reached) {
    if (!running.is_reached_by(reached)) throw;
  }
  is_expired = true;
  return {};
}

}  // namespace detail

/// A point in time after which the body that it runs is ended.
///
/// The time counts from the construction, so that one scope can bound several bodies together.
class deadline_scope {
 public:
  /// @param time when a body is ended; `time_point::max()`: never. Those of other clocks than
  ///        `std::chrono::steady_clock` are converted now.
  template <class Clock, class Duration>
  explicit deadline_scope(std::chrono::time_point<Clock, Duration> time) : time_(to_steady(time)) {}

  /// @param duration from now. Zero or less: a body is ended at its first safe point.
  template <class Rep, class Period>
  explicit deadline_scope(std::chrono::duration<Rep, Period> duration)
      : time_(detail::after(duration)) {}

  /// Calls `body()`.
  ///
  /// @return its result, in a `std::optional` (of a `std::reference_wrapper` for a reference), or
  ///         nothing if the deadline ended it; for a body that returns nothing, whether it
  ///         returned. What it has returned is returned, however late it is.
  ///
  /// Where several deadlines have passed, the outermost ends its body (T2). Where interrupts can be
  /// raised too, they go first, but not twice.
  ///
  /// Safe point: never, but for what `body` does.  Blocks: only in `body`.  Threads: targets only.
  /// Signals: unsafe.  Throws: what `body` throws; `not_enrolled` on a thread that is no target;
  /// `std::system_error` if the thread that watches deadlines, of which there is one, cannot be
  /// made.  See: T1, T2; `timeout` of Haskell.
  template <class F>
  auto run(F&& body) {
    return detail::run_until(time_, is_expired_, std::forward<F>(body));
  }

  /// Whether the deadline has ended a body.  Safe point: never.  Throws: nothing.
  [[nodiscard]] bool expired() const noexcept { return is_expired_; }

 private:
  using steady_time = std::chrono::steady_clock::time_point;

  template <class Clock, class Duration>
  static steady_time to_steady(std::chrono::time_point<Clock, Duration> time) {
    using seconds = std::chrono::duration<double>;  // which no time is too far away for
    if constexpr (std::is_same_v<Clock, std::chrono::steady_clock>) {
      if (seconds(time.time_since_epoch()) >= seconds(steady_time::max().time_since_epoch()))
        return steady_time::max();
      return std::chrono::time_point_cast<steady_time::duration>(time);
    } else {
      return detail::after(seconds(time.time_since_epoch()) -
                           seconds(Clock::now().time_since_epoch()));
    }
  }

  const steady_time time_;
  bool is_expired_ = false;
};

/// Calls `body()`, for at most `duration`. The same as `deadline_scope(duration).run(body)`.
///
/// @return its result in a `std::optional`, or nothing if the time was over; for a body that
///         returns nothing, whether it returned.
///
/// Safe point: never, but for what `body` does.  Blocks: only in `body`.  Threads: targets only.
/// Signals: unsafe.  Throws: as `deadline_scope::run`.  See: T1, T2.
template <class Rep, class Period, class F>
auto timeout(std::chrono::duration<Rep, Period> duration, F&& body) {
  return deadline_scope(duration).run(std::forward<F>(body));
}

}  // namespace sigexc
