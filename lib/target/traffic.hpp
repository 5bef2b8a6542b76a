// Counts the senders that are busy with a target, so that the target can wait for them to be done.
//
// The target waits for those that were counted when it began to wait, not for later ones, or a
// storm of senders would keep it waiting for ever. So there are two counts in the word, and a bit
// that says which of them newcomers add to; to wait is to turn the bit and wait for the other count
// to become zero (as in sleepable RCU). Who waits sleeps: a sender may have a lower priority.
//
// `needs_fence` is set until the target first opens a block of everything: then opening one comes
// to `scope::await_signals`, whose turning of the bit is a fence, and senders are spared the
// barrier that they issue otherwise (see scope::enter and `announce`).
#pragma once

#include "mailbox/futex.hpp"

#include <sigexc/detail/current.hpp>

#include <atomic>
#include <cstdint>

namespace sigexc::detail {

class sender_count {
 public:
  // Counts a sender in. @return what `leave` wants back.  Signals: async-signal-safe.
  struct ticket {
    std::uint64_t unit;    // of the count that it was added to
    bool is_fence_needed;  // the target's side of the handshake issues the fence
  };
  ticket enter() noexcept {
    std::uint64_t now = word_.load(std::memory_order_relaxed);
    while (!word_.compare_exchange_weak(now, now + unit(now), std::memory_order_seq_cst,
                                        std::memory_order_relaxed)) {
    }
    return {unit(now), (now & needs_fence) != 0};
  }
  // Signals: async-signal-safe; keeps errno.
  void leave(ticket mine) noexcept {
    const std::uint64_t now = word_.fetch_sub(mine.unit, std::memory_order_seq_cst) - mine.unit;
    if ((now & waiters) == 0 || (now / mine.unit) % limit != 0) return;
    drained_.fetch_add(1, std::memory_order_seq_cst);
    futex_wake(&drained_);
  }

  // Waits until all who are counted now have left. A full fence.
  void await() noexcept {
    word_.fetch_add(one_waiter, std::memory_order_seq_cst);
    const std::uint64_t before = word_.fetch_xor(turn, std::memory_order_seq_cst);
    for (;;) {
      const std::uint32_t seen = drained_.load(std::memory_order_seq_cst);
      if ((word_.load(std::memory_order_seq_cst) / unit(before)) % limit == 0) break;
      futex_wait(drained_, seen);
    }
    word_.fetch_sub(one_waiter, std::memory_order_seq_cst);
  }

  // Whether a sender is counted in now. For the owner, which is not waiting.
  [[nodiscard]] bool has_any() const noexcept {
    return (word_.load(std::memory_order_seq_cst) & (waiters - 1) & ~turn) != 0;
  }

  // In a child of fork(), where no sender that was counted exists. A full fence is the target's
  // affair again until it next opens a block.
  void after_fork() noexcept {
    word_.store((word_.load(std::memory_order_relaxed) & turn) | needs_fence,
                std::memory_order_relaxed);
  }

  [[nodiscard]] bool needs_fence_here() const noexcept {
    return (word_.load(std::memory_order_relaxed) & needs_fence) != 0;
  }
  // From now on senders issue the barrier for both sides.
  void leave_fence_to_senders() noexcept { word_.fetch_and(~needs_fence); }

  [[nodiscard]] const std::atomic<std::uint64_t>& word() const noexcept { return word_; }

 private:
  static constexpr std::uint64_t limit = 1U << 24;     // of each count: more than there are threads
  static constexpr std::uint64_t turn = traffic_turn;  // set: newcomers add to the second count
  static constexpr std::uint64_t one_waiter = 1ULL << 49;
  static constexpr std::uint64_t waiters = 0xFULL << 49;  // the owner, and who ends it from outside
  static constexpr std::uint64_t needs_fence = 1ULL << 63;
  static std::uint64_t unit(std::uint64_t word) noexcept { return (word & turn) != 0 ? limit : 1; }

  std::atomic<std::uint64_t> word_{needs_fence};
  std::atomic<std::uint32_t> drained_{0};  // a futex
};

}  // namespace sigexc::detail
