// Signals of the process as interrupts: a reliable Ctrl-C.
#pragma once

#include <sigexc/export.hpp>

#include <chrono>
#include <csignal>
#include <initializer_list>
#include <memory>

namespace sigexc {

namespace detail {
struct bridge;
}

/// While it lives, SIGINT (and what else is named) interrupts the thread that has made it with
/// `keyboard_interrupt`.
///
///   int main() {
///     const sigexc::enrollment self("main");
///     const sigexc::signal_bridge ctrl_c;
///     try {
///       simulate();
///     } catch (const sigexc::keyboard_interrupt&) {
///       save_what_there_is();
///     }
///   }
///
/// The first press raises it where and when it is safe, as any interrupt. A second one within
/// `patience`, while the first is still pending, writes to stderr where every target is and what
/// holds it (see `dump`). A third one, within `patience` of the second, ends the process as the
/// signal's default action does. No throw is forced. Each signal counts its own presses, and once
/// its interrupt has been delivered, or patience is over, the next press is a first one again.
///
/// Bridges nest, in one thread and across threads: the youngest gets the signal. What handled the
/// signal before does so again when the last one is gone; till then also a signal that the process
/// ignores, as under `nohup`, is bridged. If the thread has ended its enrollment, a press ends the
/// process.
class SIGEXC_EXPORT signal_bridge {
 public:
  /// @param signals what interrupts. Not those that are the fault of the code they arrive in
  ///        (SIGSEGV and its kin), that cannot be handled (SIGKILL, SIGSTOP), or that are ours.
  /// @param patience how long after a press the next one counts as its repetition; not negative.
  ///
  /// Safe point: never.  Blocks: never.  Threads: interrupts the caller, and has one thread of the
  /// library write the report.  Signals: unsafe.
  /// Throws: `not_enrolled` if the caller is no target; `std::invalid_argument` for a signal that
  /// cannot be bridged, or a negative patience; `std::system_error`; `std::bad_alloc`.
  /// See: X4; Python's `KeyboardInterrupt`.
  explicit signal_bridge(std::initializer_list<int> signals = {SIGINT},
                         std::chrono::milliseconds patience = std::chrono::seconds(2));

  /// A press that is pending stays so.  Safe point: never.
  ~signal_bridge();

  signal_bridge(const signal_bridge&) = delete;
  signal_bridge& operator=(const signal_bridge&) = delete;

 private:
  std::unique_ptr<detail::bridge> bridge_;
};

}  // namespace sigexc
