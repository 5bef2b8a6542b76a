// The mailbox of a target: a lock-free queue of interrupts from many senders to one owner.
//
// Senders push onto a stack with one compare-and-swap, which is async-signal-safe; the owner takes
// the whole stack with one exchange and turns it round, so that order of arrival is order of
// delivery (S5). Closing is the exchange with a mark that no push gets past (S8). A node is linked
// by its own `next`: no push allocates.
//
// In a child of fork() a mailbox whose owner did not come along is closed, whatever is in it: it is
// told by its number of forks, and what is in it stays there (X1).
//
// A queue with a tail pointer was not taken: between its two steps a sender that is stopped (in a
// signal handler that itself sends, say) keeps the owner from seeing what others sent.
#pragma once

#include "mailbox/forks.hpp"
#include "mailbox/interrupt.hpp"

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <typeinfo>

namespace sigexc::detail {

class mailbox {
 public:
  mailbox() = default;
  mailbox(const mailbox&) = delete;
  mailbox& operator=(const mailbox&) = delete;

  // Queues `sent`, which is pending, and takes over one count of it. False: closed, and nothing
  // has happened.  Signals: async-signal-safe.
  bool push(interrupt& sent) noexcept;
  // What has arrived, oldest first, linked by `next`; the owner's from now on. The owner alone.
  interrupt* take() noexcept;
  // The same, for the last time: every later push fails.
  interrupt* close() noexcept;
  [[nodiscard]] bool is_closed() const noexcept;
  [[nodiscard]] bool is_empty() const noexcept {
    return newest_.load(std::memory_order_seq_cst) == nullptr;
  }

  // How many interrupts are pending, here or held by the owner.
  [[nodiscard]] std::size_t pending() const noexcept {
    return is_left_behind() ? 0 : pending_.load(std::memory_order_relaxed);
  }
  // Of what has lain here longest: when it was queued, and the type of its exception.
  // Approximately, if several senders found the mailbox empty at once; of use only while it is not.
  [[nodiscard]] std::chrono::steady_clock::time_point oldest_queued() const noexcept {
    return std::chrono::steady_clock::time_point(
        std::chrono::steady_clock::duration(oldest_queued_.load(std::memory_order_relaxed)));
  }
  [[nodiscard]] const std::type_info* oldest_type() const noexcept {
    return oldest_type_.load(std::memory_order_relaxed);
  }
  void count_in() noexcept { pending_.fetch_add(1, std::memory_order_relaxed); }
  void count_out() noexcept { pending_.fetch_sub(1, std::memory_order_relaxed); }

  // In a child of fork(): the owner is a thread that exists only in the parent.
  [[nodiscard]] bool is_left_behind() const noexcept { return forks_ != forks(); }
  // In the child, for the owner that called fork(), of whose interrupts so many are left.
  void come_along(std::size_t pending) noexcept {
    forks_ = forks();
    pending_.store(pending, std::memory_order_relaxed);
  }

  // Unlinks a withdrawn interrupt if that can be done at once, that is, if it is the newest. So a
  // sender that sends and withdraws in a loop leaves nothing behind (S9); others go when the owner
  // next looks.
  void forget(interrupt& withdrawn) noexcept;

  void retain() noexcept { references_.fetch_add(1, std::memory_order_relaxed); }
  void release() noexcept {
    if (references_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
  }

 protected:
  virtual ~mailbox() = default;  // what is queued holds a count of this: it is empty

 private:
  static interrupt* oldest_first(interrupt* newest) noexcept;

  std::atomic<interrupt*> newest_{nullptr};
  std::atomic<std::size_t> pending_{0};
  std::atomic<std::uint32_t> references_{1};
  // Written by who pushes onto an empty mailbox.
  std::atomic<std::chrono::steady_clock::rep> oldest_queued_{0};
  std::atomic<const std::type_info*> oldest_type_{nullptr};
  std::uint32_t forks_ = forks();  // changed where there is one thread only
};

}  // namespace sigexc::detail
