// A table of buckets, each a lock and a list; addresses are spread over them.
#include "mailbox/parking_lot.hpp"

#include "mailbox/futex.hpp"

#include <cstddef>

namespace sigexc::detail {

parking_lot::bucket& parking_lot::bucket_of(const void* address) noexcept {
  static constinit bucket buckets[64];
  const auto bits = reinterpret_cast<std::uintptr_t>(address);
  return buckets[(bits >> 4 ^ bits >> 12) % 64];
}

void parking_lot::add(bucket& at, sleeper& who) noexcept {
  who.next = at.first;
  if (at.first != nullptr) at.first->previous = &who;
  at.first = &who;
}

void parking_lot::remove(bucket& at, sleeper& who) noexcept {
  (who.previous != nullptr ? who.previous->next : at.first) = who.next;
  if (who.next != nullptr) who.next->previous = who.previous;
}

bool parking_lot::leave(sleeper& who) noexcept {
  bucket& at = bucket_of(who.address);
  const std::lock_guard lock(at.mutex);
  if (!who.is_woken) remove(at, who);
  return who.is_woken;
}

void parking_lot::wake_all(const void* address) noexcept {
  bucket& at = bucket_of(address);
  const std::lock_guard lock(at.mutex);
  for (sleeper* who = at.first; who != nullptr;) {
    sleeper* const next = who->next;
    if (who->address == address) {
      remove(at, *who);
      who->is_woken = true;
      who->bell->fetch_add(1, std::memory_order_release);
      futex_wake(who->bell);
    }
    who = next;
  }
}

}  // namespace sigexc::detail
