// Push, take, close.
#include "mailbox/mailbox.hpp"

#include <utility>

namespace sigexc::detail {

namespace {
// The mark of a closed mailbox: an address that no interrupt has.
interrupt* closed_mark() noexcept {
  static constinit char mark = 0;
  return reinterpret_cast<interrupt*>(&mark);
}
}  // namespace

bool mailbox::push(interrupt& sent) noexcept {
  if (is_left_behind()) return false;
  count_in();  // first, so that the owner cannot count out what is not yet in
  interrupt* head = newest_.load(std::memory_order_relaxed);
  do {
    if (head == closed_mark()) {
      count_out();
      return false;
    }
    if (head == nullptr) {
      oldest_queued_.store(sent.queued.time_since_epoch().count(), std::memory_order_relaxed);
      oldest_type_.store(sent.exception.__cxa_exception_type(), std::memory_order_relaxed);
    }
    sent.next.store(head, std::memory_order_relaxed);
    // Sequentially consistent: senders look at the target's state after this, and the target takes
    // the mailbox after it has changed that state.
  } while (!newest_.compare_exchange_weak(head, &sent, std::memory_order_seq_cst,
                                          std::memory_order_relaxed));
  return true;
}

interrupt* mailbox::oldest_first(interrupt* newest) noexcept {
  interrupt* turned = nullptr;
  while (newest != nullptr) {
    interrupt* const older = newest->next.load(std::memory_order_relaxed);
    newest->next.store(turned, std::memory_order_relaxed);
    turned = std::exchange(newest, older);
  }
  return turned;
}

interrupt* mailbox::take() noexcept {
  interrupt* newest = newest_.load(std::memory_order_seq_cst);
  do {
    if (newest == nullptr || newest == closed_mark()) return nullptr;
  } while (!newest_.compare_exchange_weak(newest, nullptr, std::memory_order_seq_cst));
  return oldest_first(newest);
}

interrupt* mailbox::close() noexcept {
  interrupt* const newest = newest_.exchange(closed_mark(), std::memory_order_seq_cst);
  return newest == closed_mark() ? nullptr : oldest_first(newest);
}

bool mailbox::is_closed() const noexcept {
  return is_left_behind() || newest_.load(std::memory_order_acquire) == closed_mark();
}

void mailbox::forget(interrupt& withdrawn) noexcept {
  // Reading `next` is safe: while `withdrawn` is the newest, the owner has not taken it. It cannot
  // have been taken and pushed again in between, as only prepared interrupts are, and those have
  // no receipts. If the owner takes it between the load and the exchange, the exchange fails.
  if (newest_.load(std::memory_order_acquire) != &withdrawn) return;
  interrupt* expected = &withdrawn;
  interrupt* const older = withdrawn.next.load(std::memory_order_relaxed);
  if (newest_.compare_exchange_strong(expected, older, std::memory_order_acq_rel))
    detail::release(withdrawn);
}

}  // namespace sigexc::detail
