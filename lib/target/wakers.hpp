// How senders make foreign code return that a target is in (see `with_wake`).
//
// The target enters a waker before it runs foreign code, the sender looks for one after it has
// queued its interrupt. It is Dekker's pattern again, as with `asleep`: the target publishes the
// waker, then looks at its pending flag; the sender sets the flag, then looks for a waker. All four
// are sequentially consistent, so one of the two sees the other. The target does both under the
// mutex, and takes the waker back if it finds the flag set; so a sender that is seen in time does
// not call, and one that calls finds the foreign code running, or about to run for certain.
//
// The sender calls without the mutex, but with the waker marked as running. A second sender leaves
// its call to the first, which then calls again: senders do not wait for each other, and calls do
// not overlap. The target leaves the list, then waits until nothing is running.
//
// Two calls cannot be made by who finds that they are due: by a signal handler (S10), and by the
// target itself. And while the target is in a block of everything, somewhere in its foreign code,
// the call is not due yet: it is noted as missed, and the end of the block looks for such notes.
// All of these become errands. (The sender reads `quiet` after a barrier on every processor, as in
// `announce`: either it sees that the block has ended, or the end sees the flag.)
#pragma once

#include "mailbox/mailbox.hpp"
#include "target/errand.hpp"

#include <sigexc/detail/waker.hpp>

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <typeinfo>

namespace sigexc::detail {

class waker_list final : public errand {
 public:
  explicit waker_list(mailbox& of) noexcept : of_(of) {}

  // The owner's. False: the pending flag is set, and nothing has happened.
  bool enter(waker& one) noexcept;
  // The owner's. Waits for a call that is running.
  void leave(waker& one) noexcept;
  // Signals: async-signal-safe.
  [[nodiscard]] bool has_any() const noexcept {
    return innermost_.load(std::memory_order_seq_cst) != nullptr;
  }

  // Calls the innermost waker, unless the target is in no foreign code, or the scopes around it
  // hold `sent`, or `sent` is not pending any more.
  // @param firing which one the call is for, as `fire` returned it; 0 if `sent` is not reusable.
  // @param type that of the exception in `sent`, which others may have dropped.
  void call_for(const interrupt& sent, std::uint32_t firing, const std::type_info* type) noexcept;

  // Around a fork that the owner makes.
  void before_fork() noexcept;
  void after_fork(bool is_child) noexcept;
  // In the child, where the owner was paused, in no foreign code.
  void renew() noexcept { std::construct_at(&mutex_); }

  // The owner's, when it has left a waker: what is held is also for the one around it.
  void call_for_held(const interrupt* first) noexcept;
  // Has the innermost waker called by an errand, unless the scopes around it hold what is raised as
  // `type`: for deadlines, whose thread calls nobody.
  void post_for(const std::type_info& type) noexcept;

 private:
  // Calls what was missed, if it is due now.
  void run() noexcept override;
  void keep() noexcept override { of_.retain(); }
  void drop() noexcept override { of_.release(); }
  void call(waker& one, std::unique_lock<std::mutex>& lock) noexcept;

  mailbox& of_;                             // the record that this is part of
  std::atomic<waker*> innermost_{nullptr};  // written by the owner under the mutex
  std::mutex mutex_;
};

}  // namespace sigexc::detail
