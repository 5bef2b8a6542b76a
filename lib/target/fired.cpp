// The list of what was handed over, and the thread that works it off.
#include "target/fired.hpp"

#include "mailbox/futex.hpp"
#include "target/record.hpp"

#include <pthread.h>
#include <signal.h>

#include <mutex>
#include <system_error>
#include <utility>

namespace sigexc::detail {

namespace {

struct state {
  std::atomic<fired_interrupt*> handed_over{nullptr};
  std::atomic<std::uint32_t> posts{0};
  std::atomic<unsigned> has{0};  // bits: see below
  std::mutex mutex;              // of who starts the thread
};
constinit state process;

constexpr unsigned in_foreign_code = 1;
constexpr unsigned is_prepared_for = 2;
constexpr unsigned has_thread = 4;  // set under the mutex

}  // namespace

fired_interrupt::fired_interrupt(mailbox& to, std::exception_ptr what)
    : interrupt(to, std::move(what), /*reusable=*/true) {
  start_waking(/*is_prepared=*/true);
}

void fired_interrupt::hand_over() noexcept {
  // Who takes it off the list clears the mark first, and calls after that.
  if (is_handed_over_.exchange(true, std::memory_order_acq_rel)) return;
  retain(*this);
  next_handed_over_ = process.handed_over.load(std::memory_order_relaxed);
  while (!process.handed_over.compare_exchange_weak(
      next_handed_over_, this, std::memory_order_release, std::memory_order_relaxed)) {
  }
  process.posts.fetch_add(1, std::memory_order_release);
  futex_wake(&process.posts, 1);
}

void* fired_interrupt::serve(void*) noexcept {
  for (;;) {
    const auto seen = process.posts.load(std::memory_order_acquire);
    auto* one = process.handed_over.exchange(nullptr, std::memory_order_acquire);
    if (one == nullptr) futex_wait(process.posts, seen);
    while (one != nullptr) {
      const auto done = reference<interrupt>::adopt(one);
      fired_interrupt& now = *std::exchange(one, one->next_handed_over_);
      now.is_handed_over_.exchange(false, std::memory_order_acq_rel);
      auto& to = static_cast<record&>(now.box);
      to.wakers.call_for(now, now.exception.__cxa_exception_type());
    }
  }
}

void start_waking(bool is_prepared) {
  const unsigned mine = is_prepared ? is_prepared_for : in_foreign_code;
  unsigned has = process.has.load(std::memory_order_acquire);
  if ((has & mine) == 0) has = process.has.fetch_or(mine, std::memory_order_acq_rel) | mine;
  if (has != (in_foreign_code | is_prepared_for)) return;
  const std::lock_guard lock(process.mutex);
  if ((process.has.load(std::memory_order_relaxed) & has_thread) != 0) return;
  // It handles no signals: those are for the threads of the program.
  sigset_t every;
  sigset_t before;
  sigfillset(&every);
  pthread_sigmask(SIG_SETMASK, &every, &before);
  pthread_t made;
  const int error = pthread_create(&made, nullptr, fired_interrupt::serve, nullptr);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (error != 0)
    throw std::system_error(error, std::generic_category(),
                            "sigexc: the thread that wakes foreign code could not be made");
  pthread_setname_np(made, "sigexc-wake");
  pthread_detach(made);
  process.has.fetch_or(has_thread, std::memory_order_release);
}

}  // namespace sigexc::detail
