// Configuration of the process, once, before its first target.
#pragma once

#include <sigexc/export.hpp>

namespace sigexc {

/// When a sender signals its target with SIGEXC.
enum class wake {
  always,       ///< with every first pending interrupt
  when_waiting  ///< only to a target in an interruptible operation; the pending flag tells others
};

struct options {
  /// The number of SIGEXC, a real-time signal. 0: the environment's SIGEXC_SIGNAL if that is set,
  /// else SIGRTMIN+6.
  int signal_number = 0;
  /// Several pending interrupts are raised as one `exception_group`. False: one at a time, oldest
  /// first.
  bool group = true;
  wake signal = wake::always;
};

/// Sets the options of the process.
///
/// Safe point: never.  Blocks: never.  Threads: any.  Signals: unsafe.
/// Throws: `std::system_error` if the first target exists already, if the number is none of a
/// real-time signal, or if another handler owns that signal.  See: X2, D2, S2.
SIGEXC_EXPORT void configure(const options& chosen);

/// The number of SIGEXC.
///
/// Safe point: never.  Blocks: never.  Threads: any.  Signals: unsafe.  Throws: nothing.
[[nodiscard]] SIGEXC_EXPORT int signal_number() noexcept;

}  // namespace sigexc
