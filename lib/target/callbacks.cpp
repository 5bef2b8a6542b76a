// Adding, removing and marking callbacks.
#include "target/callbacks.hpp"

#include "mailbox/futex.hpp"
#include "target/record.hpp"

#include <algorithm>
#include <utility>

namespace sigexc::detail {

callback_list::running::~running() {
  if (callback_ == nullptr) return;
  const std::lock_guard lock(list_.mutex_);
  list_.innermost_running_ = outer_;
  // Whoever waits for the end of this callback also holds it, and destroys it. Only one that was
  // removed while it ran, by itself, is destroyed by the member's destructor, outside the lock.
  if (callback_.use_count() > 1) callback_ = nullptr;
  list_.ended_.fetch_add(1, std::memory_order_release);
  futex_wake(&list_.ended_);
}

void callback_list::add(std::shared_ptr<callback> added, position where) {
  const std::lock_guard lock(mutex_);
  if (is_closed_) return;
  callbacks_.insert(where == position::innermost ? callbacks_.end() : callbacks_.begin(),
                    std::move(added));
  count_ = callbacks_.size();
  added_.fetch_add(1, std::memory_order_release);
}

bool callback_list::is_running_elsewhere(const callback& which) const noexcept {
  for (const running* one = innermost_running_; one != nullptr; one = one->outer_) {
    if (one->callback_.get() != &which) continue;
    // Null: it has ended the enrollment. Or its computation is paused, in the midst of it.
    const current_block* const on = one->target_->runner();
    if (on != nullptr && on != &this_block()) return true;
  }
  return false;
}

void callback_list::remove(const callback& removed) noexcept {
  std::shared_ptr<callback> kept;  // destroyed after the lock is released
  std::unique_lock lock(mutex_);
  const auto found = std::find_if(callbacks_.begin(), callbacks_.end(),
                                  [&](const auto& one) { return one.get() == &removed; });
  if (found != callbacks_.end()) {
    kept = std::move(*found);
    callbacks_.erase(found);
    count_ = callbacks_.size();
  }
  while (is_running_elsewhere(removed)) {
    const auto ended = ended_.load(std::memory_order_relaxed);
    lock.unlock();
    futex_wait(ended_, ended);
    lock.lock();
  }
}

void callback_list::close() noexcept {
  std::vector<std::shared_ptr<callback>> dropped;  // destroyed after the lock is released
  const std::lock_guard lock(mutex_);
  dropped.swap(callbacks_);
  count_ = 0;
  is_closed_ = true;
}

}  // namespace sigexc::detail
