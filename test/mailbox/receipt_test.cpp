// Receipts: each interrupt ends in exactly one way and its receipt tells which; a receipt can be
// waited for, and can take the interrupt back.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <latch>
#include <memory>
#include <optional>
#include <semaphore>
#include <string>
#include <utility>
#include <vector>

#include "support/interrupts.hpp"
#include "support/order.hpp"

namespace sigexc::test {
namespace {

using namespace std::chrono_literals;

TEST(Receipt, SaysPendingThenRaised) {  // S8
  const enrollment self;
  const receipt sent = to_self(1);
  EXPECT_EQ(sent.state(), delivery::pending);
  EXPECT_EQ(raised_here(), "1");
  EXPECT_EQ(sent.state(), delivery::raised);
}

TEST(Receipt, SaysRaisedForEachMemberOfAGroup) {  // S8, D2
  const enrollment self;
  const receipt first = to_self(1);
  const receipt second = to_self(2);
  EXPECT_EQ(raised_here(), "group(1, 2)");
  EXPECT_EQ(first.state(), delivery::raised);
  EXPECT_EQ(second.state(), delivery::raised);
}

TEST(Receipt, SaysHandledOnceTheCallbackHasReturned) {  // S8, D3
  const enrollment self;
  std::optional<receipt> sent;
  delivery during = delivery::discarded;
  const auto handler = attach<int>([&](int) { during = sent->state(); });
  sent = to_self(1);
  safe_point();
  EXPECT_EQ(during, delivery::pending);
  EXPECT_EQ(sent->state(), delivery::handled);
}

TEST(Receipt, SaysRaisedWhereACallbackThrows) {  // S8, D3: the target did not go on
  const enrollment self;
  const auto handler = attach<int>([](int) { throw std::string("instead"); });
  const receipt sent = to_self(1);
  EXPECT_EQ(raised_here(), "instead");
  EXPECT_EQ(sent.state(), delivery::raised);
}

TEST(Receipt, SaysDiscardedWhenTheEnrollmentEndsFirst) {  // S8
  auto self = std::make_unique<enrollment>();
  const receipt sent = to_self(1);
  self.reset();
  EXPECT_EQ(sent.state(), delivery::discarded);
  EXPECT_FALSE(sent.withdraw());
}

TEST(Receipt, SaysDiscardedWhenTheThreadEndsFirst) {  // S8
  long_wait wait;
  thread blocked_one({.name = "blocked", .start_blocked = true}, [&] { wait.wait(); });
  const receipt sent = blocked_one.interrupt(1);
  EXPECT_EQ(sent.state(), delivery::pending);
  wait.end();
  EXPECT_NO_THROW(blocked_one.wait());
  EXPECT_EQ(sent.state(), delivery::discarded);
}

TEST(Receipt, CopiesTellTheSame) {  // S8
  const enrollment self;
  const receipt sent = to_self(1);
  const receipt copy = sent;
  EXPECT_TRUE(copy.withdraw());
  EXPECT_EQ(sent.state(), delivery::withdrawn);
  EXPECT_FALSE(sent.withdraw());
}

TEST(Receipt, WithdrawnIsNeverDelivered) {  // S9
  const enrollment self;
  const receipt sent = to_self(1);
  EXPECT_TRUE(sent.withdraw());
  EXPECT_EQ(sent.state(), delivery::withdrawn);
  EXPECT_FALSE(interrupt_pending());
  EXPECT_EQ(self.get_target().pending(), 0U);
  EXPECT_EQ(raised_here(), "nothing");
}

TEST(Receipt, WithdrawnFromAScopeThatHoldsItIsNeverDelivered) {  // S9, M4
  const enrollment self;
  {
    const block_scope quiet;
    const receipt first = to_self(1);
    const receipt second = to_self(2);
    const receipt third = to_self(3);
    safe_point();  // looks at them, and goes on
    EXPECT_TRUE(second.withdraw());
    EXPECT_EQ(self.get_target().pending(), 2U);
    EXPECT_TRUE(first.withdraw());
    EXPECT_TRUE(third.withdraw());
    EXPECT_FALSE(interrupt_pending());
  }
  EXPECT_EQ(raised_here(), "nothing");
}

TEST(Receipt, WithdrawnFromTheMiddleLeavesTheOthersInOrder) {  // S9, S5
  const enrollment self;
  to_self(1);
  const receipt second = to_self(2);
  to_self(3);
  EXPECT_TRUE(second.withdraw());
  EXPECT_EQ(raised_here(), "group(1, 3)");
}

TEST(Receipt, WithdrawnByACallbackOfTheSameRoundIsNotRaised) {  // S9, D3
  const enrollment self;
  std::optional<receipt> second;
  bool taken_back = false;
  const auto handler = attach<int>([&](int) { taken_back = second->withdraw(); });
  to_self(1);
  second = to_self(std::string("two"));
  const std::string raised = raised_here();
  EXPECT_EQ(raised, taken_back ? "nothing" : "two");
  EXPECT_EQ(second->state(), taken_back ? delivery::withdrawn : delivery::raised);
}

TEST(Receipt, CannotTakeBackWhatIsOver) {  // S8, S9
  const enrollment self;
  std::optional<receipt> sent;
  bool taken_back = true;
  const auto handler = attach<int>([&](int) { taken_back = sent->withdraw(); });
  sent = to_self(1);
  safe_point();
  EXPECT_FALSE(taken_back);  // it was just being delivered
  EXPECT_FALSE(sent->withdraw());
  const receipt raised = to_self(std::string("two"));
  EXPECT_EQ(raised_here(), "two");
  EXPECT_FALSE(raised.withdraw());
  EXPECT_EQ(raised.state(), delivery::raised);
}

// S9: the sleeper has nothing to wake up for; that it stays asleep shows at its next interrupt.
TEST(Receipt, WithdrawnBeforeASleeperLooksLeavesItAsleep) {
  const long_wait wait;
  witness where;
  int other_ends = 0;
  thread sleeper([&] {
    const mask_scope<std::string> quiet(policy::never);
    where.here();
    try {
      wait.wait();
      ++other_ends;
    } catch (int) {
      return raised_by([&] { safe_point(); });
    }
    return std::string("the wait ended by itself");
  });
  where.await_asleep();
  for (int round = 0; round < 1000; ++round)
    EXPECT_TRUE(sleeper.interrupt(std::string("held")).withdraw());
  where.await_asleep();
  sleeper.interrupt(1);
  EXPECT_EQ(sleeper.wait(), "nothing");
  EXPECT_EQ(other_ends, 0);
}

// S8, S9: of the two that race, the one who takes it back and the one who delivers it, exactly one
// wins. 3,000 rounds.
TEST(Receipt, IsEitherWithdrawnOrRaised) {
  constexpr int rounds = 3000;
  std::atomic<bool> is_over = false;
  thread target([&] {
    int raised = 0;
    while (!is_over) {
      try {
        safe_point();
      } catch (int) {
        ++raised;
      } catch (const exception_group& group) {
        raised += static_cast<int>(group.exceptions().size());
      }
    }
    return raised;
  });
  int withdrawn = 0;
  for (int round = 0; round < rounds; ++round) {
    const receipt sent = target.interrupt(round);
    if (round % 2 == 0) std::this_thread::yield();
    if (sent.withdraw()) {
      ++withdrawn;
      EXPECT_EQ(sent.state(), delivery::withdrawn);
    } else {
      EXPECT_EQ(sent.wait(), delivery::raised);
    }
  }
  is_over = true;
  EXPECT_EQ(target.wait(), rounds - withdrawn);
}

// S8: a thread's exit closes its mailbox in one step, so nothing that was sent meanwhile stays
// pending, is lost or is counted twice. 200 rounds with two senders.
TEST(Receipt, EndsInOneWayAlsoWhileTheThreadEnds) {
  for (int round = 0; round < 200; ++round) {
    constexpr int each = 20;
    std::latch start(3);
    thread target([&] {
      int raised = 0;
      start.arrive_and_wait();
      while (raised < each / 2) {
        try {
          safe_point();
        } catch (int) {
          ++raised;
        } catch (const exception_group& group) {
          raised += static_cast<int>(group.exceptions().size());
        }
      }
      return raised;
    });
    const auto send = [&] {
      std::vector<receipt> sent;
      start.arrive_and_wait();
      for (int i = 0; i < each; ++i) sent.push_back(target.interrupt(i));
      return sent;
    };
    thread one(send);
    thread two(send);
    std::vector<receipt> all = one.wait();
    for (const auto& sent : two.wait()) all.push_back(sent);
    const int raised = target.wait();
    int told_raised = 0;
    for (const auto& sent : all) {
      EXPECT_NE(sent.state(), delivery::pending);
      if (sent.state() == delivery::raised) {
        ++told_raised;
      } else {
        EXPECT_EQ(sent.state(), delivery::discarded);
      }
    }
    ASSERT_EQ(told_raised, raised) << "round " << round;
  }
}

}  // namespace
}  // namespace sigexc::test
