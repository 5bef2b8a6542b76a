// Structured tasks: several threads whose life is that of a block of code.
//
//   const auto found = sigexc::race([&] { return ask(mirror_a); },     // the first answer;
//                                   [&] { return ask(mirror_b); });    // the other is called off
//
//   const auto [map, plan] = sigexc::all(load_map, load_plan);         // both, or neither
//
//   sigexc::task_group workers;
//   for (const auto& part : parts) workers.spawn([&part] { assemble(part); });
//   workers.join();                       // throws what ended one; the others are gone by then
//
// Whoever is not needed any more is terminated *and joined* before the call returns: all are told
// before any is joined. What a termination that was sent here ends is no error. What a task throws
// by itself is thrown here, or, where something else is thrown or returned already, told to the
// unobserved handler (D6): it is never lost.
//
// An interrupt to the thread that waits here terminates the tasks, joins them, and is then raised
// as it was sent; for that join nothing interrupts once more. Where a task is in a tree of tasks of
// its own, its termination so reaches them all.
//
// Tasks start unblocked (M2), also where the caller is blocked; then its wait is not interrupted. A
// task that cannot be ended (a loop without safe points, a block for ever) is waited for for ever.
#pragma once

#include <sigexc/detail/task_set.hpp>

#include <concepts>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>

namespace sigexc {

/// Calls all functions at once, each on a thread of its own, until the first of them ends.
///
/// @param functions called without arguments; they outlive their threads.
/// @return the result of the first to end, in a variant whose index is its position; `monostate`
///         for one that returns nothing, a `std::reference_wrapper` for a reference. The others are
///         terminated and joined; results of theirs are dropped.
///
/// Safe point: always.  Blocks: until the first has ended and the others were joined; interruptible
/// until the first has ended, after that its result is returned.  Threads: any.  Signals: unsafe.
/// Throws: what ended the first, if that was an exception; interrupts to the caller; as `thread` if
/// a thread cannot be made, after those that could were terminated and joined.
/// See: T3.
template <class... F>
requires(sizeof...(F) > 0 && (std::invocable<F> && ...)) auto race(F&&... functions) {
  using result = std::variant<detail::kept_result<F>...>;
  detail::task_set set(detail::task_set::decided_by::first_end);
  const std::tuple tasks(detail::borrowing_task<F>(functions)...);
  std::apply([&set](const auto&... task) { (set.start(task, {}), ...); }, tasks);
  const detail::thread_state* const first = set.join_first();
  return [&]<std::size_t... I>(std::index_sequence<I...>)->result {
    std::optional<result> won;
    const auto take = [&]<std::size_t N, class G>() {
      if (std::get<N>(tasks).get() != first) return;
      detail::check_result(*std::get<N>(tasks));
      won.emplace(std::in_place_index<N>, detail::take_result<G>(*std::get<N>(tasks)));
    };
    (take.template operator()<I, F>(), ...);
    return *std::move(won);
  }
  (std::index_sequence_for<F...>{});
}

/// Calls all functions at once, each on a thread of its own, until all have returned or one throws.
///
/// @param functions called without arguments; they outlive their threads.
/// @return their results, in a tuple; `monostate` and `std::reference_wrapper` as in `race`.
///
/// Safe point: always.  Blocks: until all have ended; interruptible until one has thrown.
/// Threads: any.  Signals: unsafe.
/// Throws: what ended one of them, after the others were terminated and joined; if others threw by
/// themselves as well, an `exception_group`, in the order of the functions; interrupts to the
/// caller; as `thread` if a thread cannot be made, after those that could were terminated and
/// joined. See: T3.
template <class... F>
requires(std::invocable<F>&&...) auto all(F&&... functions) {
  using result = std::tuple<detail::kept_result<F>...>;
  detail::task_set set(detail::task_set::decided_by::first_failure);
  const std::tuple tasks(detail::borrowing_task<F>(functions)...);
  std::apply([&set](const auto&... task) { (set.start(task, {}), ...); }, tasks);
  set.join();
  return std::apply([](const auto&... task) { return result(detail::take_result<F>(*task)...); },
                    tasks);
}

/// A task of a group: what `thread` is for a thread of one's own, but for its end, which is the
/// group's business. Copyable; may be kept after the group has gone.
template <class R>
class task {
 public:
  /// Sends `exception` to the task. See `target::interrupt`.
  template <class E>
  receipt interrupt(E exception) const {
    return get_target().interrupt(std::move(exception));
  }

  /// Sends `terminated`. The task that it ends has failed, as by any exception.
  receipt terminate() const { return get_target().terminate(); }

