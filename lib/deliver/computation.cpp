// A thread takes a computation on board, and leaves it again.
//
// On board, what the thread keeps of itself (`current`) is the computation's: its record, its
// scopes, what it holds. What it was before stands in a `resumption` on the stack of who resumed
// it; so computations that resume others form a chain, from the innermost, which runs, out to a
// thread. The records of all of them refer to the block of this one thread: an interrupt to any of
// them raises its flag, and ends a wait in it. The safe point that finds the flag then asks whether
// it was for somebody further out (`is_wanted_outside`), and if so pauses to there, and there the
// same is done, until whoever it was for has control (and the others go on when they are resumed).
//
// The pending flag is one for all of them. Who boards raises it if something has come for the
// computation, who leaves raises it if something has come for those further out; and a safe point
// that lowers it takes in what has come for these since it looked (record::collect). A safe point
// too many finds nothing.
//
// No signal may arrive in a block of everything (S4). Within the computation that is the affair of
// its scopes, as ever; but they look at its own senders only, and those who send to the resumer
// signal the same thread. So who boards makes these issue the barrier for both sides: then either
// they see the block, or the block sees the flag that they have raised before, and waits for the
// senders of the whole chain (record::await_signals). Between the two sides, where one is inside
// such a block and the other one is not, the change is made here as scopes make it.
//
// A computation that pauses itself neither queues anything nor signals. It makes a note, and raises
// its flag; as long as nothing else is pending that is all there is to do.
#include "deliver/computation.hpp"

#include "deliver/deliver.hpp"
#include "deliver/explorer.hpp"
#include "signal/install.hpp"
#include "target/errand.hpp"
#include "target/record.hpp"
#include "unwind/examine.hpp"

#include <sigexc/exceptions.hpp>
#include <sigexc/mask.hpp>

#include <sched.h>

#include <cstdint>
#include <exception>
#include <stdexcept>
#include <utility>

