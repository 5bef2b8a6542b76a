// Making the calling thread a target.
#include "target/record.hpp"

#include <sigexc/thread.hpp>

#include <stdexcept>
#include <utility>

namespace sigexc {
namespace detail {

reference<record> this_record() {
  if (current.self == nullptr) throw not_enrolled();
  return reference<record>(*current.self);
}

}  // namespace detail

not_enrolled::not_enrolled()
    : std::logic_error(
          "sigexc: this thread is no target; make it one with sigexc::enrollment, or run it as a "
          "sigexc::thread") {}
not_enrolled::~not_enrolled() = default;

enrollment::enrollment(std::string name) {
  if (detail::current.self != nullptr)
    throw std::logic_error(
        detail::current.self->of != nullptr
            ? "sigexc: enrollment: this is a computation, which is a target already and may go on "
              "on another thread; enroll outside of it"
            : "sigexc: enrollment: this thread is a target already");
  record_ = detail::make_record(std::move(name), std::stop_source());
  record_->begin();
}

enrollment::~enrollment() {
  if (detail::current.self == record_.get()) {
    record_->end();
  } else {
    // On another thread, as when exit() destroys the statics of main. The thread that is the
    // target may be running: its record is closed, and stays for good.
    record_->abandon();
    record_.detach();
  }
}

target enrollment::get_target() const noexcept { return target(record_); }

std::stop_token enrollment::get_stop_token() const noexcept { return record_->stop.get_token(); }

target this_thread::get_target() { return target(detail::this_record()); }

std::stop_token this_thread::get_stop_token() { return detail::this_record()->stop.get_token(); }

}  // namespace sigexc
