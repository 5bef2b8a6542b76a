// A prepared interrupt that is fired while it is on its way or being delivered: two calls may
// become one delivery, but no call is left without one that comes after it.
#include <gtest/gtest.h>

#include <atomic>
#include <semaphore>
#include <string>
#include <thread>

#include "support/interrupts.hpp"
#include "support/order.hpp"

namespace sigexc::test {
namespace {

TEST(PreparedInterrupt, FiredInsideItsCallbackIsDeliveredOnceMore) {  // S10, D4
  const enrollment self;
  prepared_interrupt prepared(self.get_target(), 1);
  int calls = 0;
  const auto handler = attach<int>([&](int) {
    if (++calls > 1) return;
    prepared.fire();
    prepared.fire();
    prepared.fire();
  });
  prepared.fire();
  safe_point();
  EXPECT_EQ(calls, 2);
  EXPECT_FALSE(interrupt_pending());
}

// S5, S10: the calls during the callback are one more delivery, and nothing that was sent after
// them comes before it.
TEST(PreparedInterrupt, FiredElsewhereWhileItsCallbackRunsIsNotOvertaken) {
  std::binary_semaphore is_inside(0);
  std::binary_semaphore go_on(0);
  thread other([&] {
    std::string seen;
    const auto numbers = attach<int>([&](int number) {
      if (seen.empty()) {
        is_inside.release();
        go_on.acquire();
      }
      seen += std::to_string(number) + " ";
    });
    const auto texts = attach<std::string>([&](const std::string& text) { seen += text + " "; });
    await([] { return interrupt_pending(); });
    safe_point();
    return seen;
  });
  prepared_interrupt prepared(other.get_target(), 1);
  prepared.fire();
  is_inside.acquire();
  prepared.fire();
  prepared.fire();
  other.interrupt(std::string("two"));
  go_on.release();
  EXPECT_EQ(other.wait(), "1 1 two ");
}

TEST(PreparedInterrupt, FiredInsideACallbackThatThrowsIsDeliveredOnceMore) {  // S10, D3
  const enrollment self;
  prepared_interrupt prepared(self.get_target(), 1);
  int calls = 0;
  const auto handler = attach<int>([&](int) {
    if (++calls > 1) return;
    prepared.fire();
    throw std::string("thrown");
  });
  prepared.fire();
  EXPECT_EQ(raised_here(), "thrown");
  EXPECT_EQ(raised_here(), "nothing");
  EXPECT_EQ(calls, 2);
  EXPECT_FALSE(interrupt_pending());
}

// S2, S10: what is written before fire() is seen by the delivery, also where the interrupt is on
// its way already and is just being taken. If the second call in a round merges with the first,
// then it does so before the target claims the interrupt, which so comes after the write; or it
// finds it claimed, and another delivery follows. Either is at an end when the target has gone
// round twice more. 20,000 rounds.
TEST(PreparedInterrupt, ShowsWhatWasWrittenBeforeACallThatIsMergedWithAnother) {
  constexpr long rounds = 20'000;
  std::atomic<bool> is_over = false;
  alignas(128) std::atomic<long> written = 0;
  alignas(128) std::atomic<long> seen = 0;
  alignas(128) std::atomic<long> turns = 0;
  thread other([&] {
    const auto handler = attach<int>([&](int) {
      seen.store(written.load(std::memory_order_relaxed), std::memory_order_relaxed);
    });
    for (long turn = 1; !is_over; ++turn) {
      safe_point();
      turns.store(turn, std::memory_order_release);
      static_cast<void>(written.load(std::memory_order_relaxed));  // keeps it at hand
      if (turn % 1024 == 0) std::this_thread::yield();             // if the sender is not running
    }
  });
  prepared_interrupt prepared(other.get_target(), 1);
  long missed = 0;
  for (long round = 1; round <= rounds; ++round) {  // in the shortest way, or they never meet
    prepared.fire();
    spin(static_cast<int>(round % 40));
    written.store(round, std::memory_order_relaxed);
    prepared.fire();
    const auto is_seen = [&] { return seen.load(std::memory_order_relaxed) == round; };
    for (int i = 0; i < 2000 && !is_seen(); ++i) spin(1);
    if (is_seen()) continue;
    const long then = turns.load(std::memory_order_acquire);
    await([&] { return is_seen() || turns.load(std::memory_order_acquire) > then + 2; });
    if (!is_seen()) ++missed;
  }
  is_over = true;
  other.wait();
  EXPECT_EQ(missed, 0) << "of " << rounds;
}

}  // namespace
}  // namespace sigexc::test
