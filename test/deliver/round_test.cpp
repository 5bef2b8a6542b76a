// Rounds: what arrives during callbacks is delivered behind them, at the same safe point, but not
// without an end.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "support/interrupts.hpp"
#include "support/order.hpp"

namespace sigexc::test {
namespace {

constexpr int most_rounds = 64;

TEST(Round, DeliversWhatArrivedDuringTheCallbacksAtTheSameSafePoint) {  // D4
  const enrollment self;
  std::vector<int> seen;
  const auto handler = attach<int>([&](int number) {
    seen.push_back(number);
    if (number < 10) to_self(number + 1);
  });
  to_self(1);
  safe_point();
  EXPECT_EQ(seen, (std::vector{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}));
  EXPECT_FALSE(interrupt_pending());
}

TEST(Round, KeepsTheOrderOfArrival) {  // D4, S5
  const enrollment self;
  std::vector<int> seen;
  const auto handler = attach<int>([&](int number) {
    seen.push_back(number);
    if (number < 10) to_self(number * 10);
  });
  to_self(1);
  to_self(2);
  to_self(3);
  safe_point();
  EXPECT_EQ(seen, (std::vector{1, 2, 3, 10, 20, 30}));
}

TEST(Round, RaisesWhatArrivedDuringTheCallbacksTogetherWithTheRest) {  // D4, D2
  const enrollment self;
  const auto handler = attach<int>([](int) { to_self(std::string("during")); });
  to_self(std::string("before"));
  to_self(1);
  const std::string first = raised_here();
  const std::string second = raised_here();
  EXPECT_EQ(first + ", " + second, "group(before, during), nothing");
}

TEST(Round, DoesNotStarveTheThread) {  // D4: at most 64 rounds, then the next safe point
  const enrollment self;
  int calls = 0;
  const auto handler = attach<int>([&](int number) {
    ++calls;
    to_self(number);
  });
  to_self(1);
  safe_point();
  EXPECT_GT(calls, 1);
  EXPECT_LE(calls, most_rounds);
  EXPECT_EQ(self.get_target().pending(), 1U);
  const int first = calls;
  safe_point();
  EXPECT_GT(calls, first);
  EXPECT_LE(calls - first, most_rounds);
  EXPECT_TRUE(interrupt_pending());
}

TEST(Round, LeavesToTheNextSafePointWhatIsNotBlockedThere) {  // D4, S8
  const enrollment self;
  std::vector<receipt> sent;
  const auto handler = attach<int>([&](int number) { sent.push_back(to_self(number + 1)); });
  sent.push_back(to_self(0));
  safe_point();
  ASSERT_FALSE(sent.empty());
  EXPECT_EQ(sent.back().state(), delivery::pending);
  EXPECT_TRUE(sent.back().withdraw());
  for (const receipt& each : sent)
    EXPECT_EQ(each.state(), &each == &sent.back() ? delivery::withdrawn : delivery::handled);
}

TEST(Round, WithoutAnEndLetsAWaitComplete) {  // D4, O3
  thread finished([] { return 7; });
  EXPECT_EQ(finished.wait(), 7);
  const enrollment self;
  const auto handler = attach<int>([](int number) { to_self(number); });
  const receipt first = to_self(1);
  EXPECT_EQ(finished.wait(), 7);
  EXPECT_EQ(first.state(), delivery::handled);
}

TEST(Round, WithoutAnEndLetsAWaitSeeWhatItWaitsFor) {  // D4
  const long_wait wait;
  std::atomic<int> calls = 0;
  thread sleeper([&] {
    const auto handler = attach<int>([&](int number) {
      ++calls;
      to_self(number);
    });
    to_self(1);
    return wait.wait();
  });
  await([&] { return calls > most_rounds; });
  wait.end();
  EXPECT_EQ(sleeper.wait(), delivery::withdrawn);
}

}  // namespace
}  // namespace sigexc::test
