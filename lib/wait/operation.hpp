// An interruptible system call: either it had no effect and an interrupt is raised, or it returns
// its result and the interrupt waits.
#pragma once

#include "deliver/deliver.hpp"
#include "signal/gate.hpp"
#include "signal/install.hpp"

#include <sigexc/detail/current.hpp>
#include <sigexc/posix.hpp>

#include <time.h>

#include <cerrno>

namespace sigexc::detail {

// One attempt at a system call, through the gate.
// @return what the kernel returned, -errno for an error, or `not_executed`.
template <class... A>
[[gnu::always_inline]] inline long gate(long number, A... arguments) noexcept {
  static_assert(sizeof...(A) <= 6);
  // A sender that signals only who waits sets the flag, then looks for the mark; the gate looks at
  // the flag after the mark was set. With this as the fence one of the two sees the other. Where
  // everybody is signalled who does not look, the mark is for the handler, on this very thread.
  if (!signals_always()) [[unlikely]]
    current.in_gate.exchange(1, std::memory_order_seq_cst);
  const auto call = [number](long a = 0, long b = 0, long c = 0, long d = 0, long e = 0,
                             long f = 0) noexcept {
    return sigexc_gate(&this_block(), number, a, b, c, d, e, f);
  };
  return call(to_word(arguments)...);
}

// For `now` below: the call would have to wait. No system call returns it: -EWOULDBLOCK is a result
// of those that were asked not to wait.
inline constexpr long would_wait = not_executed - 1;

// What comes before each operation and after an attempt that did not return a result; and at the
// end of an operation. Where nothing is pending both are a few inlined instructions.
void deliver_before_operation();
void deliver_before_waiting();
void leave_operation() noexcept;
inline void begin_operation() {
  if (current.is_mask_edited || current.has_news()) [[unlikely]]
    deliver_before_operation();
}
inline void end_operation() noexcept {
  if (current.held != 0 || !signals_always()) [[unlikely]]
    leave_operation();
}

// Ends a call that was expected not to wait and yet does, because somebody else has taken what was
// announced, or because nobody can ask whether it would wait: SIGEXC comes from a timer. It is made
// only where an operation has an interrupt in hand that it may raise if it has to wait.
class way_out {
 public:
  way_out() noexcept;
  way_out(const way_out&) = delete;
  way_out& operator=(const way_out&) = delete;
  ~way_out();
  // The call has some time left, and whatever has come meanwhile was taken in, so that the gate is
  // open again.
  [[nodiscard]] bool reopens() noexcept;
  [[nodiscard]] bool exists() const noexcept { return exists_; }

 private:
  timer_t timer_{};
  bool exists_;
};

// `now()`, or `would_wait`.
template <class Now>
[[gnu::cold]] long without_waiting(const Now& now) {
  way_out limit;
  if (!limit.exists()) return would_wait;
  long result = 0;
  do result = now();
  while ((result == not_executed || result == -EINTR) && limit.reopens());
  return result == not_executed || result == -EINTR ? would_wait : result;
}

// Runs `attempt()`, which goes through the gate, until it returns something else than
// `not_executed` or -EINTR, delivering interrupts in between. An attempt with a timeout passes what
// is left of it.
//
// `now()` is asked where interrupts may be delivered only if the call has to wait: it does the same
// without waiting, or returns `would_wait`.
//
// Inlined, as all that lies between the system call and who asked for it: each return that follows
// a system call before a new call is a surprise to the processor.
template <class Attempt, class Now>
[[gnu::always_inline]] inline long operate(Attempt attempt, Now now) {
  for (;;) {
    begin_operation();
    long result = would_wait;
    if (current.held != 0 && would_deliver_at(place::wait)) [[unlikely]] {
      result = without_waiting(now);
      if (result == would_wait) deliver_before_waiting();
    }
    if (result == would_wait) result = attempt();
    if (result == not_executed || result == -EINTR) continue;
    end_operation();
    return result;
  }
}

}  // namespace sigexc::detail
