// Targets: whom one can interrupt, how an exception is sent there, and what became of it.
#pragma once

#include <sigexc/export.hpp>

#include <chrono>
#include <compare>
#include <cstddef>
#include <exception>
#include <functional>
#include <string>
#include <type_traits>
#include <typeinfo>
#include <utility>
#include <vector>

namespace sigexc {

namespace detail {
struct interrupt;
struct record;

// Counted references to what lives behind the interface.
SIGEXC_EXPORT void retain(const interrupt&) noexcept;
SIGEXC_EXPORT void release(const interrupt&) noexcept;
SIGEXC_EXPORT void retain(const record&) noexcept;
SIGEXC_EXPORT void release(const record&) noexcept;

// An intrusive counted pointer to an interrupt or a record; null after a move.
template <class T>
class reference {
 public:
  reference() noexcept = default;
  explicit reference(T& object) noexcept : object_(&object) { retain(object); }
  // Takes over a count that the caller holds.
  static reference adopt(T* object) noexcept {
    reference adopted;
    adopted.object_ = object;
    return adopted;
  }
  reference(const reference& other) noexcept : object_(other.object_) {
    if (object_ != nullptr) retain(*object_);
  }
  reference(reference&& other) noexcept : object_(std::exchange(other.object_, nullptr)) {}
  reference& operator=(reference other) noexcept {
    std::swap(object_, other.object_);
    return *this;
  }
  ~reference() {
    if (object_ != nullptr) release(*object_);
  }

  T& operator*() const noexcept { return *object_; }
  T* operator->() const noexcept { return object_; }
  [[nodiscard]] T* get() const noexcept { return object_; }
  explicit operator bool() const noexcept { return object_ != nullptr; }
  // Gives up the count without dropping it.
  T* detach() noexcept { return std::exchange(object_, nullptr); }
  friend bool operator==(const reference&, const reference&) noexcept = default;

 private:
  T* object_ = nullptr;
};

// Throws `made` itself if making an exception of `type` failed and gave another one.
SIGEXC_EXPORT std::exception_ptr check_made(std::exception_ptr made, const std::type_info& type);

template <class E>
std::exception_ptr make_exception(E&& exception) {
  using object = std::remove_cvref_t<E>;
  static_assert(std::is_copy_constructible_v<object>,
                "sigexc: an interrupt must be copyable, as every C++ exception");
  return check_made(std::make_exception_ptr<object>(std::forward<E>(exception)), typeid(object));
}

// `duration` from now, or the farthest point in time where that would overflow.
template <class Rep, class Period>
std::chrono::steady_clock::time_point after(std::chrono::duration<Rep, Period> duration) {
  using clock = std::chrono::steady_clock;
  const auto now = clock::now();
  if (!(duration > duration.zero())) return now;  // also if it is no number
  const std::chrono::duration<double> most = clock::time_point::max() - now;
  if (std::chrono::duration<double>(duration) >= most) return clock::time_point::max();
  return now + std::chrono::ceil<clock::duration>(duration);
}

}  // namespace detail

/// What has become of an interrupt. Each ends in exactly one of the last four (S8).
enum class delivery {
  pending,    ///< queued, held by a scope, or in the hands of a callback
  raised,     ///< thrown in the target as a C++ exception, alone or in a group
  handled,    ///< dealt with by a callback, after which the target went on
  withdrawn,  ///< taken back by `receipt::withdraw`
  discarded   ///< the target ended first
};

/// Tells what became of an interrupt, and can take it back. Copyable; may be ignored. To move it is
/// to copy it, so there is none without an interrupt.
class SIGEXC_EXPORT receipt {
 public:
  receipt(const receipt&) noexcept = default;
  receipt& operator=(const receipt&) noexcept = default;

  /// Safe point: never.  Blocks: never.  Threads: any.  Signals: unsafe.  Throws: nothing.
  [[nodiscard]] delivery state() const noexcept;

  /// Waits until the interrupt is no longer pending.
  ///
  /// Safe point: always.  Blocks: until then; interruptible.  Threads: any; on a target's own
  /// thread one that is pending there is delivered by the wait itself.  Signals: unsafe.
  /// Throws: interrupts to the caller.  See: S8, O1, O3.
  delivery wait() const;

  /// As `wait()`, for at most `duration`.
  /// @return the state then: `delivery::pending` if the time is over.
  template <class Rep, class Period>
  delivery wait_for(std::chrono::duration<Rep, Period> duration) const {
    return wait_until(detail::after(duration));
  }

  /// Takes the interrupt back.
  /// @return true: it was still pending and will never be delivered. False: it has been, or is
  ///         just being, delivered, withdrawn or discarded.
  ///
  /// Safe point: never.  Blocks: never.  Threads: any.  Signals: unsafe.  Throws: nothing.
  /// See: S9.
  bool withdraw() const noexcept;

