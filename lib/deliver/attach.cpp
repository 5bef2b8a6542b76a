// Attaching callbacks to a record and detaching them.
#include <sigexc/attach.hpp>

#include "target/record.hpp"

#include <utility>

namespace sigexc::detail {

void add_callback(record& to, std::shared_ptr<callback> added, position where) {
  to.callbacks.add(std::move(added), where);
}

void remove_callback(record& from, const std::shared_ptr<callback>& removed) noexcept {
  from.callbacks.remove(*removed);
}

}  // namespace sigexc::detail
