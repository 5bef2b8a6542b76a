// An interrupt: an exception on its way to a target, and what becomes of it.
//
// Its life is a small state machine in one atomic word, so that a target which takes it, a sender
// which withdraws it and a thread exit which discards it cannot both win (S8):
//
//   idle -> pending -> delivering -> raised | handled          by the target
//              |  ^________|                                   given back: the delivery was cut off
//              +-> withdrawn                                   by whoever holds a receipt
//              +-> discarded                                   by the target's exit
//
// A prepared interrupt is used again: where another one would end, it returns to idle. Fired while
// it is being delivered it becomes `delivering_again`, and is queued anew at the end of the
// delivery, since it is still linked until then.
//
// A reusable one counts in its word how often it was fired. Who fired it goes on afterwards, to
// call a waker for it: that is to be done for this firing, and neither for the next nor twice.
//
// While a reusable one is pending its word holds the number of forks too. Another thread may have
// been between marking it and queueing it when this one called fork(); in the child it is in no
// mailbox then, and the other number tells that it can be fired.
//
// The links, exceptions, and what is known of the sender belong to the sender until the push, then
// to whoever took the mailbox.
#pragma once

#include "mailbox/forks.hpp"

#include <sigexc/target.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <exception>

namespace sigexc::detail {

class mailbox;
class termination;

enum class phase : std::uint8_t {
  idle,
  pending,
  delivering,
  delivering_again,
  raised,
  handled,
  withdrawn,
  discarded
};

struct alignas(8) status {  // else clang calls a library for its atomics
  phase now : 8 = phase::idle;
  std::uint32_t forks : 24 = 0;  // modulo 2^24; of a reusable one that is pending
  std::uint32_t firing = 0;      // of a reusable one that was ever fired: not 0

  friend bool operator==(const status&, const status&) = default;
};
static_assert(std::atomic<status>::is_always_lock_free);  // so it may be used by signal handlers

struct interrupt {
  interrupt(mailbox& to, std::exception_ptr what, bool is_reusable) noexcept;
  interrupt(const interrupt&) = delete;
  interrupt& operator=(const interrupt&) = delete;
  virtual ~interrupt();

  // For a termination: what counts the raised objects (see target/termination.hpp). Else null.
  [[nodiscard]] virtual termination* cause() noexcept { return nullptr; }

  [[nodiscard]] delivery outcome() const noexcept;
  // Pending, as this process has it, since it was fired for the `firing`th time.
  [[nodiscard]] status pending_here(std::uint32_t firing) const noexcept {
    return {
        .now = phase::pending, .forks = is_reusable ? forks() & 0xff'ffff : 0, .firing = firing};
  }
  [[nodiscard]] bool is_pending_here(status one) const noexcept {
    return one == pending_here(one.firing);
  }
  [[nodiscard]] bool is_pending() const noexcept {
    return is_pending_here(state.load(std::memory_order_acquire));
  }
  // The target takes it for delivery. False: it has been withdrawn.
  bool claim() noexcept;
  // The target gives back what it claimed and could not deliver.
  void unclaim() noexcept;
  // Ends it. True: it was fired again meanwhile, and the caller has to queue it anew.
  bool settle(phase outcome) noexcept;
  bool withdraw() noexcept;
  // In a target's hands: nothing is to be done with it, but to drop it. A fork may have discarded
  // it, instead.
  [[nodiscard]] bool is_withdrawn() const noexcept {
    const phase now = state.load(std::memory_order_relaxed).now;
    return now == phase::withdrawn || now == phase::discarded;
  }
  // Waits for `is_settled` in the parking lot go to this address, after `expect_waiter`.
  [[nodiscard]] bool is_settled() const noexcept;
  void expect_waiter() noexcept { is_waited_for.store(true, std::memory_order_seq_cst); }

  mailbox& box;  // counted
  mutable std::atomic<std::uint32_t> references{1};
  std::atomic<status> state;
  std::atomic<bool> is_waited_for{false};
  const bool is_reusable;
  std::atomic<interrupt*> next{nullptr};  // atomic for `mailbox::forget`, which may look too late
  std::exception_ptr exception;
  std::exception_ptr replacement;  // what a callback threw: raised instead of `exception`
  bool had_callback = false;       // and is not given to one again
  std::uint32_t arrival = 0;       // its place among all that its target has taken, modulo 2^32
  // For `last_interrupt` and `diagnose`: who sent it, null if no target, and when. A prepared one
  // has a sender from being fired until it is settled.
  reference<record> sender;
  std::chrono::steady_clock::time_point queued;

 private:
  // Changes the phase of a reusable one, whoever else does. Returns what it was.
  phase change(phase to) noexcept;
  void ended() noexcept;
};

}  // namespace sigexc::detail
