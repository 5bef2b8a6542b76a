// Resumable computations: work on a stack of its own that stops at a safe point and goes on later,
// on whichever thread resumes it. It is in the library `sigexc::context`, which needs
// Boost.Context.
//
//   sigexc::resumable<path> search([&] { return find_path(start, goal); });
//   search.resume();                  // runs here ... until it ends, or another thread calls
//   search.pause();                   // ... this; or an interrupt for the thread that runs it
//   comes dodge();                          // something urgent if (search.resume() ==
//   sigexc::progress::finished) use(search.result());
//
// A computation is a target of its own: what is sent to `get_target()` is raised inside, whichever
// thread runs it, and waits while none does. Its scopes, callbacks and deadlines go with it; time
// goes on while it is paused. Mutexes that it has locked stay locked while it is paused, and
// belong, as std::mutex has it, to the thread that locked them: pause with none.
#pragma once

#include <sigexc/attach.hpp>
#include <sigexc/detail/computation.hpp>
#include <sigexc/export.hpp>
#include <sigexc/target.hpp>

#include <atomic>
#include <cstddef>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <type_traits>
#include <typeinfo>
#include <utility>

namespace sigexc {

/// What has become of a computation that was resumed.
enum class progress {
  paused,   ///< it can be resumed again
  finished  ///< it has ended, and has a result
};

class continuation;

namespace detail {

struct context;

// A computation with its stack. It is counted: by its `resumable`, and by its continuations.
class SIGEXC_EXPORT stacked_computation : public computation {
 public:
  // Runs it until it ends or pauses. Throws what has ended it, interrupts to the caller, errors.
  // @param is_given_away set if a callback has given it to somebody else: `by` has it no more.
  progress resume(holder by, bool& is_given_away);
  // Its `resumable`, or its continuation, goes: who has it last unwinds it.
  void let_go(holder by) noexcept;
  // Throws unless it has ended; rethrows what has ended it.
  void check_result() const;
  void retain() noexcept { references_.fetch_add(1, std::memory_order_relaxed); }
  void release() noexcept {
    if (references_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
  }
  [[nodiscard]] bool is_finished() const noexcept {
    return is_finished_.load(std::memory_order_acquire);
  }

 protected:
  // Throws: std::invalid_argument for a stack that is too small; std::system_error, std::bad_alloc.
  explicit stacked_computation(std::size_t stack_size);
  ~stacked_computation() override;

  // Calls the body and keeps its result; and destroys the body.
  virtual void call() = 0;
  virtual void drop_body() noexcept = 0;

 private:
  friend struct context;

  void switch_out() override;
  void pause_here() override;
  // Of one that was taken: runs it on, deaf for interrupts to the caller, and never pausing, until
  // it has ended.
  void run_to_end() noexcept;
  progress finish();
  // Hands it to the callback that it has halted for. @return whether it is to be run on.
  bool call_back(bool& is_given_away);
  void unwind() noexcept;
  void request_end() noexcept;

  std::atomic<std::size_t> references_{1};
  std::exception_ptr failure_;
  std::atomic<bool> is_finished_{false};  // the result, or `failure_`, is there
  bool is_kept_ = false;    // counted once more, for who is about to go on in `resume`
  bool is_orphan_ = false;  // its `resumable` was destroyed from within
  // The thread that is in a callback which has got the continuation, and how many exceptions were
  // on their way there before; null: none.
  std::atomic<const void*> called_back_on_{nullptr};
  int uncaught_ = 0;
  bool is_dropped_ = false;  // by that callback's unwinding
  const std::unique_ptr<context, void (*)(context*)> context_;
};

// What a `resumable` and its computation share.
template <class R>
class resumable_result : public stacked_computation {
 public:
  using stacked_computation::stacked_computation;
  template <class F>
  void keep(F& body) {
    value_.emplace(std::invoke(body));
  }
  R& get() noexcept { return *value_; }

 private:
  std::optional<R> value_;
};
template <class R>
class resumable_result<R&> : public stacked_computation {
 public:
  using stacked_computation::stacked_computation;
  template <class F>
  void keep(F& body) {
    value_ = std::addressof(static_cast<R&>(std::invoke(body)));
  }
  R& get() noexcept { return *value_; }

