// Threads that are targets: enrolled ones, and sigexc's own, which have a result.
#pragma once

#include <sigexc/attach.hpp>
#include <sigexc/target.hpp>

#include <pthread.h>

#include <atomic>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>

namespace sigexc {

/// Thrown where a thread must be a target and is none.
class SIGEXC_EXPORT not_enrolled : public std::logic_error {
 public:
  not_enrolled();
  not_enrolled(const not_enrolled&) noexcept = default;
  ~not_enrolled() override;
};

/// Makes the calling thread a target, until it is destroyed on the same thread.
///
/// For threads that something else has made: `main`, a pool, a foreign library's callback thread.
class SIGEXC_EXPORT enrollment {
 public:
  /// @param name for people, in diagnosis.
  ///
  /// Safe point: never.  Blocks: never.  Signals: unsafe.  Throws: `std::logic_error` if the thread
  /// is a target already; `std::system_error` if another handler owns SIGEXC's signal (X2);
  /// `std::bad_alloc`.
  explicit enrollment(std::string name = {});

  /// What is still pending is discarded (S8).  Safe point: never.
  ~enrollment();

  enrollment(const enrollment&) = delete;
  enrollment& operator=(const enrollment&) = delete;

  /// Safe point: never.  Blocks: never.  Threads: any.  Throws: nothing.
  [[nodiscard]] target get_target() const noexcept;

  /// A token whose stop is requested by `target::terminate()`: see `this_thread::get_stop_token`.
  /// Safe point: never.  Blocks: never.  Threads: any.  Throws: nothing.
  [[nodiscard]] std::stop_token get_stop_token() const noexcept;

 private:
  detail::reference<detail::record> record_;
};

namespace this_thread {
/// The calling thread as a target.  Safe point: never.  Throws: `not_enrolled` if it is none.
[[nodiscard]] SIGEXC_EXPORT target get_target();

/// A token whose stop is requested by `terminate()`, for code that takes one: the waits of
/// `std::condition_variable_any`, libraries that poll it or register a `std::stop_callback`.
///
///   changed.wait(lock, sigexc::this_thread::get_stop_token(), [&] { return is_ready; });
///   sigexc::safe_point();                    // raises `terminated`, if that is why it returned
///
/// The token is requested after the termination was queued, whatever the scopes here hold: who
/// finds a stop finds the termination pending, unless it was delivered already. An acknowledged
/// termination does not take the request back, and other interrupts make none.
///
/// Safe point: never.  Blocks: never.  Threads: acts on the caller's.  Signals: unsafe.
/// Throws: `not_enrolled` on a thread that is no target.  See: D5, `std::jthread`.
[[nodiscard]] SIGEXC_EXPORT std::stop_token get_stop_token();
}  // namespace this_thread

struct thread_options {
  std::string name{};          ///< for people; the first 15 bytes are the kernel's name too
  std::size_t stack_size = 0;  ///< in bytes; 0: the system's default
  bool start_blocked = false;  ///< the body begins inside a block of everything
};

/// Gets what ended a thread that nobody waited for (see `set_unobserved_handler`).
using unobserved_handler = void (*)(const target&, std::exception_ptr) noexcept;

/// Sets who is told about exceptions that ended a thread and that nobody waited for, except
/// `terminated`. The default, which null restores, writes one line to stderr.
///
/// @return the previous one.
///
/// Safe point: never.  Blocks: never.  Threads: any.  Signals: unsafe.  Throws: nothing.  See: D6.
SIGEXC_EXPORT unobserved_handler set_unobserved_handler(unobserved_handler handler) noexcept;

namespace detail {

class task_set;

// What a thread and its handle share, apart from the result.
class SIGEXC_EXPORT thread_state {
 public:
  thread_state() = default;
  thread_state(const thread_state&) = delete;
  thread_state& operator=(const thread_state&) = delete;
  virtual ~thread_state();

  // Runs the body and keeps its result; and destroys the callable, on the thread that ran it.
  virtual void run() = 0;
  virtual void drop_callable() noexcept = 0;

