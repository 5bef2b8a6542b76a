// The library's exceptions and exception groups. Destructors are defined here, so that each class
// has its type information in one place and is caught by type across shared libraries.
#include <sigexc/exceptions.hpp>

#include <cxxabi.h>

#include <cstring>
#include <stdexcept>
#include <utility>

namespace sigexc {

// By its name, since this library does not know Boost.
std::exception_ptr detail::caught_exception() {
  const std::type_info* const type = abi::__cxa_current_exception_type();
  if (type != nullptr && std::strcmp(type->name(), "N5boost7context6detail13forced_unwindE") == 0)
    throw;
  return std::current_exception();
}

interruption::~interruption() = default;
const char* interruption::what() const noexcept { return "interruption"; }

pause_request::~pause_request() = default;
const char* pause_request::what() const noexcept { return "pause request"; }

keyboard_interrupt::~keyboard_interrupt() = default;
const char* keyboard_interrupt::what() const noexcept { return "keyboard interrupt"; }

exception_group::exception_group(std::vector<std::exception_ptr> members) {
  if (members.empty())
    throw std::invalid_argument("sigexc: exception_group: it needs at least one member");
  for (const auto& member : members)
    if (member == nullptr) throw std::invalid_argument("sigexc: exception_group: a member is null");
  members_ = std::make_shared<const std::vector<std::exception_ptr>>(std::move(members));
}
exception_group::~exception_group() = default;
const char* exception_group::what() const noexcept { return "several exceptions at once"; }

std::pair<std::optional<exception_group>, std::optional<exception_group>> exception_group::split(
    const std::type_info& type) const {
  std::vector<std::exception_ptr> matching;
  std::vector<std::exception_ptr> others;
  for (const auto& member : *members_) {
    const void* inner = nullptr;
    // As in handle_each: a nested group is searched, unless groups are what is asked for.
    if (type != typeid(exception_group) &&
        detail::matches(member, typeid(exception_group), &inner)) {
      auto [inside, outside] = static_cast<const exception_group*>(inner)->split(type);
      if (inside) matching.push_back(std::make_exception_ptr(*std::move(inside)));
      if (outside) others.push_back(std::make_exception_ptr(*std::move(outside)));
    } else {
      (detail::matches(member, type) ? matching : others).push_back(member);
    }
  }
  const auto group = [](std::vector<std::exception_ptr>& part) {
    return part.empty() ? std::nullopt : std::optional(exception_group(std::move(part)));
  };
  return {group(matching), group(others)};
}

namespace detail {

std::size_t count_leaves(const std::exception_ptr& exception) {
  if (exception == nullptr)
    throw std::logic_error(
        "sigexc: handle_each: call it in a catch clause; nothing is being caught");
  const void* found = nullptr;
  if (!matches(exception, typeid(exception_group), &found)) return 1;
  std::size_t count = 0;
  for (const auto& member : static_cast<const exception_group*>(found)->exceptions())
    count += count_leaves(member);
  return count;
}

void raise_all(std::vector<std::exception_ptr> exceptions) {
  if (exceptions.size() == 1) std::rethrow_exception(std::move(exceptions.front()));
  throw exception_group(std::move(exceptions));
}

}  // namespace detail
}  // namespace sigexc
