// The callbacks that are attached to a target.
//
// Only the target's own thread runs them, others may add and remove. Removing a callback from
// another thread waits while it is running; removing it from within itself does not, and what runs
// stays alive until it has returned. The wait is a futex, since waiting for a std condition is a
// cancellation point, and detaching happens in destructors.
#pragma once

#include <sigexc/attach.hpp>
#include <sigexc/detail/current.hpp>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

namespace sigexc::detail {

class callback_list {
 public:
  // A callback that was found and is marked as running, until this is destroyed.
  class running {
   public:
    // Finds the innermost callback that `takes`.
    template <class Takes>
    running(callback_list& list, Takes takes) : list_(list) {
      if (list.count_.load(std::memory_order_relaxed) == 0) return;
      const std::lock_guard lock(list.mutex_);
      for (auto one = list.callbacks_.rbegin(); one != list.callbacks_.rend(); ++one) {
        if (!takes(**one)) continue;
        callback_ = *one;
        outer_ = list.innermost_running_;
        list.innermost_running_ = this;
        return;
      }
    }
    running(const running&) = delete;
    running& operator=(const running&) = delete;
    ~running();

    [[nodiscard]] callback* get() const noexcept { return callback_.get(); }
    [[nodiscard]] const std::shared_ptr<callback>& shared() const noexcept { return callback_; }

   private:
    friend class callback_list;
    callback_list& list_;
    std::shared_ptr<callback> callback_;
    const record* const target_ = current.self;
    running* outer_ = nullptr;
  };

  // Whether there is a callback that `takes`.
  template <class Takes>
  [[nodiscard]] bool has(Takes takes) {
    if (count_.load(std::memory_order_relaxed) == 0) return false;
    const std::lock_guard lock(mutex_);
    return std::any_of(callbacks_.begin(), callbacks_.end(),
                       [&](const auto& one) { return takes(*one); });
  }

  // How many were ever added.
  [[nodiscard]] std::size_t count_added() const noexcept {
    return added_.load(std::memory_order_acquire);
  }

  // Does nothing once the list is closed.
  void add(std::shared_ptr<callback> added, position where);
  void remove(const callback& removed) noexcept;
  // Removes all, for good.
  void close() noexcept;

  // Around a fork that the owner makes. (Of the callbacks that run, all run on its own thread.)
  void before_fork() noexcept { mutex_.lock(); }
  void after_fork() noexcept { mutex_.unlock(); }
  // In the child, where the owner was paused: somebody may have held the lock.
  void renew() noexcept { std::construct_at(&mutex_); }

 private:
  // Whether it is running on another thread than the caller's.
  [[nodiscard]] bool is_running_elsewhere(const callback& which) const noexcept;

  std::mutex mutex_;
  std::vector<std::shared_ptr<callback>> callbacks_;  // outermost first
  running* innermost_running_ = nullptr;
  bool is_closed_ = false;
  std::atomic<std::uint32_t> ended_{0};  // counts callbacks that have returned; a futex
  std::atomic<std::size_t> added_{0};
  std::atomic<std::size_t> count_{0};  // of `callbacks_`, so that having none costs no lock
};

}  // namespace sigexc::detail
