// Attaching callbacks to a record and detaching them.
#include <sigexc/attach.hpp>

#include "target/record.hpp"

#include <stdexcept>
#include <string>
#include <utility>

namespace sigexc::detail {

void refuse_null_callable(const char* what) {
  throw std::invalid_argument("sigexc: " + std::string(what) +
                              " is a null pointer or an empty std::function");
}

void add_callback(record& to, std::shared_ptr<callback> added, position where) {
  // In a child of fork() the list of another target may be locked for ever, and is of no use.
  if (to.is_left_behind()) return;
  to.callbacks.add(std::move(added), where);
}

void remove_callback(record& from, const std::shared_ptr<callback>& removed) noexcept {
  if (from.is_left_behind()) return;
  from.callbacks.remove(*removed);
}

}  // namespace sigexc::detail
