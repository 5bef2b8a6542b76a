// Deadlines: the chain of those that a target has set, and the thread that watches them all.
//
// A deadline is no interrupt. It lies in its record's chain while its scope runs, and whether it
// has passed is a question to the clock. So there is nothing to queue, to allocate or to take back,
// and whoever looks finds the outermost of those that have passed, whichever of them he was woken
// for (T2). What is missing is that the target looks in time. For this there is one thread, the
// watch, with a heap of all deadlines: it sleeps until the earliest, and wakes the target as a
// sender does. It is itself woken only for a deadline earlier than the one that it sleeps for, so
// most scopes cost it nothing.
//
// - A scope that has ended is in neither place, and no wake-up for it is under way: its end removes
//   it under the watch's lock, and where the watch was faster it waits for the watch to be done
//   with the target, which it finds counted in `traffic` (T1).
// - A target looks by the clock after it has lowered its flag; the watch raises the flag when the
//   deadline has passed, and marks it before that, as the clocks of two processors may differ by a
//   little. So none is missed, as with the mailbox (see record::collect).
// - What was raised for a scope names it. While that object lives the scope counts as not due; when
//   it goes and the scope still runs, the target is woken again.
//
// One lock guards the heap and the changes of chains. The order is: this lock, then nothing.
// Wakers of foreign code are called by the thread of errands (target/errand.hpp).
//
// Tried: a reusable interrupt for each record that the watch fires as a hint. It says nothing that
// the clock does not, and has to be kept out of groups, callbacks and receipts.
#pragma once

#include <sigexc/detail/deadline.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <exception>

namespace sigexc::detail {

// The deadlines of one record. The owner's alone, but for what says otherwise.
class deadline_list {
 public:
  using clock = std::chrono::steady_clock;

  [[nodiscard]] bool empty() const noexcept { return innermost_ == nullptr; }
  // Whether one has passed for which nothing is raised.
  [[nodiscard]] bool has_due() const noexcept { return !empty() && find_due(nullptr) != nullptr; }
  // The outermost that has passed, of all, or of those inside `outer`; null if none has.
  [[nodiscard]] deadline_link* find_due(const deadline_link* outer) const noexcept;
  // The address above which the frame ends that catches what is raised for `due`.
  [[nodiscard]] static std::uintptr_t frame_of(const deadline_link& due) noexcept {
    return due.frame_;
  }
  // What has to be thrown for `due`, which is not due from now on, until that is dropped.
  static std::exception_ptr raise(deadline_link& due);

  // The flag was raised for a deadline, since the owner last collected. Set by any thread, before
  // the flag.
  std::atomic<bool> is_told{false};
  // An interrupt was raised in the place of one that has passed: next time it goes first.
  bool is_first = false;

 private:
  friend class deadline_link;
  friend class deadline_watch;

  // Written by the owner under the lock of the watch; others read it under that lock.
  deadline_link* innermost_ = nullptr;
  std::uint64_t last_serial_ = 0;
};

// In the child of a fork, in which there are no other threads: their deadlines are forgotten, those
// of the calling thread run on, watched by a thread of the child's.
void restart_deadlines_in_child() noexcept;
// And those of a computation that was paused, when it is taken up there.
void requeue_deadlines_in_child(record& of) noexcept;

}  // namespace sigexc::detail
