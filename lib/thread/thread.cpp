// Starting, running, awaiting and ending a thread.
#include <sigexc/thread.hpp>

#include "mailbox/error_in_place.hpp"
#include "mailbox/parking_lot.hpp"
#include "target/record.hpp"
#include "thread/start.hpp"
#include "thread/unobserved.hpp"
#include "wait/await.hpp"

#include <sigexc/detail/task_set.hpp>
#include <sigexc/exceptions.hpp>
#include <sigexc/mask.hpp>

#include <cxxabi.h>
#include <pthread.h>
#include <sched.h>

#include <cerrno>
#include <new>
#include <system_error>
#include <utility>

namespace sigexc::detail {

thread_state::~thread_state() = default;

namespace {

void report_if_unobserved(const thread_state& state) noexcept {
  if (state.failure != nullptr && !state.observed.load(std::memory_order_relaxed))
    report_unobserved(target(state.self), state.failure);
}

// The thread's end, in whatever way it comes: the target is finished first, then whoever waits
// sees the result.
class ending {
 public:
  explicit ending(thread_state& state) noexcept : state_(state) {}
  ending(const ending&) = delete;
  ending& operator=(const ending&) = delete;
  ~ending() {
    {
      const scope nothing_more(policy::never, governed_types<>);
      state_.drop_callable();
    }
    state_.self->end();
    if (state_.set != nullptr) state_.set->task_ended(state_);
    if (state_.is_on_its_own) report_if_unobserved(state_);
    state_.finished.store(1, std::memory_order_seq_cst);
    parking_lot::wake_all(&state_.finished);
  }

 private:
  thread_state& state_;
};

// Not inlined: so the landing pad of its caller leads to the handlers there and to nothing else,
// and the check before a raise can read it however the library is compiled.
[[gnu::noinline]] void run_body(thread_state& state) {
  if (state.start_blocked) {
    const scope everything_blocked(policy::never, governed_types<>);
    state.run();
    return;
  }
  {
    // S7: a termination keeps the body from running; all else waits for its first safe point.
    const scope everything_blocked(policy::never, governed_types<>);
    const unblock_scope<terminated> but_for_termination;
  }
  state.run();
}

// A forced unwinding has no object, and UndefinedBehaviorSanitizer objects to a catch clause that
// refers to it.
__attribute__((no_sanitize("null"))) void* thread_main(void* argument) {
  const auto state = *std::unique_ptr<std::shared_ptr<thread_state>>(
      static_cast<std::shared_ptr<thread_state>*>(argument));
  record& self = *state->self;
  if (!self.name.empty()) pthread_setname_np(pthread_self(), self.name.substr(0, 15).c_str());
  self.begin();
  const ending at_end(*state);
  try {
    run_body(*state);
  } catch (abi::__forced_unwind&) {  // pthread_exit or pthread_cancel: it must go on
    state->failure =
        error_in_place("sigexc: the thread was ended by pthread_exit or pthread_cancel");
    throw;
  } catch (...) {
    state->failure = std::current_exception();  // D6
    if (state->failure == nullptr)              // not a C++ exception
      state->failure = error_in_place("sigexc: the thread was ended by a foreign exception");
  }
  return nullptr;
}

// pthread_attr_t, destroyed in every case.
class attributes {
 public:
  attributes() { check(pthread_attr_init(&attributes_)); }
  attributes(const attributes&) = delete;
  attributes& operator=(const attributes&) = delete;
  ~attributes() { pthread_attr_destroy(&attributes_); }
  void set_stack_size(std::size_t bytes) { check(pthread_attr_setstacksize(&attributes_, bytes)); }
  [[nodiscard]] const pthread_attr_t* get() const noexcept { return &attributes_; }

  static void check(int error) {
    if (error != 0)
      throw std::system_error(error, std::generic_category(),
                              "sigexc: a thread could not be made; thread_options::stack_size, if "
                              "given, must be at least PTHREAD_STACK_MIN");
  }

 private:
  pthread_attr_t attributes_;
};

}  // namespace

void make_target(thread_state& state, const thread_options& options) {
  state.start_blocked = options.start_blocked;
  state.self = make_record(options.name, state.stop);
}

void launch(const std::shared_ptr<thread_state>& state, const thread_options& options) {
  try {
    attributes wanted;
    if (options.stack_size != 0) wanted.set_stack_size(options.stack_size);
    auto argument = std::make_unique<std::shared_ptr<thread_state>>(state);
    attributes::check(pthread_create(&state->handle, wanted.get(), thread_main, argument.get()));
    static_cast<void>(argument.release());  // the thread owns it now
  } catch (...) {
    state->self->abandon();
    throw;
  }
}

void start_thread(const std::shared_ptr<thread_state>& state, const thread_options& options) {
  make_target(*state, options);
  launch(state, options);
}

bool await_thread(thread_state& state, deadline until) {
  if (current.self != nullptr && current.self == state.self.get())
    throw std::system_error(EDEADLK, std::generic_category(),
                            "sigexc: thread::wait: the thread would wait for itself");
  return await(
      &state.finished,
      [&state] {
        return state.finished.load(std::memory_order_seq_cst) != 0 || state.self->is_left_behind();
      },
      until);
}

void check_result(thread_state& state) {
  if (state.finished.load(std::memory_order_acquire) == 0)
    throw std::system_error(ESRCH, std::generic_category(),
                            "sigexc: thread::wait: the thread did not come along into this child "
                            "of fork()");
  state.observed.store(true, std::memory_order_relaxed);
  if (state.failure != nullptr) std::rethrow_exception(state.failure);
}

void request_end(thread_state& state) noexcept {
  while (state.finished.load(std::memory_order_acquire) == 0) {
    try {
      target(state.self).terminate();
      break;
    } catch (const std::bad_alloc&) {
      sched_yield();  // no memory for the request: until there is some, or the thread has ended
    }
  }
}

void end_thread(const std::shared_ptr<thread_state>& state) noexcept {
  // X1: in a child of fork() there is nothing to join, though glibc does not know; and what ended
  // the thread before that is for the parent to report.
  if (state->self->is_left_behind()) return;
  request_end(*state);
  if (pthread_equal(state->handle, pthread_self()) != 0) {
    pthread_detach(state->handle);
    state->is_on_its_own = true;
    if (state->finished.load(std::memory_order_relaxed) == 0) return;  // it reports at its end
  } else {
    pthread_join(state->handle, nullptr);
  }
  report_if_unobserved(*state);
}

void no_thread() {
  throw std::logic_error("sigexc: thread: it was moved from, so there is no thread");
}

}  // namespace sigexc::detail
