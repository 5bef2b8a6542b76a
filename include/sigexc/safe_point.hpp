// Safe points: the places at which an interrupt may be raised in the thread that runs them.
#pragma once

#include <sigexc/detail/current.hpp>

namespace sigexc {

/// Delivers what is pending for this thread and not blocked; returns at once if there is nothing.
///
/// Callbacks run first; what no callback handles is raised as a C++ exception: a single interrupt
/// as the very exception that was sent, several as one `exception_group`. Put a safe point into
/// every loop that may run for long, and into callbacks that foreign libraries call. An idle one
/// is three inlined instructions. Where the exception would not be caught but end the process (in a
/// `noexcept` function, in a destructor), it raises nothing; on threads that are no targets it does
/// nothing.
///
/// Safe point: always.  Blocks: never, but for what callbacks do.  Threads: acts on the caller's.
/// Signals: unsafe.  Throws: the interrupts, or what a callback threw.
/// See: D1-D4, R1, R2; `Thread.interrupted` of Java, `allowInterrupt` of Concurrent Haskell.
inline void safe_point() {
#if defined(__x86_64__)
  // Compilers load the flag into a register first; comparing it in memory saves an instruction.
  bool is_set;
  asm volatile("cmpl $0, %1" : "=@ccne"(is_set) : "m"(detail::current.pending_flag));
#else
  const bool is_set = detail::current.pending_flag.load(std::memory_order_relaxed) != 0;
#endif
  if (is_set) [[unlikely]]
    detail::deliver();
}

/// Tells whether something is pending for this thread, blocked or not.
///
/// @return true also for what a scope holds; false on a thread that is no target.
///
/// Safe point: never.  Blocks: never.  Threads: acts on the caller's.  Signals: unsafe.
/// Throws: nothing.  See: `sigpending` of POSIX.
[[nodiscard]] SIGEXC_EXPORT bool interrupt_pending() noexcept;

}  // namespace sigexc
