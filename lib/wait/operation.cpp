// What operations do around the gate when something is pending.
#include "wait/operation.hpp"

#include "mailbox/kept_errno.hpp"
#include "signal/send.hpp"
#include "target/record.hpp"

#include <sigexc/configure.hpp>

#include <signal.h>
#include <unistd.h>

namespace sigexc::detail {

namespace {

// With wake::when_waiting no signal may arrive outside of operations. A sender that has seen the
// mark of the gate is counted until it has signalled: the exchange is the fence between taking the
// mark away and looking at the count. One that has signalled already had raised the flag.
void await_signals_of_gate() noexcept {
  if (current.self == nullptr || signals_always()) return;
  current.in_gate.exchange(0, std::memory_order_seq_cst);
  if (current.is_signalled || current.pending_flag.load(std::memory_order_relaxed) != 0 ||
      current.self->traffic.has_any())
    current.self->await_signals();
}

}  // namespace

void deliver_before_operation() {
  while (current.is_mask_edited) {  // see signal/handler.cpp
    current.is_mask_edited = false;
    current.in_gate.store(0, std::memory_order_relaxed);  // left by longjmp, or 0
    unblock_signals();
  }
  if (!current.has_news()) return;
  await_signals_of_gate();  // it may raise
  deliver_at(place::operation);
}

void deliver_before_waiting() {
  await_signals_of_gate();  // it may raise
  deliver_at(place::wait);
}

void leave_operation() noexcept {
  keep_flag_if_unraised();
  await_signals_of_gate();
}

way_out::way_out() noexcept {
  constexpr long patience = 1'000'000;  // ns: long for a call that does not wait
  sigevent event{};
  event.sigev_notify = SIGEV_THREAD_ID;
  event.sigev_signo = signal_number();
#ifdef sigev_notify_thread_id
  event.sigev_notify_thread_id = ::gettid();
#else
  event._sigev_un._tid = ::gettid();  // glibc 2.36 has no other name for it
#endif
  const kept_errno kept;
  exists_ = ::timer_create(CLOCK_MONOTONIC, &event, &timer_) == 0;
  const itimerspec once{{}, {0, patience}};
  if (exists_) ::timer_settime(timer_, 0, &once, nullptr);
}

way_out::~way_out() {
  if (!exists_) return;
  ::timer_delete(timer_);  // at its return a signal that was sent has been handled
  // What was taken in has not been looked at by a safe point.
  if (current.held != 0) current.pending_flag.store(1, std::memory_order_relaxed);
}

bool way_out::reopens() noexcept {
  itimerspec left{};
  ::timer_gettime(timer_, &left);
  if (left.it_value.tv_sec == 0 && left.it_value.tv_nsec == 0) return false;
  current.self->collect();
  current.self->publish_held();
  return true;
}

}  // namespace sigexc::detail
