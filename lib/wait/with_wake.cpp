// The begin and the end of foreign code under a waker.
//
// At the begin nothing deliverable may be pending, or it would wait for ever; so what is pending is
// delivered, and the waker entered, until the flag is clear when it is (see target/wakers.hpp).
// Foreign code is taken to be a wait: policy::on_blocking delivers before it, and after it if it
// was called off.
//
// In a block of everything and during unwinding no waker is entered, as nothing could be raised;
// and where only some types could be, the waker is not called for others (R3).
#include "deliver/deliver.hpp"
#include "target/errand.hpp"
#include "target/record.hpp"
#include "unwind/examine.hpp"

#include <sigexc/detail/current.hpp>
#include <sigexc/detail/waker.hpp>
#include <sigexc/safe_point.hpp>

#include <typeinfo>
#include <utility>

namespace sigexc::detail {

foreign_code::foreign_code(void (*call)(void*) noexcept, void* argument)
    : waker_{call, argument, nullptr, current.innermost} {
  if (current.self == nullptr) return;
  errand::start_thread();
  bool is_entered = false;
  do {
    if (current.has_news()) deliver_at(place::wait);  // O1
    if (current.self == nullptr || current.quiet.load(std::memory_order_relaxed)) break;
    waker_.types = find_survivors(caller());
    if (waker_.types.are_none()) break;
    is_entered = current.self->wakers.enter(waker_);
  } while (!is_entered);
  keep_flag_if_unraised();
  if (!is_entered) return;
  entered_ = current.self;
  entered_->retain();
}

void foreign_code::leave() noexcept {
  if (entered_ == nullptr) return;
  entered_->wakers.leave(waker_);
  std::exchange(entered_, nullptr)->release();
}

foreign_code::~foreign_code() {
  if (entered_ == nullptr) return;
  leave();
  // Left with a value or by an exception, with the interrupt pending: the foreign code around this,
  // if there is any, has to return too.
  if (current.self != nullptr && current.self->wakers.has_any() && interrupt_pending()) {
    current.self->wakers.call_for_held(current.self->held.first());
    if (current.self->deadlines.has_due()) current.self->wakers.post_for(typeid(deadline_reached));
  }
}

void foreign_code::end() {
  leave();
  if (current.has_news()) deliver_at(waker_.is_called ? place::wait : place::safe_point);
}

}  // namespace sigexc::detail
