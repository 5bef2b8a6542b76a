// A table of buckets, each a lock and a list; addresses are spread over them.
#include "mailbox/parking_lot.hpp"

#include "mailbox/futex.hpp"

#include <sigexc/detail/current.hpp>

#include <memory>
#include <utility>

namespace sigexc::detail {

parking_lot::bells::~bells() {
  for (std::size_t i = 0; i < count_; ++i) futex_wake(rung_[i]);
}

void parking_lot::bells::ring(std::atomic<std::uint32_t>& bell) noexcept {
  bell.fetch_add(1, std::memory_order_release);
  if (count_ < rung_.size()) {
    rung_[count_++] = &bell;
  } else {
    futex_wake(&bell);
  }
}

constinit std::array<parking_lot::bucket, 64> parking_lot::buckets;

parking_lot::bucket& parking_lot::bucket_of(const void* address) noexcept {
  const auto bits = reinterpret_cast<std::uintptr_t>(address);
  return buckets[(bits >> 4 ^ bits >> 12) % buckets.size()];
}

void parking_lot::add(bucket& at, sleeper& who) noexcept {
  who.previous = at.last;
  (at.last != nullptr ? at.last->next : at.first) = &who;
  at.last = &who;
}

void parking_lot::remove(bucket& at, sleeper& who) noexcept {
  (who.previous != nullptr ? who.previous->next : at.first) = who.next;
  (who.next != nullptr ? who.next->previous : at.last) = who.previous;
}

bool parking_lot::leave(sleeper& who) noexcept {
  bucket& at = bucket_of(who.address);
  const std::lock_guard lock(at.mutex);
  const bool is_woken = who.is_woken.load(std::memory_order_relaxed);
  if (!is_woken) remove(at, who);
  return is_woken;
}

// A bucket in which the caller sleeps stays locked, so that its list is whole in the child. The
// others begin anew there, whoever held them. (To lock them all is more than ThreadSanitizer
// bears.)
void parking_lot::before_fork() noexcept {
  for (bucket& one : buckets) {
    one.mutex.lock();
    for (const sleeper* who = one.first; who != nullptr; who = who->next)
      one.is_kept = one.is_kept || who->bell == &current.bell;
    if (!one.is_kept) one.mutex.unlock();
  }
}

void parking_lot::after_fork(bool is_child) noexcept {
  for (bucket& one : buckets) {
    if (is_child && !one.is_kept) {
      std::construct_at(&one);
    } else if (is_child) {
      // The stacks of the others, where their sleepers are, will be used again.
      for (sleeper* who = one.first; who != nullptr;) {
        sleeper* const next = who->next;
        if (who->bell != &current.bell) remove(one, *who);
        who = next;
      }
    }
    if (std::exchange(one.is_kept, false)) one.mutex.unlock();
  }
}

bool parking_lot::take(bucket& at, const void* address, std::size_t most, bells& rung) noexcept {
  for (sleeper* who = at.first; who != nullptr;) {
    sleeper* const next = who->next;
    if (who->address == address) {
      if (most == 0) return true;
      --most;
      remove(at, *who);
      who->is_woken.store(true, std::memory_order_relaxed);
      rung.ring(*who->bell);
    }
    who = next;
  }
  return false;
}

}  // namespace sigexc::detail
