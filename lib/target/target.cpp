// The public classes `target`, `receipt` (but for its waits) and `prepared_interrupt`.
#include <sigexc/target.hpp>

#include "mailbox/interrupt.hpp"
#include "target/errand.hpp"
#include "target/record.hpp"
#include "target/termination.hpp"

#include <sigexc/detail/current.hpp>
#include <sigexc/exceptions.hpp>

#include <memory>
#include <stdexcept>
#include <utility>

namespace sigexc {
namespace detail {

void retain(const record& who) noexcept { const_cast<record&>(who).mailbox::retain(); }
void release(const record& who) noexcept { const_cast<record&>(who).mailbox::release(); }

namespace {

// Queues `sent`, of which there is one count; where the target has ended it is discarded.
receipt send_with_receipt(record& to, reference<interrupt> sent) {
  retain(*sent);  // for the mailbox
  // Now, as it is the target's once it was sent.
  const std::type_info* const type = sent->exception.__cxa_exception_type();
  if (send(to, *sent)) {
    to.wakers.call_for(*sent, 0, type);
  } else {
    to.count_in();  // `settle` counts out
    sent->claim();
    sent->settle(phase::discarded);
    release(*sent);
  }
  return receipt(std::move(sent));
}

// What is meant for computations must not end a thread.
void check_suits(const record& to, const std::exception_ptr& exception) {
  const std::type_info* const type = exception.__cxa_exception_type();
  if (to.of == nullptr && type != nullptr && *type == typeid(pause_request))
    throw std::logic_error(
        "sigexc: pause_request: the target is a thread, and only a sigexc::resumable can pause");
}

}  // namespace
}  // namespace detail

receipt target::interrupt(std::exception_ptr exception) const {
  if (exception == nullptr)
    throw std::invalid_argument("sigexc: target::interrupt: the exception_ptr is null");
  detail::check_suits(*record_, exception);
  return detail::send_with_receipt(
      *record_, detail::reference<detail::interrupt>::adopt(
                    new detail::interrupt(*record_, std::move(exception), /*reusable=*/false)));
}

receipt target::terminate() const {
  receipt sent = detail::send_with_receipt(
      *record_,
      detail::reference<detail::interrupt>::adopt(new detail::termination_request(*record_)));
  // In a child of fork() the state of another thread's stop may be locked for ever.
  if (!record_->is_left_behind()) std::stop_source(record_->stop).request_stop();
  return sent;
}

bool target::finished() const noexcept { return record_->is_closed(); }

std::string target::name() const { return record_->name; }

std::size_t target::pending() const noexcept { return record_->pending(); }

delivery receipt::state() const noexcept { return sent_->outcome(); }

bool receipt::withdraw() const noexcept { return sent_->withdraw(); }

prepared_interrupt::prepared_interrupt(target to, std::exception_ptr exception)
    : record_(to.record()) {
  if (exception == nullptr)
    throw std::invalid_argument("sigexc: prepared_interrupt: the exception_ptr is null");
  detail::check_suits(*record_, exception);
  interrupt_ = detail::reference<detail::interrupt>::adopt(
      new detail::fired_interrupt(*record_, std::move(exception)));
}

void prepared_interrupt::fire() noexcept {
  if (!interrupt_) return;  // moved from
  const std::uint32_t firing = detail::fire(*record_, *interrupt_, detail::current.self);
  if (firing != 0 && record_->wakers.has_any())
    static_cast<detail::fired_interrupt&>(*interrupt_).post_for(firing);
}

bool prepared_interrupt::is_pending() const noexcept {
  return interrupt_ && interrupt_->is_pending();
}

}  // namespace sigexc
