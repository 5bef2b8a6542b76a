// The begin and the end of foreign code under a waker.
//
// At the begin nothing deliverable may be pending, or it would wait for ever; so what is pending is
// delivered, and the waker entered, until the flag is clear when it is (see target/wakers.hpp).
// Foreign code is taken to be a wait: policy::on_blocking delivers before it, and after it if it
// was called off.
//
// In a block of everything and during unwinding no waker is entered, as nothing could be raised.
#include "deliver/deliver.hpp"
#include "target/fired.hpp"
#include "target/record.hpp"

#include <sigexc/detail/current.hpp>
#include <sigexc/detail/waker.hpp>

namespace sigexc::detail {

foreign_code::foreign_code(void (*call)(void*) noexcept, void* argument)
    : waker_{call, argument, &current, current.innermost} {
  if (current.self == nullptr) return;
  start_waking(/*is_prepared=*/false);
  do {
    if (current.has_news()) deliver_at(place::wait);  // O1
    if (current.quiet.load(std::memory_order_relaxed) || !can_raise()) break;
    is_entered_ = current.self->wakers.enter(waker_);
  } while (!is_entered_);
  keep_flag_if_unraised();
}

void foreign_code::leave() noexcept {
  if (is_entered_) current.self->wakers.leave(waker_);
  is_entered_ = false;
}

foreign_code::~foreign_code() {
  if (!is_entered_) return;
  leave();
  // Left with a value or by an exception, with the interrupt pending: the foreign code around this,
  // if there is any, has to return too.
  if (waker_.is_called && current.pending_flag.load(std::memory_order_relaxed) != 0)
    current.self->wakers.call_again();
}

void foreign_code::end() {
  leave();
  if (current.has_news()) deliver_at(waker_.is_called ? place::wait : place::safe_point);
}

}  // namespace sigexc::detail
