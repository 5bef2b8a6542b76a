// Counting the objects of a termination, and the class `terminated` that is counted.
#include "target/termination.hpp"

#include <exception>
#include <utility>

namespace sigexc {
namespace detail {

namespace {
const std::exception_ptr& plain_terminated() {
  static const auto& only = *new std::exception_ptr(std::make_exception_ptr(terminated()));
  return only;
}
}  // namespace

termination::termination(record& to) : interrupt(to, plain_terminated(), /*reusable=*/true) {
  if (current.self != nullptr) sender = reference<record>(*current.self);
}

void termination::prepare() { plain_terminated(); }

void termination::object_made() noexcept {
  if (objects_.fetch_add(1, std::memory_order_relaxed) == 0) retain(*this);
}

void termination::object_acknowledged() noexcept {
  is_acknowledged_.store(true, std::memory_order_relaxed);
}

void termination::object_destroyed() noexcept {
  if (objects_.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  // No object is left, so no other thread can come here until this is raised again.
  const auto ours = reference<termination>::adopt(this);
  if (!is_acknowledged_.load(std::memory_order_relaxed))
    fire_and_wake(static_cast<record&>(box), *this);
}

termination_request::termination_request(record& to)
    : interrupt(to, plain_terminated(), /*reusable=*/false),
      termination_(reference<termination>::adopt(new termination(to))) {}

}  // namespace detail

terminated::terminated(detail::termination& cause) noexcept : cause_(&cause) {
  cause_->object_made();
}

terminated::terminated(const terminated& other) noexcept
    : interruption(other), cause_(other.cause_) {
  if (cause_ != nullptr) cause_->object_made();
}

terminated& terminated::operator=(const terminated& other) noexcept {
  terminated copy(other);
  std::swap(cause_, copy.cause_);
  return *this;
}

terminated::~terminated() {
  if (cause_ != nullptr) cause_->object_destroyed();
}

void terminated::acknowledge() const noexcept {
  if (cause_ != nullptr) cause_->object_acknowledged();
}

const char* terminated::what() const noexcept { return "terminated"; }

}  // namespace sigexc
