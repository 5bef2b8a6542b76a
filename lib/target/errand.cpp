// The list of errands, and the thread that works it off.
#include "target/errand.hpp"

#include "mailbox/forks.hpp"
#include "mailbox/futex.hpp"
#include "signal/send.hpp"
#include "target/record.hpp"

#include <pthread.h>
#include <signal.h>

#include <mutex>
#include <string>
#include <system_error>
#include <utility>

namespace sigexc::detail {

namespace {

struct state {
  std::atomic<errand*> posted{nullptr};
  std::atomic<std::uint32_t> posts{0};
  std::atomic<bool> has_thread{false};  // set under the mutex
  std::mutex mutex;
};
constinit state process;

}  // namespace

void errand::post() noexcept {
  // Who takes it off the list clears the mark first, and runs it after that.
  const std::uint32_t here = forks() + 1;
  if (posted_.exchange(here, std::memory_order_acq_rel) == here) return;
  keep();
  next_ = process.posted.load(std::memory_order_relaxed);
  while (!process.posted.compare_exchange_weak(next_, this, std::memory_order_release,
                                               std::memory_order_relaxed)) {
  }
  process.posts.fetch_add(1, std::memory_order_release);
  futex_wake(&process.posts, 1);
}

void* errand::serve(void*) noexcept {
  unblock_signals();  // what a waker forks or spawns must not inherit a blocked SIGEXC (X1)
  for (;;) {
    const auto seen = process.posts.load(std::memory_order_acquire);
    auto* one = process.posted.exchange(nullptr, std::memory_order_acquire);
    if (one == nullptr) futex_wait(process.posts, seen);
    while (one != nullptr) {
      errand& now = *std::exchange(one, one->next_);
      now.posted_.exchange(0, std::memory_order_acq_rel);
      now.run();
      now.drop();
    }
  }
}

void errand::start_thread() {
  if (process.has_thread.load(std::memory_order_acquire)) return;
  const std::lock_guard lock(process.mutex);
  if (process.has_thread.load(std::memory_order_relaxed)) return;
  start_service(serve, "sigexc-wake");
  process.has_thread.store(true, std::memory_order_release);
}

void start_service(void* (*serve)(void*), const char* name) {
  sigset_t every;
  sigset_t before;
  sigfillset(&every);
  pthread_sigmask(SIG_SETMASK, &every, &before);
  pthread_t made;
  const int error = pthread_create(&made, nullptr, serve, nullptr);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (error != 0)
    throw std::system_error(
        error, std::generic_category(),
        std::string("sigexc: the library's thread ") + name + " could not be made");
  pthread_setname_np(made, name);
  pthread_detach(made);
}

void errand::before_fork() noexcept { process.mutex.lock(); }

void errand::after_fork(bool is_child) noexcept {
  if (is_child) {
    process.posted.store(nullptr, std::memory_order_relaxed);
    process.has_thread.store(false, std::memory_order_relaxed);
  }
  process.mutex.unlock();
}

void fired_interrupt::post_for(std::uint32_t firing) noexcept {
  // Who fired it before may be late, and come here after who fired it later.
  std::uint32_t latest = posted_for_.load(std::memory_order_relaxed);
  while (static_cast<std::int32_t>(firing - latest) > 0 &&
         !posted_for_.compare_exchange_weak(latest, firing, std::memory_order_relaxed)) {
  }
  post();
}

void fired_interrupt::run() noexcept {
  const std::uint32_t firing = posted_for_.load(std::memory_order_relaxed);
  if (std::exchange(called_for_, firing) != firing)
    static_cast<record&>(box).wakers.call_for(*this, firing, exception.__cxa_exception_type());
}

}  // namespace sigexc::detail
