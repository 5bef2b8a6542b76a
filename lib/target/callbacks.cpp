// Adding, removing and marking callbacks.
#include "target/callbacks.hpp"

#include <algorithm>
#include <utility>

namespace sigexc::detail {

callback_list::running::~running() {
  if (callback_ == nullptr) return;
  const std::lock_guard lock(list_.mutex_);
  list_.innermost_running_ = outer_;
  list_.ended_.notify_all();
}

void callback_list::add(std::shared_ptr<callback> added, position where) {
  const std::lock_guard lock(mutex_);
  callbacks_.insert(where == position::innermost ? callbacks_.end() : callbacks_.begin(),
                    std::move(added));
  count_ = callbacks_.size();
}

bool callback_list::is_running(const callback& which) const noexcept {
  for (const running* one = innermost_running_; one != nullptr; one = one->outer_)
    if (one->callback_.get() == &which) return true;
  return false;
}

void callback_list::remove(const callback& removed, bool is_owner) noexcept {
  std::shared_ptr<callback> kept;  // destroyed after the lock is released
  std::unique_lock lock(mutex_);
  const auto found = std::find_if(callbacks_.begin(), callbacks_.end(),
                                  [&](const auto& one) { return one.get() == &removed; });
  if (found != callbacks_.end()) {
    kept = std::move(*found);
    callbacks_.erase(found);
    count_ = callbacks_.size();
  }
  if (!is_owner) ended_.wait(lock, [&] { return !is_running(removed); });
}

void callback_list::clear() noexcept {
  std::vector<std::shared_ptr<callback>> dropped;
  const std::lock_guard lock(mutex_);
  dropped.swap(callbacks_);
  count_ = 0;
}

}  // namespace sigexc::detail