namespace sigexc::detail {

namespace {

const std::exception_ptr a_pause = std::make_exception_ptr(pause_request());

// As scope::change_quiet, where the one side is `inside` and the other one `outside` and the chain
// from there. The store is its own fence.
void change_quiet(bool to, record* outside, record& inside) noexcept {
  current.quiet.store(to, std::memory_order_seq_cst);
  if (!to) return;
  bool is_any = current.is_signalled || inside.traffic.has_any() ||
                current.pending_flag.load(std::memory_order_relaxed) != 0;
  for (const record* one = outside; one != nullptr; one = one->outside())
    is_any = is_any || one->traffic.has_any();
  if (!is_any) return;
  inside.traffic.await();
  for (record* one = outside; one != nullptr; one = one->outside()) one->traffic.await();
  current.is_signalled = false;
  sched_yield();  // at its return a signal that was sent has been handled
}

}  // namespace

bool is_computation(const record& which) noexcept { return which.of != nullptr; }

computation::computation(std::string name)
    : self_(make_record(std::move(name), std::stop_source(), this)) {
  try {
    pause_ = reference<interrupt>::adopt(new fired_interrupt(*self_, a_pause));
  } catch (...) {
    self_->abandon();
    throw;
  }
  // Nobody can have sent to it yet. Else its first block would have to wait for a system call.
  if (has_barrier_everywhere()) self_->traffic.leave_fence_to_senders();
}

// One that ran, or was unwound, is closed. Else what is derived from this could not be made: there
// was no place for its stack, or its body could not be copied.
computation::~computation() {
  if (!has_ended()) self_->abandon();
}

bool computation::has_ended() const noexcept { return self_->is_closed(); }

record* computation::resumer() const noexcept { return at_ != nullptr ? at_->self : nullptr; }

const scope* computation::scope_outside() const noexcept {
  return at_ != nullptr ? at_->innermost : nullptr;
}

bool computation::is_here(const record* of) noexcept {
  for (const record* one = current.self; one != nullptr; one = one->outside())
    if (one == of) return true;
  return false;
}

void computation::pause() noexcept {
  if (current.self == self_.get()) {
    // A sender that raises the flag between the look and the store has a way of more than a
    // microsecond before it to its signal; and its interrupt lies in the mailbox by then, where
    // `take_own_pause` finds it.
    if (current.pending_flag.load(std::memory_order_relaxed) == 0 && self_->pending() == 0 &&
        current.held == 0) {
      has_own_pause_ = true;
      current.pending_flag.store(1, std::memory_order_relaxed);
    }
    if (has_own_pause_) return;
  }
  const std::uint32_t firing = fire(*self_, *pause_, current.self);
  if (firing != 0 && self_->wakers.has_any())
    static_cast<fired_interrupt&>(*pause_).post_for(firing);
}

bool computation::take_own_pause() noexcept {
  if (!has_own_pause_) return false;
  has_own_pause_ = false;
  if (is_unwinding_) return false;
  if ((current.innermost == nullptr && !self_->wakers.has_any()) ||
      lets_pause(*self_, current.innermost, false)) {
    // The look into the mailboxes comes when the computation is left, behind an exchange.
    current.pending_flag.store(0, std::memory_order_relaxed);
    why_ = halt::paused;
    return true;
  }
  fire(*self_, *pause_, current.self);  // it is held as any other
  return false;
}

bool computation::has_held_outside() const noexcept {
  for (const record* one = resumer(); one != nullptr; one = one->outside())
    if (one->has_held()) return true;
  return false;
}

bool computation::is_wanted_outside(const scope* innermost, bool can_wait) {
  for (const computation* one = this; one != nullptr;) {
    if (one->is_unwinding_ || one->at_ == nullptr || one->at_->self == nullptr) return false;
    record& outside = *one->at_->self;
    if (outside.has_arrivals()) outside.collect_below();
    if (outside.has_held() || outside.of != nullptr) {
      if (!lets_pause(*one->self_, innermost, can_wait)) return false;
      innermost = one->at_->innermost;
      if (outside.has_held() && would_deliver_outside(outside, innermost, one->at_->from))
        return true;
    }
    can_wait = true;  // who resumes waits
    one = outside.of;
  }
  return false;
}

[[gnu::noinline]] void computation::hand_over(std::shared_ptr<callback> to,
                                              const std::exception_ptr& what, const void* object) {
  handed_ = {std::move(to), what, object, nullptr};
  is_handed_over_.store(true, std::memory_order_relaxed);
  halt_for(halt::handed_over);
  if (handed_.thrown != nullptr)
    std::rethrow_exception(std::exchange(handed_.thrown, std::exception_ptr()));
}

void computation::refuse(const void* occupant) const {
  if (self_->is_left_behind())
    throw std::logic_error(
        "sigexc: resumable: it runs on a thread that did not come along into this child of fork()");
  if (occupant == nullptr)
    throw std::logic_error("sigexc: resumable: another thread has only just stopped running it");
  if (occupant == &current)
    throw std::logic_error(
        "sigexc: resumable: it runs on this very thread, and cannot resume itself");
  throw std::logic_error("sigexc: resumable: another thread is running it; one at a time");
}

void computation::enter(resumption& at) noexcept {
  record& mine = *self_;
  record* const outside = current.self;
  if (outside != nullptr && outside->traffic.needs_fence_here() && has_barrier_everywhere()) {
    outside->traffic.leave_fence_to_senders();
    outside->traffic.await();
  }
  at.self = outside;
  at.innermost = current.innermost;
  at.exploring = exploring;
  at.traffic = current.traffic;
  at.quiet = current.quiet.load(std::memory_order_relaxed);
  at.is_signalled = current.is_signalled;
  mine.tid.store(current.tid, std::memory_order_relaxed);
  at.stack = change_own_stack({stack_low_, stack_high_});
  at_ = &at;
  std::atomic_signal_fence(std::memory_order_seq_cst);  // a handler may look (process/inspection)
  current.self = &mine;
  current.traffic = &mine.traffic.word();
  current.held = held_;
  current.innermost = innermost_;
  current.is_signalled = at.is_signalled || is_signalled_;
  exploring = exploring_;
  if (quiet_ != at.quiet) change_quiet(quiet_, outside, mine);
  assume_unraised();
  if (is_flagged_ || mine.has_arrivals()) current.pending_flag.store(1, std::memory_order_relaxed);
}

halt computation::land(resumption& at) noexcept {
  record& mine = *self_;
  record* const outside = at.self;
  is_flagged_ = current.pending_flag.load(std::memory_order_relaxed) != 0;
  held_ = current.held;
  innermost_ = current.innermost;
  quiet_ = current.quiet.load(std::memory_order_relaxed);
  is_signalled_ = current.is_signalled;
  exploring_ = exploring;
  current.self = outside;
  current.traffic = at.traffic;
  current.innermost = at.innermost;
  current.is_signalled = at.is_signalled || is_signalled_ || is_flagged_;
  exploring = at.exploring;
  change_own_stack(at.stack);
  std::atomic_signal_fence(std::memory_order_seq_cst);
  at_ = nullptr;
  const halt why = is_over_ ? halt::ended : why_;  // the next one to board may change it
  if (outside != nullptr) {
    outside->publish_held();
  } else {
    current.held = 0;
  }
  if (at.quiet != quiet_) change_quiet(at.quiet, outside, mine);
  assume_unraised();
  if (is_over_)
    mine.end_aboard();
  else
    mine.disembark();
  // Behind an exchange: who has sent to somebody out here, and has found the flag up before it was
  // lowered in `take_own_pause`, is seen here.
  bool is_news = current.held != 0;
  for (const record* one = outside; one != nullptr && !is_news; one = one->outside())
    is_news = one->has_arrivals();
  if (is_news) current.pending_flag.store(1, std::memory_order_relaxed);
  return why;
}

// All in one, since it comes before each switch.
[[gnu::flatten]] void computation::board(resumption& at, holder by) {
  if (!self_->try_board()) [[unlikely]]
    refuse(self_->runner());
  if (self_->is_left_behind()) [[unlikely]]
    self_->revive();
  if (const char* const reason = reason_against(by)) [[unlikely]] {
    self_->disembark();
    throw std::logic_error(reason);
  }
  if (by == holder::given_back) is_handed_over_.store(false, std::memory_order_relaxed);
  enter(at);
}

const char* computation::reason_against(holder by) const noexcept {
  if (is_over_) return "sigexc: resumable: it has finished";
  if (is_handed_over() == (by == holder::object))
    return "sigexc: resumable: a callback has taken its continuation, and that is to be resumed";
  return nullptr;
}

bool computation::try_take() noexcept {
  if (!self_->try_board()) return false;
  if (self_->is_left_behind()) self_->revive();
  return true;
}

bool computation::is_out_of_reach() const noexcept { return self_->is_left_behind(); }

void computation::put_back() noexcept { self_->disembark(); }

void computation::abandon() noexcept {
  is_over_ = true;
  self_->end_aboard();
}

}  // namespace sigexc::detail
