// The callbacks that are attached to a target.
//
// Only the target's own thread runs them, others may add and remove. Removing a callback from
// another thread waits while it is running; removing it from within itself does not, and what runs
// stays alive until it has returned.
#pragma once

#include <sigexc/attach.hpp>

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <vector>

namespace sigexc::detail {

class callback_list {
 public:
  // A callback that was found and is marked as running, until this is destroyed.
  class running {
   public:
    // Finds the innermost callback that `takes` (its type).
    template <class Takes>
    running(callback_list& list, Takes takes) : list_(list) {
      if (list.count_.load(std::memory_order_relaxed) == 0) return;
      const std::lock_guard lock(list.mutex_);
      for (auto one = list.callbacks_.rbegin(); one != list.callbacks_.rend(); ++one) {
        if (!takes((*one)->type())) continue;
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

   private:
    friend class callback_list;
    callback_list& list_;
    std::shared_ptr<callback> callback_;
    running* outer_ = nullptr;
  };

  void add(std::shared_ptr<callback> added, position where);
  void remove(const callback& removed, bool is_owner) noexcept;
  void clear() noexcept;

 private:
  [[nodiscard]] bool is_running(const callback& which) const noexcept;

  std::mutex mutex_;
  std::condition_variable ended_;
  std::vector<std::shared_ptr<callback>> callbacks_;  // outermost first
  running* innermost_running_ = nullptr;
  std::atomic<std::size_t> count_{0};  // of `callbacks_`, so that having none costs no lock
};

}  // namespace sigexc::detail
