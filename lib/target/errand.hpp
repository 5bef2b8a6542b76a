// Errands: calls of a waker that a thread must not make itself, and leaves to a thread of the
// library.
//
// A waker is the user's code, found under a lock and free to lock as well. So a signal handler that
// fires a prepared interrupt cannot call it; and the target cannot, while it runs the very code
// that the waker is for: they may share a lock. Both post an errand: a push onto a lock-free list,
// and a futex. The thread starts with the first foreign code under a waker.
#pragma once

#include "mailbox/interrupt.hpp"

#include <atomic>
#include <cstdint>
#include <exception>

namespace sigexc::detail {

// Starts a detached thread of the library's own: it handles no signals, which are for the threads
// of the program. Throws std::system_error.
void start_service(void* (*serve)(void*), const char* name);

class errand {
 public:
  errand() = default;
  errand(const errand&) = delete;
  errand& operator=(const errand&) = delete;

  // Has the thread `run` this soon, once, however often it is posted until then.
  // Signals: async-signal-safe (lock-free atomics and one system call); keeps errno.
  void post() noexcept;

  // Starts the thread, if this is the first call. Throws std::system_error.
  static void start_thread();

  // Around a fork. The child has neither the thread nor its errands.
  static void before_fork() noexcept;
  static void after_fork(bool is_child) noexcept;

 protected:
  ~errand() = default;

 private:
  virtual void run() noexcept = 0;
  // Count this in and out: it lives until it has been run.
  virtual void keep() noexcept = 0;
  virtual void drop() noexcept = 0;
  static void* serve(void*) noexcept;

  // Written by who posts, read by the thread after it has taken the list.
  errand* next_ = nullptr;
  // 0, or while it is on the list one more than the number of forks: what another thread was about
  // to put there when this one called fork() can be posted in the child.
  std::atomic<std::uint32_t> posted_{0};
};

// A prepared interrupt, whose errand is to call the waker for it.
class fired_interrupt final : public interrupt, public errand {
 public:
  fired_interrupt(mailbox& to, std::exception_ptr what) noexcept
      : interrupt(to, std::move(what), /*reusable=*/true) {}

  // Posts it after it was fired, for the `firing`th time, to call once for that.
  // Signals: async-signal-safe, as `post`.
  void post_for(std::uint32_t firing) noexcept;

 private:
  using errand::post;
  void run() noexcept override;
  void keep() noexcept override { retain(*this); }
  void drop() noexcept override { release(*this); }

  std::atomic<std::uint32_t> posted_for_{0};  // the latest firing
  std::uint32_t called_for_ = 0;              // the thread's alone
};

}  // namespace sigexc::detail
