// Brackets: what was acquired is released, exactly once, whatever is sent meanwhile.
//
//   const auto size = sigexc::bracket([&] { return open_device(path); },      // initially
//                                     [&](device& d) { return d.measure(); }, // try
//                                     [&](device& d) { d.close(); });         // finally
//
//   sigexc::bracket_scope device{[&] { return open_device(path); },           // the same, as a
//                                [](auto& d) { d.close(); }};                 // statement
//   use(*device);
//
// Interrupts are raised at safe points only, and between the end of `acquire` and the begin of what
// will release there is none. What is left is that `acquire` and `release` themselves are not cut
// in two: `release` runs in a block of everything; `acquire` runs where only an operation that has
// to wait is interrupted (`policy::on_blocking`), such as the opening of a pipe that nobody writes
// to: there nothing has been acquired yet. An `acquire` of several steps that wait has to undo the
// first where the second is interrupted, as with every exception. Blocks of a caller stay closed.
//
// An object with a destructor is a bracket as well, and the better one where there is a class for
// it. A bracket adds that its `release` may wait and may throw.
#pragma once

#include <sigexc/mask.hpp>

#include <concepts>
#include <exception>
#include <functional>
#include <memory>
#include <type_traits>
#include <utility>

namespace sigexc {

namespace detail {

// Tells the unobserved handler what a release threw while another exception was on its way.
SIGEXC_EXPORT void report_suppressed(const std::exception_ptr& exception) noexcept;

template <class A>
std::invoke_result_t<A&> acquire_deaf(A& acquire) {
  const scope only_in_waits{scope::limiting_to_waits{}};
  return std::invoke(acquire);
}

// What was acquired: an object, a reference, or nothing that has a name.
template <class T>
class acquired {
 public:
  template <class A>
  explicit acquired(A& acquire) : object_(acquire_deaf(acquire)) {}
  T& get() noexcept { return object_; }
  template <class F>
  decltype(auto) pass_to(F& function) {
    return std::invoke(function, object_);
  }

 private:
  T object_;
};
template <class T>
class acquired<T&> {
 public:
  template <class A>
  explicit acquired(A& acquire) : object_(std::addressof(acquire_deaf(acquire))) {}
  T& get() noexcept { return *object_; }
  template <class F>
  decltype(auto) pass_to(F& function) {
    return std::invoke(function, *object_);
  }

 private:
  T* object_;
};
template <>
class acquired<void> {
 public:
  template <class A>
  explicit acquired(A& acquire) {
    acquire_deaf(acquire);
  }
  template <class F>
  decltype(auto) pass_to(F& function) {
    return std::invoke(function);
  }
};

}  // namespace detail

/// Acquires something where it is made, and releases it at the end of its C++ scope. It lives on
/// the stack; it is neither copied nor moved.
template <class A, class R>
class bracket_scope {
 public:
  /// Calls `acquire()`. If that throws, nothing is released.
  ///
  /// @param release called with what `acquire` returned, by reference; without it, if that is
  ///        nothing.
  ///
  /// Safe point: never, but for operations in `acquire` that have to wait.  Blocks: in `acquire`.
  /// Threads: acts on the caller's.  Signals: unsafe.  Throws: what `acquire` throws; interrupts
  /// where such an operation is interrupted.  See: T4; `bracket` of Haskell.
  bracket_scope(A acquire, R release) : release_(std::move(release)), acquired_(acquire) {}

  bracket_scope(const bracket_scope&) = delete;
  bracket_scope& operator=(const bracket_scope&) = delete;

  /// Releases, unless `release()` has.
  ///
  /// Safe point: never.  Throws: what the release throws; but if the scope is being left by an
  /// exception, that one goes on, and the other one goes to the unobserved handler (D6).
  [[gnu::noinline]] ~bracket_scope() noexcept(false) {
    if (!is_held_) return;
    if (std::uncaught_exceptions() == exceptions_)
      release();
    else
      release_beside_exception();
  }

  /// Releases now. Again: nothing.
  ///
  /// Safe point: never.  Throws: what the release throws.  See: T4.
  void release() {
    if (!std::exchange(is_held_, false)) return;
    const detail::scope everything_blocked(policy::never, detail::governed_types<>);
    acquired_.pass_to(release_);
  }

  /// What was acquired.  Safe point: never.  Throws: nothing.
  decltype(auto) operator*() noexcept requires(!std::is_void_v<std::invoke_result_t<A&>>) {
    return acquired_.get();
  }
  auto operator->() noexcept requires(!std::is_void_v<std::invoke_result_t<A&>>) {
    return std::addressof(acquired_.get());
  }

 private:
  template <class A2, class U2, class R2>
  friend decltype(auto) bracket(A2 acquire, U2 use, R2 release);

  void release_beside_exception() noexcept {
    try {
      release();
    } catch (...) {
      detail::report_suppressed(std::current_exception());
    }
  }

  R release_;
  const int exceptions_ = std::uncaught_exceptions();
  detail::acquired<std::invoke_result_t<A&>> acquired_;
  bool is_held_ = true;
};

/// Calls `acquire()`, then `use` with its result, then, in whatever way `use` is left, `release`
/// with it: exactly once, if `acquire` has returned.
///
/// @param use, release called with what `acquire` returned, by reference; without it, if that is
///        nothing. `use` runs with the scopes of the caller.
/// @return what `use` returns.
///
/// Safe point: never, but for operations in `acquire` that have to wait, and for what `use` does.
/// Blocks: in the three.  Threads: acts on the caller's.  Signals: unsafe.
/// Throws: what one of the three throws; if both `use` and `release` throw, what `use` has thrown,
/// and the other one goes to the unobserved handler.  See: T4; `bracket` of Haskell.
template <class A, class U, class R>
decltype(auto) bracket(A acquire, U use, R release) {
  bracket_scope<A, R> held(std::move(acquire), std::move(release));
  using result = decltype(held.acquired_.pass_to(use));
  if constexpr (std::is_void_v<result>) {
    held.acquired_.pass_to(use);
    held.release();
  } else if constexpr (std::is_reference_v<result>) {
    result used = held.acquired_.pass_to(use);
    held.release();
    return static_cast<result>(used);
  } else {
    result used = held.acquired_.pass_to(use);
    held.release();
    return used;
  }
}

}  // namespace sigexc
