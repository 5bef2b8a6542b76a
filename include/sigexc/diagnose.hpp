// Diagnosis: what interrupted this thread, why an interrupt is still pending there, and where that
// thread is now.
//
//   const sigexc::report found = sigexc::diagnose(worker.get_target());
//   std::cerr << found.reason << '\n' << found.stack.to_string();
//
// It is for people, and for a process that is up to something unexpected: it takes its time, and
// what it tells of another thread was true a moment ago.
#pragma once

#include <sigexc/export.hpp>
#include <sigexc/target.hpp>

#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace sigexc {

/// A place in the program and how it was reached, innermost frame first. Taking one keeps addresses
/// only; names are looked up when they are asked for.
class SIGEXC_EXPORT backtrace {
 public:
  struct frame {
    std::uintptr_t address = 0;  ///< of the instruction, or in the call that has not returned
    std::string symbol{};        ///< the function, demangled; empty: nobody knows
    std::size_t offset = 0;      ///< of `address` in the function
    std::string object{};        ///< the file of the program or library; empty: in none
    std::string source{};        ///< file:line, where there is debug information
  };

  /// No frames.
  backtrace() noexcept = default;

  /// The caller's own.
  ///
  /// Safe point: never.  Blocks: never.  Threads: acts on the caller's.  Signals: unsafe.
  /// Throws: `std::bad_alloc`.
  static backtrace current();

  [[nodiscard]] bool empty() const noexcept { return addresses_.empty(); }
  [[nodiscard]] const std::vector<std::uintptr_t>& addresses() const noexcept { return addresses_; }

  /// The frames with their names. A library that was closed since has lost them.
  ///
  /// Safe point: never.  Blocks: reads the files of the program and of its libraries, which takes
  /// a tenth of a second where there is much debug information.  Threads: any.  Signals: unsafe.
  /// Throws: `std::bad_alloc`.
  [[nodiscard]] std::vector<frame> frames() const;

  /// One line a frame: its number, address, symbol and offset, object, and source. Otherwise as
  /// `frames()`.
  [[nodiscard]] std::string to_string() const;

  // For the library.
  explicit backtrace(std::vector<std::uintptr_t> addresses) noexcept
      : addresses_(std::move(addresses)) {}

 private:
  std::vector<std::uintptr_t> addresses_;
};

/// Where an interrupt came from and where it came to.
struct interrupt_info {
  /// The thread that sent it, or in whose signal handler it was fired; for a termination that comes
  /// again, who asked for it first. A finished target of the name "no target" stands for a thread
  /// that was none, and for whoever fired a prepared interrupt while it was being delivered.
  target sender;
  std::chrono::steady_clock::time_point queued;  ///< when it was sent
  std::chrono::steady_clock::time_point raised;  ///< or when a callback had handled it
  /// The safe point; at most its 64 innermost frames. Empty where there was no memory for it.
  backtrace where;
};

/// Tells what was delivered last to the calling thread; of a group the member that came last.
///
/// @return nothing if the thread is no target, or nothing has been delivered to it (or there was no
///         memory to note it).
///
/// Safe point: never.  Blocks: never.  Threads: acts on the caller's.  Signals: unsafe.
/// Throws: `std::bad_alloc`.
[[nodiscard]] SIGEXC_EXPORT std::optional<interrupt_info> last_interrupt();

/// Why an interrupt is still pending.
enum class hold {
  nothing_pending,      ///< there is none
  blocked_by_scope,     ///< a scope around the place where the thread is governs its type
  blocked_by_noexcept,  ///< raised there, it would end the process (R2)
  no_safe_point,        ///< the thread runs, and has come to no safe point since
  not_running           ///< it has not begun, has ended, or sleeps in the kernel outside our waits
};

/// What `diagnose` finds.
struct report {
  target who;
  hold why = hold::nothing_pending;    ///< of the oldest interrupt
  std::chrono::nanoseconds oldest{0};  ///< for how long that has been pending; 0 if there is none
  std::string reason{};                ///< the same in words, with names of types and functions
  backtrace stack{};                   ///< where it is; empty if it cannot tell, see `reason`
};

/// Finds out why the oldest interrupt of `who` is still pending, and where that thread is now.
///
/// The thread is asked by a signal, the first one after SIGEXC that nobody handles, and looks at
/// its own stack in the handler. System calls that restart after a signal do so; those that never
/// do (`poll`, `nanosleep` and others, unless they are called as operations of this library) fail
/// with EINTR, also inside a block of everything.
///
/// A thread that blocks that signal, or is stopped, cannot be asked: after a second at most the
/// stack is empty, and `reason` says why. Calls on several threads wait for each other.
///
/// Safe point: never.  Blocks: until the thread has answered, at most about a second.  Threads:
/// any, also on the thread itself.  Signals: unsafe.  Throws: `std::bad_alloc`.
/// See: R2.
[[nodiscard]] SIGEXC_EXPORT report diagnose(const target& who);

/// Writes a paragraph about every target to the descriptor `fd`: its name, kernel thread id and
/// state, what is pending there and why, and its stack. Targets are asked one after the other, as
/// by `diagnose`. Where memory runs out, or writing fails, it leaves out the rest.
///
/// Safe point: never.  Blocks: as `diagnose`, for each target.  Threads: any.  Signals: unsafe; see
/// `dump_on_signal`.  Throws: nothing.
SIGEXC_EXPORT void dump(int fd) noexcept;

/// From now on each signal `number` makes a thread of the library `dump` to `fd`. Meant for SIGQUIT
/// (Ctrl-\), of which Java's virtual machine makes the same use. It stays so until the process
/// ends. A child of fork() calls it again, as the thread is not there.
///
/// @param number a signal that nobody handles yet. @param fd stays open; stderr, if not given.
///
/// Safe point: never.  Blocks: never.  Threads: any.  Signals: unsafe.
/// Throws: `std::system_error` if the signal has a handler, or the thread cannot be made.
SIGEXC_EXPORT void dump_on_signal(int number = SIGQUIT, int fd = 2);

}  // namespace sigexc
