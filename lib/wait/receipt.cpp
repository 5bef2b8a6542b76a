// Waiting for what becomes of an interrupt.
#include <sigexc/target.hpp>

#include "mailbox/interrupt.hpp"
#include "wait/await.hpp"

namespace sigexc {

namespace {

delivery wait_for_outcome(detail::interrupt& sent, detail::deadline until) {
  sent.expect_waiter();
  detail::await(&sent, [&sent] { return sent.is_settled(); }, until);
  return sent.outcome();
}

}  // namespace

delivery receipt::wait() const { return wait_for_outcome(*sent_, std::nullopt); }

delivery receipt::wait_until(std::chrono::steady_clock::time_point deadline) const {
  return wait_for_outcome(*sent_, deadline);
}

}  // namespace sigexc
