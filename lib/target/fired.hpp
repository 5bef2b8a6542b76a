// Prepared interrupts, which a signal handler may send, and the thread that calls wakers for them.
//
// A waker is the user's code, and is found under a lock, so a signal handler cannot call it. It
// hands the interrupt over to a thread of the library: a push onto a lock-free list and a futex.
// The thread is started as soon as the process has both a prepared interrupt and foreign code under
// a waker, whichever comes second, so that a program without either never has it.
#pragma once

#include "mailbox/interrupt.hpp"

#include <atomic>
#include <exception>

namespace sigexc::detail {

class fired_interrupt final : public interrupt {
 public:
  // Throws std::system_error if the thread is needed and cannot be made.
  fired_interrupt(mailbox& to, std::exception_ptr what);

  // Has the thread call the target's waker for this.
  // Signals: async-signal-safe (lock-free atomics and one system call); keeps errno.
  void hand_over() noexcept;

 private:
  static void* serve(void*) noexcept;
  friend void start_waking(bool);

  // Written by who pushes, read by the thread after it has taken the list.
  fired_interrupt* next_handed_over_ = nullptr;
  std::atomic<bool> is_handed_over_{false};
};

// From now on there may be foreign code under a waker, or (`is_prepared`) prepared interrupts.
// Throws std::system_error if the thread is needed and cannot be made.
void start_waking(bool is_prepared);

}  // namespace sigexc::detail