 private:
  R* value_ = nullptr;
};
template <>
class resumable_result<void> : public stacked_computation {
 public:
  using stacked_computation::stacked_computation;
  template <class F>
  void keep(F& body) {
    static_cast<void>(std::invoke(body));
  }
  void get() noexcept {}
};

template <class R, class F>
class resumable_body final : public resumable_result<R> {
 public:
  template <class G>
  resumable_body(G&& body, std::size_t stack_size)
      : resumable_result<R>(stack_size), body_(std::forward<G>(body)) {
    check_callable(*body_, "resumable: what it is to call");
  }
  ~resumable_body() noexcept override = default;  // whatever that of the body says

 private:
  void call() override { this->keep(*body_); }
  void drop_body() noexcept override { body_.reset(); }

  std::optional<F> body_;
};

[[noreturn]] SIGEXC_EXPORT void no_computation();

// A callback that gets the computation.
class SIGEXC_EXPORT continuation_callback : public callback {
 public:
  using callback::callback;
  ~continuation_callback() override;
  void operator()(const void* object) override;
  [[nodiscard]] bool gets_computation() const noexcept override { return true; }
  virtual continuation hand(const void* object, continuation interrupted) = 0;
};

// The calling computation's record. Throws std::logic_error outside of one.
SIGEXC_EXPORT reference<record> this_computation();

}  // namespace detail

/// A computation on a stack of its own, with a result of type `R`, which is deduced from its body.
///
/// It begins with the first `resume()`. Movable. Destroyed while it is paused, it unwinds there and
/// then: `terminated` is raised in it, on the destroying thread, again and again if it swallows it;
/// where that cannot be raised (in a `noexcept` function, in a destructor) it runs on to where it
/// can. Destroyed by the computation itself, it unwinds when that next pauses; while another thread
/// runs it, the destructor terminates it and waits.
template <class R>
class resumable {
 public:
  /// @param body called without arguments, once. @param stack_size in bytes; at least 16 KiB. Only
  ///        what was touched of it takes memory. Behind its end lies a guard: an overflow is told
  ///        on stderr, and ends the process by SIGSEGV.
  ///
  /// Safe point: never.  Blocks: never.  Threads: any.  Signals: unsafe.
  /// Throws: `std::invalid_argument` for a stack that is too small, or a body that is a null
  /// pointer or an empty `std::function`; `std::system_error` where there is no place for a stack
  /// or its guard, or if another handler owns SIGEXC's signal (X2); `std::bad_alloc`; what copying
  /// the body throws.
  template <class F>
  requires(!std::is_same_v<std::remove_cvref_t<F>, resumable> &&
           std::is_invocable_v<std::decay_t<F>&>) explicit resumable(F&& body,
                                                                     std::size_t stack_size = 256 *
                                                                                              1024)
      : state_(new detail::resumable_body<R, std::decay_t<F>>(std::forward<F>(body), stack_size)) {}

  resumable(resumable&& other) noexcept : state_(std::exchange(other.state_, nullptr)) {}
  resumable& operator=(resumable&& other) noexcept {
    if (this != &other) {
      if (state_ != nullptr) state_->let_go(detail::holder::object);
      state_ = std::exchange(other.state_, nullptr);
    }
    return *this;
  }
  resumable(const resumable&) = delete;
  resumable& operator=(const resumable&) = delete;
  ~resumable() {
    if (state_ != nullptr) state_->let_go(detail::holder::object);
  }

  /// Runs it on the calling thread until it ends or pauses.
  ///
  /// It is an interruptible operation: an interrupt to the calling thread pauses the computation at
  /// its next safe point, a wait included, and is raised here; the computation can be resumed, and
  /// what it waited for it waits for again. What the scopes around this call hold waits; and so it
  /// does while the computation has blocked `pause_request`. Computations may resume others: then
  /// the innermost pauses first.
  ///
  /// Safe point: always.  Blocks: as the computation does; interruptible.
  /// Threads: any, one at a time.  Signals: unsafe.
  /// Throws: what ends the computation; interrupts to the caller; `std::logic_error` if it has
  /// finished, if a thread is running it, or while a callback, or whom that has given it to, has
  /// its continuation (see `attach_continuation`).
  progress resume() {
    bool is_given_away = false;
    return state().resume(detail::holder::object, is_given_away);
  }

  /// Asks it to pause at its next safe point; asked again before that: once. Before it has begun:
  /// at its first. Once it has ended there is no effect. The same is done by a `pause_request` that
  /// is sent to its target, also as a `prepared_interrupt`, from a signal handler.
  ///
  /// Safe point: never, also in the computation itself.  Blocks: never.  Threads: any.
  /// Signals: unsafe.  Throws: `std::logic_error` if this was moved from, as all others here.
  void pause() const { state().pause(); }

  /// The computation as a target: interrupts to it are raised inside it, whichever thread runs it.
  /// Safe point: never.
  [[nodiscard]] target get_target() const { return target(state().self()); }