  // For the library.
  explicit receipt(detail::reference<detail::interrupt> sent) noexcept : sent_(std::move(sent)) {}

 private:
  delivery wait_until(std::chrono::steady_clock::time_point deadline) const;

  detail::reference<detail::interrupt> sent_;
};

/// A thread (or a resumable computation) that can be interrupted. Copyable and cheap; may be kept
/// after what it refers to has ended. To move it is to copy it, so there is none of nobody.
class SIGEXC_EXPORT target {
 public:
  target(const target&) noexcept = default;
  target& operator=(const target&) noexcept = default;

  /// Sends `exception` to the target, which gets it at its next safe point.
  ///
  /// @param exception any copyable object; the type it has here is the type that is raised.
  /// @return what becomes of it.
  ///
  /// Safe point: never, also when sent to oneself.  Blocks: never waits for the target; calls the
  /// `wake` of foreign code that the target is in (see `with_wake`).
  /// Threads: any.  Signals: unsafe (see `prepared_interrupt`).  Throws: `std::bad_alloc` or what
  /// copying `exception` throws; then nothing was sent.  See: S1-S8; `throwTo` of Haskell.
  template <class E>
  receipt interrupt(E exception) const {
    if constexpr (std::is_null_pointer_v<E>) {
      return interrupt(std::exception_ptr(exception));  // which says what is wrong
    } else {
      return interrupt(detail::make_exception(std::move(exception)));
    }
  }

  /// As above, for an exception that is at hand as a pointer.
  /// Throws: `std::invalid_argument` if it is null; `std::bad_alloc`.
  receipt interrupt(std::exception_ptr exception) const;

  /// Sends `terminated`, which is raised again as long as it is swallowed (see `terminated`), and
  /// requests stop of the thread's `std::stop_token`.
  ///
  /// Safe point: never.  Blocks: never waits for the target.  Threads: any.  Signals: unsafe.
  /// Throws: `std::bad_alloc`; then nothing was sent.  See: D5, S7.
  receipt terminate() const;

  /// Whether the target has ended: nothing can be sent to it any more.
  [[nodiscard]] bool finished() const noexcept;

  /// The name that it was given; may be empty.
  [[nodiscard]] std::string name() const;

  /// How many interrupts are pending for it, blocked or not. A snapshot.
  [[nodiscard]] std::size_t pending() const noexcept;

  friend bool operator==(const target&, const target&) noexcept = default;

  // For the library.
  explicit target(detail::reference<detail::record> record) noexcept : record_(std::move(record)) {}
  [[nodiscard]] detail::record& record() const noexcept { return *record_; }

 private:
  detail::reference<detail::record> record_;
};

/// An interrupt made ahead of time, which can then be sent from anywhere, a signal handler too.
/// Movable; one that was moved from does nothing.
class SIGEXC_EXPORT prepared_interrupt {
 public:
  /// @param to who will get it. @param exception what will be raised, each time.
  /// Throws: `std::bad_alloc`, or what copying `exception` throws.
  template <class E>
  prepared_interrupt(target to, E exception)
      : prepared_interrupt(std::move(to), detail::make_exception(std::move(exception))) {}
  prepared_interrupt(target to, std::exception_ptr exception);
  prepared_interrupt(prepared_interrupt&&) noexcept = default;
  prepared_interrupt& operator=(prepared_interrupt&&) noexcept = default;
  prepared_interrupt(const prepared_interrupt&) = delete;
  prepared_interrupt& operator=(const prepared_interrupt&) = delete;
  /// What was fired and is still pending will be delivered all the same.
  ~prepared_interrupt() = default;

  /// Sends it. Fired again before it has been delivered: still one delivery. Fired afterwards:
  /// another one, also while a callback is still handling it.
  ///
  /// What the caller has written before is seen by whoever gets it, also where two calls become
  /// one delivery.
  ///
  /// Safe point: never.  Blocks: never.  Threads: any.  Signals: async-signal-safe; keeps errno.
  /// Throws: nothing.  See: S10.
  void fire() noexcept;

  /// Tells whether it was fired and neither a callback nor a raise has begun since.
  ///
  /// Safe point: never.  Blocks: never.  Threads: any.  Signals: async-signal-safe.
  /// Throws: nothing.
  [[nodiscard]] bool is_pending() const noexcept;

 private:
  detail::reference<detail::record> record_;
  detail::reference<detail::interrupt> interrupt_;
};

/// Every target alive now: threads that have been made and have not ended.
///
/// Safe point: never.  Blocks: never.  Threads: any.  Signals: unsafe.  Throws: `std::bad_alloc`.
[[nodiscard]] SIGEXC_EXPORT std::vector<target> targets();

}  // namespace sigexc

template <>
struct std::hash<sigexc::target> {
  std::size_t operator()(const sigexc::target& t) const noexcept {
    return std::hash<const void*>{}(&t.record());
  }
};