  reference<record> self;
  std::stop_source stop;
  pthread_t handle{};
  bool start_blocked = false;

  // What ended the thread instead of a result. Written by the thread before `finished`, read by
  // others after it (release, acquire).
  std::exception_ptr failure;
  std::atomic<std::uint32_t> finished{0};
  std::atomic<bool> observed{false};
  // The set that it is a task of, or null; and what that set notes of it, under its mutex: that it
  // was sent a termination, and that it has ended.
  task_set* set = nullptr;
  bool is_told = false;
  bool has_ended = false;
  // The thread has destroyed its own handle. The thread's alone.
  bool is_on_its_own = false;
};

SIGEXC_EXPORT void start_thread(const std::shared_ptr<thread_state>& state,
                                const thread_options& options);
// Waits, interruptibly. False: the deadline passed first.
SIGEXC_EXPORT bool await_thread(thread_state& state,
                                std::optional<std::chrono::steady_clock::time_point> deadline);
// Throws what ended the thread, if it was no result.
SIGEXC_EXPORT void check_result(thread_state& state);
SIGEXC_EXPORT void end_thread(const std::shared_ptr<thread_state>& state) noexcept;
[[noreturn]] SIGEXC_EXPORT void no_thread();

template <class R>
class thread_result : public thread_state {
 public:
  std::optional<R> value;
  template <class F>
  void keep(F&& call) {
    value.emplace(std::forward<F>(call)());
  }
  R& get() noexcept { return *value; }
};
template <class R>
class thread_result<R&> : public thread_state {
 public:
  R* value = nullptr;
  template <class F>
  void keep(F&& call) {
    value = std::addressof(std::forward<F>(call)());
  }
  R& get() noexcept { return *value; }
};
template <>
class thread_result<void> : public thread_state {
 public:
  template <class F>
  void keep(F&& call) {
    std::forward<F>(call)();
  }
  void get() noexcept {}
};

template <class R, class F, class... A>
class thread_task final : public thread_result<R> {
 public:
  template <class G, class... B>
  explicit thread_task(std::in_place_t, G&& function, B&&... arguments)
      : call_(std::in_place, std::forward<G>(function), std::forward<B>(arguments)...) {
    check_callable(std::get<0>(*call_), "thread: what it is to call");
  }
  ~thread_task() noexcept override = default;  // whatever that of the callable says
  void run() override {
    this->keep([this]() -> R {
      return std::apply(
          [](F& function, A&... arguments) -> R {
            return static_cast<R>(std::invoke(std::move(function), std::move(arguments)...));
          },
          *call_);
    });
  }
  void drop_callable() noexcept override { call_.reset(); }

 private:
  std::optional<std::tuple<F, A...>> call_;
};

}  // namespace detail

/// A thread that is a target and has a result of type `R`, which is deduced from its callable.
///
///   sigexc::thread search([&] { return find_path(start, goal); });
///   search.interrupt(obstacle{...});       // thrown inside find_path, at its next safe point
///   use(search.wait());                    // the result, or throws what ended the search
///
/// Destroyed, it terminates the thread and joins it. It starts unblocked, whatever the scopes of
/// its creator (M2).
template <class R>
class thread {
 public:
  /// Starts a thread that calls `function(arguments...)`, all of them moved or copied.
  ///
  /// Safe point: never.  Blocks: never.  Signals: unsafe.
  /// Throws: `std::system_error` if the thread cannot be made, or if another handler owns SIGEXC's
  /// signal (X2); `std::invalid_argument` if the function is a null pointer or an empty
  /// `std::function`; `std::bad_alloc`; what copying throws.
  template <class F, class... A>
  requires std::invocable<std::decay_t<F>, std::decay_t<A>...>
  explicit thread(F&& function, A&&... arguments)
      : thread(thread_options{}, std::forward<F>(function), std::forward<A>(arguments)...) {}