  /// Its result, by reference; moved out of a temporary.
  ///
  /// Safe point: never.  Blocks: never.  Threads: any.  Signals: unsafe.
  /// Throws: what has ended the computation, each time; `std::logic_error` before its end.
  decltype(auto) result() & {
    state().check_result();
    return state_->get();
  }
  R result() && {
    state().check_result();
    if constexpr (!std::is_void_v<R>) return static_cast<R&&>(state_->get());
  }

 private:
  [[nodiscard]] detail::resumable_result<R>& state() const {
    if (state_ == nullptr) detail::no_computation();
    return *state_;
  }

  detail::resumable_result<R>* state_;
};

template <class F>
resumable(F&&) -> resumable<std::invoke_result_t<std::decay_t<F>&>>;
template <class F>
resumable(F&&, std::size_t) -> resumable<std::invoke_result_t<std::decay_t<F>&>>;

/// An interrupted computation, as `attach_continuation` hands it out. Movable; empty when it was
/// moved from, and once the computation has ended. Destroyed, it unwinds the computation.
class SIGEXC_EXPORT continuation {
 public:
  continuation() noexcept = default;
  continuation(continuation&& other) noexcept : state_(std::exchange(other.state_, nullptr)) {}
  continuation& operator=(continuation&& other) noexcept {
    if (this != &other) {
      drop();
      state_ = std::exchange(other.state_, nullptr);
    }
    return *this;
  }
  continuation(const continuation&) = delete;
  continuation& operator=(const continuation&) = delete;
  ~continuation() { drop(); }

  /// Whether there is a computation that can be resumed.
  explicit operator bool() const noexcept { return state_ != nullptr; }

  /// Runs it on the calling thread until it ends, which empties this, or pauses.
  /// As `resumable::resume`. Throws: `std::logic_error` if this is empty.
  progress resume();

  // For the library.
  explicit continuation(detail::stacked_computation& interrupted) noexcept : state_(&interrupted) {
    interrupted.retain();
  }
  [[nodiscard]] bool is_of(const detail::stacked_computation& which) const noexcept {
    return state_ == &which;
  }
  // It is the `resumable`'s again.
  void give_back() noexcept;

 private:
  void drop() noexcept;

  detail::stacked_computation* state_ = nullptr;
};

namespace detail {

template <class E, class F>
class typed_continuation_callback final : public continuation_callback {
 public:
  explicit typed_continuation_callback(F function)
      : continuation_callback(typeid(E)), function_(std::move(function)) {}
  ~typed_continuation_callback() noexcept override = default;  // whatever that of F says
  continuation hand(const void* object, continuation interrupted) override {
    if constexpr (std::is_pointer_v<E>) {
      return function_(reinterpret_cast<E>(const_cast<void*>(object)), std::move(interrupted));
    } else {
      return function_(*static_cast<const E*>(object), std::move(interrupted));
    }
  }

 private:
  F function_;
};

}  // namespace detail

/// Attaches a callback for interrupts of type `E` to the computation that calls this, which gets
/// the interrupted computation itself and decides what becomes of it.
///
/// It is called outside the computation's stack, on that of who has resumed it, with every
/// interrupt blocked there. The continuation that it returns is resumed at once, and the interrupt
/// has been handled. It may also drop it, and the computation unwinds; resume it itself; or keep
/// it, or hand it to another thread, and return an empty one: then `resume()` returns, and the
/// `resumable` can no longer resume the computation, though it still has its result in the end.
/// Where it throws, and has not given the continuation away, that exception is raised in the
/// computation instead.
///
/// @param function called as `function(const E&, continuation)`, returns a `continuation`.
/// @return keeps it attached.
///
/// Safe point: never.  Blocks: never.  Threads: acts on the calling computation.  Signals: unsafe.
/// Throws: `std::logic_error` outside of a computation; `std::invalid_argument` for a null pointer
/// or an empty `std::function`; `std::bad_alloc`.
/// See: D3; SML/NJ's `Signals.setHandler`.
template <class E, class F>
[[nodiscard]] attachment<E> attach_continuation(F function) {
  static_assert(std::is_invocable_r_v<continuation, F&, const E&, continuation>,
                "sigexc: the callback takes a const E& and a continuation, and returns one");
  detail::check_callable(function, "attach_continuation: the callback");
  return attachment<E>(
      detail::this_computation(),
      std::make_shared<detail::typed_continuation_callback<E, F>>(std::move(function)));
}

}  // namespace sigexc
