// The threads of a `race`, an `all` or a `task_group`: started, told to end, and joined together.
#pragma once

#include <sigexc/thread.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace sigexc::detail {

// See lib/thread/task_set.cpp.
class SIGEXC_EXPORT task_set {
 public:
  // What decides it, so that those that still run are told to end.
  enum class decided_by { first_failure, first_end };

  explicit task_set(decided_by what) noexcept;
  task_set(const task_set&) = delete;
  task_set& operator=(const task_set&) = delete;
  // As `end()`.
  ~task_set();

  // Starts a task. If the set is being ended its body does not run: it is terminated before.
  // Throws as `thread` does.
  void start(const std::shared_ptr<thread_state>& task, const thread_options& options);

  // Waits until all have ended. Interrupted, it ends all, and then raises what has interrupted it.
  // Throws what has ended tasks by itself, as one exception or as a group.
  void join();
  // The same, for the first to end; @return which it was. What ended others is not thrown, but
  // told to the unobserved handler, and neither is what ended the first.
  const thread_state* join_first();

  // Tells all to end, and waits for none.
  void terminate() noexcept;
  // Terminates and joins all; what has ended them by itself is told to the unobserved handler.
  void end() noexcept;

  [[nodiscard]] std::size_t running() const noexcept {
    return running_.load(std::memory_order_relaxed);
  }

  // A task, on its own thread, as the last thing that it does for others.
  void task_ended(thread_state& task) noexcept;

 private:
  using tasks = std::vector<std::shared_ptr<thread_state>>;

  // In a child of fork(): the tasks are in the parent, and the mutex may be locked for ever (X1).
  [[nodiscard]] bool is_left_behind() const noexcept;
  void check_presence() const;  // throws std::system_error if it is
  void await_decision();
  void forget(const thread_state& task) noexcept;
  void tell_all() noexcept;
  tasks join_all() noexcept;
  void join_ended();

  const decided_by decided_by_;
  const std::uint32_t forks_before_;
  std::mutex mutex_;       // guards what is not atomic here, and in the tasks what says so
  tasks tasks_;            // in order of their start, until they were joined
  std::size_t ended_ = 0;  // how many of these have ended without a failure
  const thread_state* first_ = nullptr;    // the one that decided the set
  std::atomic<bool> is_ending_{false};     // decided or terminated; written under the mutex
  std::atomic<std::uint32_t> running_{0};  // at its address waits who joins
};

// A result as a value: nothing becomes `monostate`, a reference one that can be kept.
template <class R>
struct kept {
  using type = std::remove_cv_t<R>;
};
template <class R>
struct kept<R&> {
  using type = std::reference_wrapper<R>;
};
template <class R>
requires std::is_void_v<R>
struct kept<R> {
  using type = std::monostate;
};
template <class F>
using kept_result = typename kept<std::invoke_result_t<F>>::type;

// Moves the result out of a task that has one.
template <class F>
kept_result<F> take_result(thread_result<std::invoke_result_t<F>>& task) {
  using R = std::invoke_result_t<F>;
  if constexpr (std::is_void_v<R>) {
    return {};
  } else {
    return static_cast<R&&>(task.get());
  }
}

// A task that calls `function`, which outlives it.
template <class F>
std::shared_ptr<thread_result<std::invoke_result_t<F>>> borrowing_task(F& function) {
  using R = std::invoke_result_t<F>;
  check_callable(function, "race, all: a function");
  auto call = [&function]() -> R { return std::invoke(std::forward<F>(function)); };
  return std::make_shared<thread_task<R, decltype(call)>>(std::in_place, std::move(call));
}

}  // namespace sigexc::detail
