// The handler of SIGEXC: records that something is pending, and if the thread is in the gate, moves
// it out. Nothing else (X3).
//
// It is alone in its object file, so that a test can compare the file's undefined symbols with
// handler.allowed, and is built without sanitizers. Thread-local storage in the initial-exec model
// is reached without a call, and storing to a lock-free atomic is async-signal-safe. A thread that
// is no target is left alone; a SIGEXC from outside the library only makes a safe point look (X2).
//
// It rings the thread's own bell too. A signal may arrive when the target sleeps in a wait of ours,
// be it from outside, or late, from a sender that looked before the target went to sleep. With the
// flag set and nobody to ring, the kernel would restart the sleep, and every later sender would
// leave the ringing to who set the flag. The changed bell makes the restarted sleep return.
//
// One case is easy to miss. SIGEXC may land on top of another signal's handler that has itself
// interrupted the gate. The counter is then in that handler, and when it returns, the kernel begins
// the call again: the interrupt would wait for ever. So where the mark says that the gate is on the
// stack, but the counter is not in it, SIGEXC is blocked in the frame that was interrupted, and
// sent again: it comes when that frame returns, one frame further out, until it reaches the gate.
// If the frame was no handler at all (the mark stays behind when someone longjmps out of the gate),
// the thread is left with SIGEXC blocked; the next operation takes the mark away and opens the mask
// again, told by `is_mask_edited`.
#include "signal/handler.hpp"

#include "signal/gate.hpp"
#include "signal/program_counter.hpp"

#include <sigexc/detail/current.hpp>

#include <ucontext.h>

#include <cstdint>
#include <type_traits>

namespace sigexc::detail {

static_assert(decltype(current.pending_flag)::is_always_lock_free);

namespace {

std::uintptr_t address(const char* label) noexcept {
  return reinterpret_cast<std::uintptr_t>(label);
}

}  // namespace

constinit std::atomic<std::uint64_t> signals_in_mask{0};

extern "C" void sigexc_handler(int, siginfo_t*, void* context) {
  if (current.self == nullptr) return;
  current.pending_flag.store(1, std::memory_order_release);
  // No read-modify-write, which aarch64 may compile to a call: the sleep to be ended is this
  // thread's own, so any change will do.
  current.bell.store(current.bell.load(std::memory_order_relaxed) + 1, std::memory_order_release);
  if (current.in_gate.load(std::memory_order_relaxed) == 0) return;
  auto& interrupted = *static_cast<ucontext_t*>(context);
  auto& counter = program_counter(interrupted);
  const auto at = static_cast<std::uintptr_t>(counter);
  if (at >= address(sigexc_gate_begin) && at < address(sigexc_gate_end)) {
    counter = static_cast<std::remove_reference_t<decltype(counter)>>(address(sigexc_gate_cancel));
    return;
  }
  const bool is_outside = at < address(sigexc_gate_begin) || at >= address(sigexc_gate_leave);
  const std::uint64_t ours = signals_in_mask.load(std::memory_order_relaxed);
  if (is_outside && ours != 0) {
    // The kernel's part of the mask is its first word, in which signal N is bit N-1.
    interrupted.uc_sigmask.__val[0] |= ours;
    current.is_mask_edited = true;
    sigexc_send_to_self();
  }
}

}  // namespace sigexc::detail
