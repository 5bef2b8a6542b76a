// Waiting interruptibly for what is not ours: any blocking code of a foreign library, the
// standard's atomics, its futures.
//
// Foreign code that blocks can be interrupted only if it has a way of its own to be woken: a
// cancel function, a pipe that it watches. `with_wake` calls that way from the sender's thread.
//
//   sigexc::with_wake([&] { curl_multi_wakeup(transfers); },
//                     [&] { curl_multi_poll(transfers, nullptr, 0, an_hour, nullptr); });
//
// std::atomic and std::future have no such way. But both wait on futexes, and who wakes them does
// no more than that; so a thread can wait for them in a system call of ours, which an interrupt
// ends. That relies on how the libstdc++ of GCC 12 waits: see lib/wait/foreign.cpp. Where waiting
// for atomics works otherwise (from GCC 16 on) `wait` for them is not there.
#pragma once

#include <sigexc/detail/callable.hpp>
#include <sigexc/detail/current.hpp>
#include <sigexc/detail/waker.hpp>
#include <sigexc/export.hpp>
#include <sigexc/safe_point.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <future>
#include <memory>
#include <type_traits>
#include <utility>

namespace sigexc {

namespace detail {

// Waits, interruptibly, until `is_done(what, expected)`, which otherwise says at which value of
// `word` to sleep. Others wake the futex at `word`; `operation` is that of who waits there.
SIGEXC_EXPORT void await_word(const void* word, int operation,
                              bool (*is_done)(const void*, std::uint32_t&), const void* what);

// Waits, interruptibly, for what a std::future refers to: its state.
SIGEXC_EXPORT void await_state(void* state);

// libstdc++'s futures are a shared_ptr to a state whose type is the same for all.
template <class Future>
void* state_of(const Future& future) noexcept {
  static_assert(sizeof(Future) == sizeof(std::shared_ptr<void>));
  void* state = nullptr;
  std::memcpy(&state, std::addressof(future), sizeof state);
  return state;
}

template <class Future>
void await_future(Future& future) {
  safe_point();
  if (future.wait_for(std::chrono::seconds(0)) != std::future_status::deferred)
    await_state(state_of(future));
  // For a deferred function, which is called here; and to join the thread of an asynchronous one,
  // which has delivered its result and is ending.
  future.wait();
}

}  // namespace detail

/// Runs `body`, a piece of foreign code that may block, so that an interrupt can end it.
///
/// An interrupt that the scopes around this call let through calls `wake`, which must make `body`
/// return, with a result or with an exception; what `body` then returns or throws is passed on, and
/// the interrupt waits for the next safe point. If `body` returns nothing, that is the end of this
/// call. A `body` that may be called in vain tells by its result whether it did its work: an
/// interrupt may have been withdrawn, or handled by a callback, after `wake` was called.
///
/// @param wake called without arguments, at most once for each interrupt, never twice at a time,
///        and only between the begin of this call and its end. It runs on the thread that sends
///        the interrupt, with every interrupt blocked there; or on one of the library's, for
///        `prepared_interrupt::fire`, and for what the target has sent itself or has come while
///        `body` was in a block of everything (the end of the block calls it). An interrupt may
///        come just before `body` begins to wait, so what `wake` does must last: write to a pipe,
///        or set a flag that `body` reads under a lock; a call that only ends what is running now
///        (as PQcancel) needs `body` to look for itself that it is in time. It must neither wait
///        for this thread nor interrupt it, and must not throw, or the program ends. It is called
///        only for what the scopes around this call let through and what could be raised here (R3).
/// @param body called without arguments, once; not if an interrupt is raised before it. In a block
///        of everything, or while an exception is on its way, it is simply called.
/// @return what `body` returns.
///
/// Where calls are nested, the innermost `wake` is called; the outer one follows if the inner call
/// has ended and what it was called for is still pending.
///
/// Safe point: always, before `body`; and after it if it returned nothing.  Blocks: as `body`; at
/// its end as long as `wake` is running.  Threads: acts on the caller's.  Signals: unsafe.
/// Throws: interrupts; what `body` throws; `std::invalid_argument` if `wake` is a null pointer or
/// an empty `std::function`; `std::system_error` if the library's thread cannot be made.
/// See: O1-O3, M4, S10; `unblock function` of Ruby's `rb_nogvl`.
template <class W, class F>
decltype(auto) with_wake(W wake, F&& body) {
  detail::check_callable(wake, "with_wake: the first function");
  detail::foreign_code running(
      [](void* it) noexcept { static_cast<void>((*static_cast<W*>(it))()); }, std::addressof(wake));
  if constexpr (std::is_void_v<std::invoke_result_t<F>>) {
    std::forward<F>(body)();
    running.end();
  } else {
    return std::forward<F>(body)();
  }
}

/// Waits until `object` is not `old`, as `object.wait(old)`: whoever changes it calls
/// `notify_one()` or `notify_all()`.
///
/// Safe point: always.  Blocks: until then; interruptible, in a system call, so an interrupt takes
/// a signal.  Threads: any.  Signals: unsafe.  Throws: interrupts.  See: O1-O4;
/// `std::atomic::wait`.
#if _GLIBCXX_RELEASE < 16
template <class T>
requires std::is_trivially_copyable_v<T>
void wait(const std::atomic<T>& object, typename std::atomic<T>::value_type old) {
  struct awaited {
    const std::atomic<T>& object;
    const T& old;
    // The value itself if it is a futex, else that of the counter that notifying increments.
    const std::__detail::__platform_wait_t* word;

    static bool is_done(const void* it, std::uint32_t& expected) noexcept {
      const auto& [object, old, word] = *static_cast<const awaited*>(it);
      if constexpr (std::__platform_wait_uses_type<T>) {
        std::memcpy(&expected, std::addressof(old), sizeof expected);
      } else {
        expected = static_cast<std::uint32_t>(__atomic_load_n(word, __ATOMIC_ACQUIRE));
      }
      const T now = object.load(std::memory_order_seq_cst);
      return !std::__detail::__atomic_compare(old, now);
    }
  };
  // Counts the caller among those whom `notify_one` looks for.
  const std::__detail::__enters_wait entered(reinterpret_cast<const T*>(std::addressof(object)));
  const awaited what{object, old, entered._M_addr};
  constexpr auto operation = std::__detail::__futex_wait_flags::__wait_private;
  detail::await_word(what.word, static_cast<int>(operation), &awaited::is_done, &what);
}
#endif

/// Waits until `future` has its result or its exception, which `future.get()` then returns or
/// throws at once. Interrupted, it leaves the future alone and can be called again.
///
/// The function of a deferred future is called here. What its safe points raise becomes the
/// future's exception, as everything that it throws. Where std::async has made a thread, that
/// thread's end is awaited after its result, and not interrupted.
///
/// Safe point: always.  Blocks: until then; interruptible, in a system call, so an interrupt takes
/// a signal.  Threads: any.  Signals: unsafe.  Throws: interrupts; `std::future_error` if `future`
/// has no state.  See: O1-O4; `std::future::wait`.
template <class T>
void wait(std::future<T>& future) {
  detail::await_future(future);
}

/// The same for a future that others may wait for as well.
template <class T>
void wait(const std::shared_future<T>& future) {
  detail::await_future(future);
}

}  // namespace sigexc
