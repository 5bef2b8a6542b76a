// Waiting on the futexes of the standard library, in the gate.
//
// std::atomic::notify_one wakes a futex and std::promise another one, both without asking who waits
// there. So a thread may wait there in a system call of its own, through the gate, which an
// interrupt ends without a window. Where the futex is, and what to do so that it is woken, is
// libstdc++'s, and is relied on here:
//
// - std::atomic (bits/atomic_wait.h): an object of 4 bytes is the futex itself; for others it is a
//   counter that notifying increments first. Notifying does nothing unless somebody has been
//   counted in as a waiter. Whether the futex is private to the process depends on how libstdc++
//   was configured (here it is not, whatever the name says). The header takes all of this from the
//   standard's own classes, in the user's code, into which notifying is compiled as well.
// - std::future (bits/atomic_futex.h): the status is the futex, "at offset 0", and its highest bit
//   says that there are waiters: who waits sets it, who delivers the result wakes only if it is
//   set. That futex is not private to the process. The status is a private member of the state; the
//   name of a private member may be used in an explicit instantiation, and so handed out.
//
// Tried and rejected: waking by the sender, as `with_wake` does. A wake-up of a futex between the
// waiter's look at its flag and its system call is lost unless the value changes, and the value of
// an atomic is not ours to change. A helper thread that waits in the thread's place outlives the
// interrupted wait, and with it, perhaps, the atomic.
#include "wait/operation.hpp"

#include <sigexc/foreign.hpp>

#include <linux/futex.h>
#include <sys/syscall.h>

#include <atomic>
#include <future>

namespace sigexc::detail {

namespace {

constexpr unsigned waiter_bit = 0x80000000;
constexpr unsigned ready = 1;

// Defines `exposed(tag)` as a pointer to a member whose name can be used only here.
template <class Tag, auto Member>
struct expose {
  friend constexpr auto exposed(Tag) { return Member; }
};
using state = std::__future_base::_State_base;
using status_word = std::__atomic_futex_unsigned<>;
struct status_of_state {
  friend constexpr auto exposed(status_of_state);
};
struct word_of_status {
  friend constexpr auto exposed(word_of_status);
};
template struct expose<status_of_state, &state::_M_status>;
template struct expose<word_of_status, &status_word::_M_data>;

// As `await_word`.
template <class Done>
void await_futex(const void* word, int operation, Done is_done) {
  const auto attempt = [=]() -> long {
    std::uint32_t expected = 0;
    while (!is_done(expected)) {
      const long result = gate(SYS_futex, word, operation, expected, nullptr);
      // O3: what is there is no longer interrupted.
      if (result == not_executed || result == -EINTR) return is_done(expected) ? 0 : result;
    }
    return 0;
  };
  operate(attempt, [=] {
    std::uint32_t expected = 0;
    return is_done(expected) ? 0 : would_wait;
  });
}

}  // namespace

void await_word(const void* word, int operation, bool (*is_done)(const void*, std::uint32_t&),
                const void* what) {
  await_futex(word, operation, [=](std::uint32_t& expected) { return is_done(what, expected); });
}

void await_state(void* given) {
  std::atomic<unsigned>& status =
      static_cast<state*>(given)->*exposed(status_of_state{}).*exposed(word_of_status{});
  await_futex(&status, FUTEX_WAIT, [&status](std::uint32_t& expected) {
    expected = status.load(std::memory_order_acquire);
    if ((expected & ~waiter_bit) == ready) return true;
    expected = status.fetch_or(waiter_bit, std::memory_order_acquire) | waiter_bit;
    return (expected & ~waiter_bit) == ready;
  });
}

}  // namespace sigexc::detail
