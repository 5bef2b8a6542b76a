// The policy `on_blocking`: delivered only where an operation would have to wait; and which policy
// holds for several types.
#include <gtest/gtest.h>

#include <chrono>
#include <string>

#include "support/interrupts.hpp"
#include "support/order.hpp"

namespace sigexc::test {
namespace {

using namespace std::chrono_literals;
using enum policy;

TEST(OnBlocking, LetsSafePointsPass) {  // M6
  const enrollment self;
  EXPECT_EQ(raised_by([] {
              const mask_scope waits(on_blocking);
              to_self(1);
              EXPECT_EQ(raised_here(), "nothing");
              EXPECT_TRUE(interrupt_pending());
            }),
            "1");
}

TEST(OnBlocking, IsNoSafePointWhenItOpensButWhenItIsLeft) {  // M3, M4
  const enrollment self;
  to_self(1);
  bool is_inside = false;
  EXPECT_EQ(raised_by([&] {
              const mask_scope waits(on_blocking);
              is_inside = true;
            }),
            "1");
  EXPECT_TRUE(is_inside);
}

TEST(OnBlocking, LetsAWaitThatCanCompleteDoSo) {  // M6
  thread finished([] { return 7; });
  EXPECT_EQ(finished.wait(), 7);
  const long_wait over;
  over.end();

  const enrollment self;
  const mask_scope waits(on_blocking);
  const receipt sent = to_self(1);
  EXPECT_EQ(finished.wait(), 7);
  EXPECT_TRUE(finished.wait_for(24h));
  EXPECT_EQ(over.wait(), delivery::withdrawn);
  EXPECT_EQ(over.sent().wait_for(24h), delivery::withdrawn);
  EXPECT_EQ(sent.state(), delivery::pending);
  EXPECT_TRUE(sent.withdraw());
}

TEST(OnBlocking, DeliversWhereAWaitWouldHaveToWait) {  // M6
  const long_wait wait;
  thread busy([&] { wait.wait(); });
  const enrollment self;
  const mask_scope waits(on_blocking);
  to_self(1);
  EXPECT_EQ(raised_by([&] { wait.wait(); }), "1");
  to_self(2);
  EXPECT_EQ(raised_by([&] { busy.wait(); }), "2");
  to_self(3);
  EXPECT_EQ(raised_by([&] { static_cast<void>(busy.wait_for(24h)); }), "3");
  wait.end();
}

TEST(OnBlocking, DeliversToAThreadThatWaitsAlready) {  // M6, O2
  const long_wait wait;
  witness where;
  thread sleeper([&] {
    const mask_scope waits(on_blocking);
    where.here();
    return raised_by([&] { wait.wait(); });
  });
  where.await_asleep();
  sleeper.interrupt(1);
  EXPECT_EQ(sleeper.wait(), "1");
}

TEST(OnBlocking, RunsCallbacksWhereAWaitWouldHaveToWait) {  // M6, D3
  const long_wait wait;
  const enrollment self;
  const mask_scope waits(on_blocking);
  int handled = 0;
  const auto handler = attach<int>([&](int) {
    ++handled;
    wait.end();
  });
  to_self(1);
  safe_point();
  EXPECT_EQ(handled, 0);
  EXPECT_EQ(wait.wait(), delivery::withdrawn);
  EXPECT_EQ(handled, 1);
}

TEST(OnBlocking, OfChosenTypesLeavesTheOthersAsTheyAre) {  // M6, M1
  const long_wait wait;
  const enrollment self;
  const mask_scope<int> waits(on_blocking);
  const block_scope<double> quiet;
  to_self(1);
  const receipt held = to_self(2.5);
  to_self(std::string("three"));
  EXPECT_EQ(raised_here(), "three");
  EXPECT_EQ(raised_by([&] { wait.wait(); }), "1");
  EXPECT_EQ(held.state(), delivery::pending);
  EXPECT_TRUE(held.withdraw());
}

TEST(Policy, OfSeveralTypesIsTheStrictest) {  // M1
  const mask_scope<int> waits(on_blocking);
  EXPECT_EQ((current_policy<std::string, int>()), on_blocking);
  const block_scope<double> quiet;
  EXPECT_EQ((current_policy<double, int>()), never);
  EXPECT_EQ((current_policy<int, std::string>()), on_blocking);
  EXPECT_EQ((current_policy<std::string>()), immediate);
}

TEST(Policy, InsideABlockIsStrongerThanWaiting) {  // M1, M6
  const long_wait wait;
  witness where;
  thread sleeper([&] {
    return raised_by([&] {
      const mask_scope waits(on_blocking);
      EXPECT_EQ(raised_by([&] {
                  const block_scope quiet;
                  where.here();
                  EXPECT_EQ(wait.wait(), delivery::withdrawn);
                }),
                "nothing");  // leaving the block opens nothing that only waits are open to
    });
  });
  where.await_asleep();
  const receipt sent = sleeper.interrupt(1);
  where.await_asleep();
  wait.end();
  EXPECT_EQ(sleeper.wait(), "1");
  EXPECT_EQ(sent.state(), delivery::raised);
}

}  // namespace
}  // namespace sigexc::test
