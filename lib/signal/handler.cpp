// The handler of SIGEXC. It records that something is pending, and does nothing else (X3).
//
// It is alone in its object file, so that a test can compare the file's undefined symbols with
// handler.allowed, and is built without sanitizers. Its one access goes to the thread's own block:
// initial-exec thread-local storage is reached without a call, and changing a lock-free atomic is
// async-signal-safe. It calls nothing, so errno stays. A thread that is no target is left alone; a
// SIGEXC from outside the library only makes a safe point look (X2).
//
// It rings the thread's own bell too. A signal may arrive when the target sleeps in a wait of ours,
// be it from outside, or late, from a sender that looked before the target went to sleep. With the
// flag set and nobody to ring, the kernel would restart the sleep, and every later sender would
// leave the ringing to who set the flag. The changed bell makes the restarted sleep return.
#include "signal/handler.hpp"

#include <sigexc/detail/current.hpp>

namespace sigexc::detail {

static_assert(decltype(current.pending_flag)::is_always_lock_free);

extern "C" void sigexc_handler(int, siginfo_t*, void*) {
  if (current.self == nullptr) return;
  current.pending_flag.store(1, std::memory_order_release);
  // No read-modify-write, which aarch64 may compile to a call: the sleep to be ended is this
  // thread's own, so any change will do.
  current.bell.store(current.bell.load(std::memory_order_relaxed) + 1, std::memory_order_release);
}

}  // namespace sigexc::detail
