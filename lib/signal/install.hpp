// SIGEXC's number and the options of the process, fixed and installed with the first target.
#pragma once

#include <sigexc/configure.hpp>

#include <atomic>

namespace sigexc::detail {

// Nobody handles `number`, or we do.  Signals: async-signal-safe.
[[nodiscard]] bool is_unhandled(int number) noexcept;
// Makes our handler that of `number`. False: another handler owns the signal.
// Signals: async-signal-safe, as sigaction is.
bool try_install_handler(int number) noexcept;

// Installs SIGEXC if this is the first call. From then on the options are fixed.
// Throws std::system_error, each time, where that is not possible (X2).
void install_once();

// Whether there has ever been a target.  Signals: async-signal-safe.
[[nodiscard]] bool is_installed() noexcept;

// Around a fork.
void install_before_fork() noexcept;
void install_after_fork(bool is_child) noexcept;

// The options in force. Cheap; meaningful once the first target exists.
bool delivers_groups() noexcept;
extern constinit std::atomic<bool> is_signalling_always;
inline bool signals_always() noexcept {
  return is_signalling_always.load(std::memory_order_relaxed);
}

// Whether `barrier_everywhere` works on this kernel.
bool has_barrier_everywhere() noexcept;
// Makes every running thread of the process pass a full memory barrier (membarrier(2)).
// Signals: async-signal-safe, as a system call of our own is.
void barrier_everywhere() noexcept;

}  // namespace sigexc::detail