  /// As above, with options.
  template <class F, class... A>
  requires std::invocable<std::decay_t<F>, std::decay_t<A>...> thread(thread_options options,
                                                                      F&& function,
                                                                      A&&... arguments)
      : state_(std::make_shared<detail::thread_task<R, std::decay_t<F>, std::decay_t<A>...>>(
            std::in_place, std::forward<F>(function), std::forward<A>(arguments)...)) {
    detail::start_thread(state_, options);
  }

  thread(thread&&) noexcept = default;
  thread& operator=(thread&& other) noexcept {
    if (this != &other) {
      end();
      state_ = std::move(other.state_);
    }
    return *this;
  }
  thread(const thread&) = delete;
  thread& operator=(const thread&) = delete;

  /// Terminates the thread and joins it; the join is not interrupted. An exception that ended it
  /// and that nobody waited for goes to the unobserved handler.  Safe point: never.
  ~thread() { end(); }

  /// Sends `exception` to this thread. See `target::interrupt`.
  template <class E>
  receipt interrupt(E exception) const {
    return get_target().interrupt(std::move(exception));
  }

  /// Sends `terminated`. See `target::terminate`.
  receipt terminate() const { return get_target().terminate(); }

  /// Safe point: never.  Throws: `std::logic_error` if this was moved from, as all others here.
  [[nodiscard]] target get_target() const { return target(state().self); }

  /// Waits for the thread to end.
  ///
  /// @return its result, by reference; moved out of a temporary thread. Again: the same.
  ///
  /// Safe point: always.  Blocks: until then; interruptible, after which it can be called again.
  /// Threads: any but the thread itself.  Signals: unsafe.
  /// Throws: what ended the thread, each time; interrupts to the caller; `std::system_error` when
  /// a thread waits for itself, and in a child of fork() for a thread that is in the parent
  /// (ESRCH). See: D6, O6, X1.
  decltype(auto) wait() & {
    detail::await_thread(state(), std::nullopt);
    detail::check_result(state());
    return state_->get();
  }
  R wait() && {
    detail::await_thread(state(), std::nullopt);
    detail::check_result(state());
    if constexpr (!std::is_void_v<R>) return static_cast<R&&>(state_->get());
  }

  /// Waits for at most `duration`. @return whether the thread has ended.
  /// Otherwise as `wait()`, but does not throw what ended the thread.
  template <class D>
  [[nodiscard]] bool wait_for(D duration) {
    return detail::await_thread(state(), detail::after(duration));
  }

  /// Waits until `time` at the latest. @return whether the thread has ended.
  template <class T>
  [[nodiscard]] bool wait_until(T time) {
    using seconds = std::chrono::duration<double>;  // which no time is too far away for
    return wait_for(seconds(time.time_since_epoch()) - seconds(T::clock::now().time_since_epoch()));
  }

  /// Attaches a callback to that thread, from outside it and for as long as it runs, behind those
  /// that it has. See `sigexc::attach`.
  template <class E, class F>
  void attach(F callback) {
    detail::add_callback(*state().self, detail::make_callback<E>(std::move(callback)),
                         detail::position::outermost);
  }

  /// A token whose stop is requested by `terminate()`: see `this_thread::get_stop_token`.
  [[nodiscard]] std::stop_token get_stop_token() const { return state().stop.get_token(); }

 private:
  [[nodiscard]] detail::thread_result<R>& state() const {
    if (state_ == nullptr) detail::no_thread();
    return *state_;
  }
  void end() noexcept {
    if (state_ != nullptr) detail::end_thread(state_);
    state_ = nullptr;
  }

  std::shared_ptr<detail::thread_result<R>> state_;
};

template <class F, class... A>
thread(F&&, A&&...) -> thread<std::invoke_result_t<std::decay_t<F>, std::decay_t<A>...>>;
template <class F, class... A>
thread(thread_options, F&&, A&&...)
    -> thread<std::invoke_result_t<std::decay_t<F>, std::decay_t<A>...>>;

}  // namespace sigexc
