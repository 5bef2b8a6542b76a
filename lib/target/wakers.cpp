// Entering, calling and leaving wakers.
#include "target/wakers.hpp"

#include "mailbox/futex.hpp"
#include "mailbox/interrupt.hpp"

#include <sigexc/detail/current.hpp>
#include <sigexc/mask.hpp>

namespace sigexc::detail {

namespace {

// Whether the scopes around the foreign code let an interrupt of `type` through.
bool is_let_through(const waker& one, const std::type_info* type) noexcept {
  if (one.block->quiet.load(std::memory_order_relaxed)) return false;
  const policy governing = scope::lookup(one.innermost, [type](type_list governed) {
    if (type == nullptr) return false;
    for (; *governed != nullptr; ++governed) {
      void* object = nullptr;
      if ((*governed)->__do_catch(type, &object, 1)) return true;
    }
    return false;
  });
  return governing != policy::never;
}

}  // namespace

bool waker_list::enter(waker& one) noexcept {
  const std::lock_guard lock(mutex_);
  one.outer = innermost_.load(std::memory_order_relaxed);
  innermost_.store(&one, std::memory_order_seq_cst);
  if (current.pending_flag.load(std::memory_order_seq_cst) == 0) return true;
  innermost_.store(one.outer, std::memory_order_relaxed);
  return false;
}

void waker_list::leave(waker& one) noexcept {
  std::unique_lock lock(mutex_);
  innermost_.store(one.outer, std::memory_order_relaxed);
  while (one.running.load(std::memory_order_relaxed) != 0) {
    lock.unlock();
    futex_wait(one.running, 1);
    lock.lock();
  }
}

void waker_list::call(const interrupt* sent, const std::type_info* type) noexcept {
  std::unique_lock lock(mutex_);
  waker* const one = innermost_.load(std::memory_order_relaxed);
  if (one == nullptr) return;
  if (sent != nullptr && (sent->state.load(std::memory_order_relaxed) != status::pending ||
                          !is_let_through(*one, type)))
    return;
  one->is_called = true;
  one->is_called_again = true;
  if (one->running.load(std::memory_order_relaxed) != 0) return;
  one->running.store(1, std::memory_order_relaxed);
  do {
    one->is_called_again = false;
    lock.unlock();
    {
      // What is pending for the sender must not be raised by what the waker does.
      const scope everything_blocked(policy::never, governed_types<>);
      one->call(one->argument);
    }
    lock.lock();
  } while (one->is_called_again);
  one->running.store(0, std::memory_order_relaxed);
  const auto* const word = &one->running;
  lock.unlock();
  futex_wake(word);  // by its address: the waker may be gone
}

}  // namespace sigexc::detail