  /// Throws: `std::logic_error` if this was moved from, as all others here.
  [[nodiscard]] target get_target() const { return target(state().self); }

  /// Waits for the task to end. @return its result, by reference. Again: the same.
  ///
  /// Safe point: always.  Blocks: until then; interruptible.  Threads: any but the task itself.
  /// Throws: what ended the task (which the group does not hear of by that); interrupts to the
  /// caller; `std::system_error` when a task waits for itself.  See: D6, O6.
  decltype(auto) wait() const {
    detail::await_thread(state(), std::nullopt);
    detail::check_result(state());
    return state_->get();
  }

  /// Waits for at most `duration`. @return whether the task has ended.
  template <class D>
  [[nodiscard]] bool wait_for(D duration) const {
    return detail::await_thread(state(), detail::after(duration));
  }

  /// A token whose stop is requested by the termination of the task.
  [[nodiscard]] std::stop_token get_stop_token() const { return state().stop.get_token(); }

 private:
  friend class task_group;
  [[nodiscard]] detail::thread_result<R>& state() const {
    if (state_ == nullptr) detail::no_thread();
    return *state_;
  }
  explicit task(std::shared_ptr<detail::thread_result<R>> state) noexcept
      : state_(std::move(state)) {}

  std::shared_ptr<detail::thread_result<R>> state_;
};

/// Threads that belong together: they are joined together, and one that fails terminates the
/// others.
class task_group {
 public:
  task_group() noexcept : set_(detail::task_set::decided_by::first_failure) {}
  task_group(const task_group&) = delete;
  task_group& operator=(const task_group&) = delete;

  /// Terminates the tasks and joins them; that is not interrupted. What has ended tasks by itself
  /// goes to the unobserved handler. A task must not destroy its own group.  Safe point: never.
  ~task_group() = default;

  /// Starts a thread that calls `function(arguments...)`, all of them moved or copied.
  ///
  /// In a group that was terminated, or in which a task has failed, the function is not called,
  /// until `join()`: the task is terminated before it begins. So a task may spawn others at any
  /// time.
  ///
  /// @return the task; it need not be kept.
  ///
  /// Safe point: never.  Blocks: never.  Threads: any, the group's own too.  Signals: unsafe.
  /// Throws: as the constructor of `thread`; the group is as before then.  See: T3, S7.
  template <class F, class... A>
  requires std::invocable<std::decay_t<F>, std::decay_t<A>...>
  auto spawn(F&& function, A&&... arguments) {
    return spawn(thread_options{}, std::forward<F>(function), std::forward<A>(arguments)...);
  }

  /// As above, with options.
  template <class F, class... A>
  requires std::invocable<std::decay_t<F>, std::decay_t<A>...>
  auto spawn(const thread_options& options, F&& function, A&&... arguments) {
    using R = std::invoke_result_t<std::decay_t<F>, std::decay_t<A>...>;
    std::shared_ptr<detail::thread_result<R>> state =
        std::make_shared<detail::thread_task<R, std::decay_t<F>, std::decay_t<A>...>>(
            std::in_place, std::forward<F>(function), std::forward<A>(arguments)...);
    set_.start(state, options);
    return task<R>(std::move(state));
  }

  /// Waits until all tasks have ended, those too that are spawned meanwhile. Afterwards the group
  /// is empty, and can be used anew.
  ///
  /// Safe point: always.  Blocks: until then; interruptible, which terminates and joins all first,
  /// until a task has failed or the group is terminated.  Threads: one at a time, not its tasks.
  /// Signals: unsafe.
  /// Throws: what ended a task, unless it was a termination that the group has sent; for several,
  /// an `exception_group` in the order in which they were spawned; interrupts to the caller, and
  /// then what ended tasks by itself is told to the unobserved handler; `std::system_error`
  /// (EDEADLK) when one of its tasks calls it. A task of a task that calls it waits for ever.
  /// See: T3.
  void join() { set_.join(); }

  /// Terminates all tasks and waits for none; `join()` does, and the destructor. Tasks that wait
  /// for groups of their own terminate these. Until they were joined, what is spawned is not run.
  ///
  /// Safe point: never.  Blocks: never, but where there is no memory.  Threads: any.
  /// Signals: unsafe.  Throws: nothing.
  void terminate() noexcept { set_.terminate(); }

  /// How many tasks have not ended. A snapshot.
  [[nodiscard]] std::size_t running() const noexcept { return set_.running(); }

 private:
  detail::task_set set_;
};

}  // namespace sigexc
