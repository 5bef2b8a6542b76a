// Resuming, handing over, and the end of a computation: what `resumable` and `continuation` have
// behind them.
//
// Who runs a computation has it to himself (computation::run). It belongs either to its `resumable`
// or to its continuation, if there is one; whoever of the two goes while it is paused unwinds it.
// Both count it, so that the result can be had when the continuation has run it to its end.
#include <sigexc/resumable.hpp>

#include "context/context.hpp"
#include "context/return_by_jump.hpp"
#include "deliver/computation.hpp"

#include <sigexc/detail/current.hpp>
#include <sigexc/exceptions.hpp>
#include <sigexc/mask.hpp>

#include <cxxabi.h>
#include <time.h>

#include <exception>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <utility>

namespace sigexc {
namespace detail {

namespace {

std::string next_name() {
  static constinit std::atomic<std::size_t> last{0};
  return "computation " + std::to_string(last.fetch_add(1, std::memory_order_relaxed) + 1);
}

void wait_a_moment() noexcept {
  constexpr timespec moment{0, 100'000};
  ::nanosleep(&moment, nullptr);
}

}  // namespace

stacked_computation::stacked_computation(std::size_t stack_size)
    : computation(next_name()),
      context_(new context(stack_size), [](context* gone) { delete gone; }) {
  const auto low = reinterpret_cast<std::uintptr_t>(context_->stack.low());
  set_stack(low, low + context_->stack.size());
}

stacked_computation::~stacked_computation() = default;

// `resume` may come back to it when another thread has taken it, and destroyed its `resumable`.
void stacked_computation::switch_out() {
  retain();
  is_kept_ = true;
  context_->switch_out();
}

SIGEXC_RETURN_BY_JUMP void stacked_computation::pause_here() {
  context_->switch_out();
  if (this_block().has_news()) [[unlikely]]
    deliver_after_pause();
}

void stacked_computation::run_to_end() noexcept {
  pause_no_more();
  resumption here(caller());
  enter(here);
  context_->switch_in();
  land(here);
}

namespace {
struct releasing {
  void operator()(stacked_computation* kept) const noexcept { kept->release(); }
};
}  // namespace

progress stacked_computation::finish() {
  const std::exception_ptr failure = failure_;
  const bool is_orphan = is_orphan_;
  is_finished_.store(true, std::memory_order_release);  // whoever waits for this may destroy it
  if (is_orphan) release();
  if (failure != nullptr) std::rethrow_exception(failure);
  return progress::finished;
}

SIGEXC_RETURN_BY_JUMP progress stacked_computation::resume(holder by, bool& is_given_away) {
  context_->fetch();
  resumption here(caller());
  std::unique_ptr<stacked_computation, releasing> kept;
  for (;;) {
    if (this_block().has_news()) [[unlikely]]
      deliver_before_resuming();
    board(here, by);
    if (!context_->has_begun()) [[unlikely]]
      context_->begin(*this);
    context_->switch_in();
    kept.reset(std::exchange(is_kept_, false) ? this : nullptr);
    const halt why = land(here);
    if (why == halt::paused) [[likely]]
      return progress::paused;
    if (why == halt::ended) return finish();
    if (why == halt::preempted) {
      deliver_preemption();
      continue;  // nothing was raised
    }
    if (!call_back(is_given_away)) return is_finished() ? progress::finished : progress::paused;
    if (by == holder::object) by = holder::given_back;
  }
}

bool stacked_computation::call_back(bool& is_given_away) {
  const hand_over_data handed = std::exchange(handed_, {});
  continuation next(*this);
  is_dropped_ = false;
  uncaught_ = std::uncaught_exceptions();
  called_back_on_.store(&this_block(), std::memory_order_relaxed);
  try {
    const scope everything_blocked(policy::never, governed_types<>);
    auto& to = static_cast<continuation_callback&>(*handed.to);
    next = to.hand(handed.object, std::move(next));
  } catch (abi::__forced_unwind&) {
    throw;
  } catch (...) {
    called_back_on_.store(nullptr, std::memory_order_relaxed);
    is_given_away = !is_dropped_;
    if (is_given_away) throw;
    handed_.thrown = caught_exception();
    return true;
  }
  called_back_on_.store(nullptr, std::memory_order_relaxed);
  is_given_away = !next;
  if (is_given_away) return false;
  if (!next.is_of(*this)) {
    is_given_away = true;
    throw std::logic_error(
        "sigexc: attach_continuation: the callback returned another computation's continuation");
  }
  next.give_back();
  return true;
}

void stacked_computation::check_result() const {
  if (!is_finished())
    throw std::logic_error("sigexc: resumable: there is no result before it has finished");
  if (failure_ != nullptr) std::rethrow_exception(failure_);
}

void stacked_computation::request_end() noexcept {
  for (;;) {
    try {
      target(self()).terminate();
      return;
    } catch (const std::bad_alloc&) {
      wait_a_moment();  // until there is memory for the request
    }
  }
}

void stacked_computation::unwind() noexcept {
  if (context_->has_begun()) {
    request_end();
    run_to_end();
  } else {
    {
      const scope everything_blocked(policy::never, governed_types<>);
      drop_body();
    }
    abandon();
  }
  is_finished_.store(true, std::memory_order_release);
}

void stacked_computation::let_go(holder by) noexcept {
  // The callback's own exception decides what becomes of what was given to it, not its unwinding.
  if (by == holder::continuation &&
      called_back_on_.load(std::memory_order_relaxed) == &this_block()) {
    is_dropped_ = std::uncaught_exceptions() > uncaught_;
    if (is_dropped_) return release();
  }
  bool is_told = false;
  // As long as it is the caller's: a `resumable` may have lost it to a continuation.
  while (!is_finished() && is_handed_over() == (by == holder::continuation)) {
    if (is_here(self().get())) {
      is_orphan_ = true;
      pause_no_more();
      return request_end();
    }
    if (try_take()) {
      if (!is_over() && is_handed_over() == (by == holder::continuation)) {
        unwind();
        break;
      }
      put_back();  // its `resume` has still to say that it has finished
    } else if (is_out_of_reach()) {
      return;  // X1: its stack cannot be unwound, and stays
    }
    if (!is_told) request_end();
    is_told = true;
    wait_a_moment();
  }
  release();
}

void no_computation() {
  throw std::logic_error("sigexc: resumable: it was moved from, so there is no computation");
}

reference<record> this_computation() {
  if (current.self == nullptr || !is_computation(*current.self))
    throw std::logic_error(
        "sigexc: attach_continuation: this is no computation; run the code in a sigexc::resumable, "
        "or use attach, whose callback runs on top of what it interrupts");
  return reference<record>(*current.self);
}

continuation_callback::~continuation_callback() = default;
void continuation_callback::operator()(const void* /*object*/) {
  throw std::logic_error("sigexc: this callback is called with a continuation");
}

}  // namespace detail

progress continuation::resume() {
  if (state_ == nullptr)
    throw std::logic_error("sigexc: continuation: it is empty, so there is nothing to resume");
  bool is_given_away = false;
  try {
    const progress made = state_->resume(detail::holder::continuation, is_given_away);
    if (is_given_away || made == progress::finished) give_back();
    return made;
  } catch (...) {
    if (is_given_away || state_->is_finished()) give_back();
    throw;
  }
}

void continuation::give_back() noexcept {
  if (state_ != nullptr) std::exchange(state_, nullptr)->release();
}

void continuation::drop() noexcept {
  if (state_ != nullptr) std::exchange(state_, nullptr)->let_go(detail::holder::continuation);
}

}  // namespace sigexc
