// Entering, calling and leaving wakers.
#include "target/wakers.hpp"

#include "mailbox/forks.hpp"
#include "mailbox/futex.hpp"
#include "mailbox/interrupt.hpp"
#include "signal/install.hpp"

#include <sigexc/detail/current.hpp>
#include <sigexc/mask.hpp>

namespace sigexc::detail {

namespace {

// Whether the scopes around the foreign code let an interrupt of `type` through.
bool is_let_through(const waker& one, const std::type_info* type) noexcept {
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

// Whether it ends the foreign code for that: it could also be raised there (R3).
bool may_raise(const waker& one, const std::type_info* type) noexcept {
  return is_let_through(one, type) && one.types.include(type);
}

}  // namespace

bool waker_list::enter(waker& one) noexcept {
  const std::lock_guard lock(mutex_);
  one.block = &this_block();
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

void waker_list::call_for(const interrupt& sent, std::uint32_t firing,
                          const std::type_info* type) noexcept {
  if (!has_any()) return;
  if (has_barrier_everywhere()) barrier_everywhere();
  std::unique_lock lock(mutex_);
  waker* const one = innermost_.load(std::memory_order_relaxed);
  const bool is_pending = sent.state.load(std::memory_order_relaxed) == sent.pending_here(firing);
  if (one == nullptr || !is_pending || !may_raise(*one, type)) return;
  const bool is_owner = one->block == &current;
  one->is_missed = is_owner || one->block->quiet.load(std::memory_order_relaxed);
  if (is_owner) post();
  if (!one->is_missed) call(*one, lock);
}

void waker_list::call_for_held(const interrupt* first) noexcept {
  const std::lock_guard lock(mutex_);
  waker* const one = innermost_.load(std::memory_order_relaxed);
  if (one == nullptr) return;
  for (; first != nullptr; first = first->next.load(std::memory_order_relaxed)) {
    if (first->is_withdrawn() || !may_raise(*one, first->exception.__cxa_exception_type()))
      continue;
    one->is_missed = true;
    post();
    return;
  }
}

void waker_list::post_for(const std::type_info& type) noexcept {
  if (!has_any()) return;
  const std::lock_guard lock(mutex_);
  waker* const one = innermost_.load(std::memory_order_relaxed);
  if (one == nullptr || !is_let_through(*one, &type)) return;
  one->is_missed = true;
  post();
}

void waker_list::run() noexcept {
  if (has_barrier_everywhere()) barrier_everywhere();
  std::unique_lock lock(mutex_);
  waker* const one = innermost_.load(std::memory_order_relaxed);
  if (one == nullptr || !one->is_missed || one->block->quiet.load(std::memory_order_relaxed))
    return;
  one->is_missed = false;
  call(*one, lock);
}

void waker_list::before_fork() noexcept { mutex_.lock(); }

void waker_list::after_fork(bool is_child) noexcept {
  for (waker* one = is_child ? innermost_.load(std::memory_order_relaxed) : nullptr; one != nullptr;
       one = one->outer) {
    one->is_called_again = false;
    one->is_missed = false;
    one->running.store(0, std::memory_order_relaxed);  // who is in the call exists in the parent
  }
  mutex_.unlock();
}

void waker_list::call(waker& one, std::unique_lock<std::mutex>& lock) noexcept {
  const std::uint32_t process = forks();
  one.is_called_again = true;
  if (one.running.load(std::memory_order_relaxed) != 0) return;
  one.running.store(1, std::memory_order_relaxed);
  do {
    one.is_called_again = false;
    lock.unlock();
    {
      // What is pending for the sender must not be raised by what the waker does.
      const scope everything_blocked(policy::never, governed_types<>);
      one.call(one.argument);
    }
    if (forks() != process) return;  // it has called fork(): the target is in the parent
    lock.lock();
  } while (one.is_called_again);
  one.is_called = true;
  one.running.store(0, std::memory_order_relaxed);
  const auto* const word = &one.running;
  lock.unlock();
  futex_wake(word);  // by its address: the waker may be gone
}

}  // namespace sigexc::detail
