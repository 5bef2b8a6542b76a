// Termination together with other exceptions, with callbacks, and as the end of threads.
#include <gtest/gtest.h>

#include <atomic>
#include <exception>
#include <optional>
#include <stdexcept>
#include <string>

#include "support/interrupts.hpp"
#include "support/order.hpp"

namespace sigexc::test {
namespace {

TEST(TerminationInAGroup, ComesBackAloneWhenTheGroupIsSwallowed) {  // D5, D2
  const enrollment self;
  to_self(1);
  terminate_self();
  EXPECT_EQ(raised_here(), "group(1, terminated)");
  EXPECT_EQ(raised_here(), "terminated");
  EXPECT_EQ(raised_here(), "terminated");
}

TEST(TerminationInAGroup, TwiceIsOneMember) {  // D5, S8
  const enrollment self;
  const receipt first = terminate_self();
  to_self(2);
  const receipt second = terminate_self();
  EXPECT_EQ(raised_here(), "group(terminated, 2)");
  EXPECT_EQ(first.state(), delivery::raised);
  EXPECT_EQ(second.state(), delivery::raised);
}

TEST(TerminationInAGroup, IsKeptAliveByTheGroupAndItsParts) {  // D5
  const enrollment self;
  to_self(1);
  terminate_self();
  std::optional<exception_group> part;
  try {
    safe_point();
  } catch (const exception_group& group) {
    EXPECT_EQ(raised_here(), "nothing");
    part = group.subgroup<terminated>();
  }
  ASSERT_TRUE(part.has_value());
  EXPECT_EQ(raised_here(), "nothing");
  part.reset();
  EXPECT_EQ(raised_here(), "terminated");
}

TEST(TerminationInAGroup, IsNotInThePartOfTheOthers) {  // D5
  const enrollment self;
  to_self(1);
  terminate_self();
  std::optional<exception_group> others;
  try {
    safe_point();
  } catch (const exception_group& group) {
    others = group.subgroup<int>();
  }
  EXPECT_EQ(raised_here(), "terminated");
  EXPECT_TRUE(others.has_value());
}

TEST(TerminationInAGroup, IsWhatHandlersOfTheOthersLeave) {  // D5
  const enrollment self;
  to_self(1);
  terminate_self();
  int seen = 0;
  EXPECT_EQ(raised_by([&] {
              try {
                safe_point();
              } catch (...) {
                handle_each([&](int number) { seen = number; });
              }
            }),
            "terminated");
  EXPECT_EQ(seen, 1);
  EXPECT_EQ(raised_here(), "terminated");
}

TEST(TerminationInAGroup, CanBeAcknowledgedByAHandler) {  // D5
  const enrollment self;
  to_self(1);
  terminate_self();
  try {
    safe_point();
  } catch (...) {
    handle_each([](int) {}, [](const terminated& t) { t.acknowledge(); });
  }
  EXPECT_EQ(raised_here(), "nothing");
}

TEST(TerminationInAGroup, WithAnotherThatCameWhileItWasPendingAgain) {  // D5, S5
  const enrollment self;
  terminate_self();
  EXPECT_EQ(raised_here(), "terminated");
  to_self(1);
  EXPECT_EQ(raised_here(), "group(terminated, 1)");
  EXPECT_EQ(raised_here(), "terminated");
}

TEST(TerminationCallback, ThatReturnsHasHandledIt) {  // D3, D5
  const enrollment self;
  int calls = 0;
  const auto handler = attach<terminated>([&](const terminated&) { ++calls; });
  const receipt sent = terminate_self();
  EXPECT_EQ(raised_here(), "nothing");
  EXPECT_EQ(sent.state(), delivery::handled);
  EXPECT_EQ(raised_here(), "nothing");
  EXPECT_EQ(calls, 1);
  EXPECT_FALSE(interrupt_pending());
}

TEST(TerminationCallback, OfABaseGetsItToo) {  // D3, M1
  const enrollment self;
  int calls = 0;
  const auto handler = attach<interruption>([&](const interruption&) { ++calls; });
  terminate_self();
  EXPECT_EQ(raised_here(), "nothing");
  EXPECT_EQ(calls, 1);
}

TEST(TerminationCallback, SeesItAgainIfItCameBack) {  // D3, D5
  const enrollment self;
  terminate_self();
  EXPECT_EQ(raised_here(), "terminated");
  int calls = 0;
  const auto handler = attach<terminated>([&](const terminated&) { ++calls; });
  EXPECT_EQ(raised_here(), "nothing");
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(raised_here(), "nothing");
}

TEST(TerminatedThread, CannotSwallowItsEnd) {  // D5, D6
  std::atomic<int> swallowed = 0;
  std::atomic<bool> runs = false;
  thread stubborn([&] {
    runs = true;
    while (swallowed < 100) {
      try {
        for (;;) safe_point();
      } catch (...) {
        ++swallowed;
      }
    }
    for (;;) safe_point();
  });
  await([&] { return runs.load(); });
  stubborn.terminate();
  EXPECT_THROW(stubborn.wait(), terminated);
  EXPECT_EQ(swallowed, 100);
  EXPECT_THROW(stubborn.wait(), terminated);  // again
}

TEST(TerminatedThread, MayReturnAResultAllTheSame) {  // D5
  std::atomic<bool> runs = false;
  thread last_words([&] {
    try {
      runs = true;
      for (;;) safe_point();
    } catch (const terminated&) {
      return 7;
    }
  });
  await([&] { return runs.load(); });
  last_words.terminate();
  EXPECT_EQ(last_words.wait(), 7);
}

TEST(TerminatedThread, IsNotRaisedInWhoWaitsForIt) {  // D5, D6: the waiter is no target of it
  const enrollment self;
  thread other([] {
    for (;;) safe_point();
  });
  other.terminate();
  EXPECT_THROW(other.wait(), terminated);
  EXPECT_EQ(raised_here(), "nothing");
}

// D5: a termination sent while another is alive is not lost: acknowledging the first is one thing,
// and its receipt ends.
TEST(TerminatedThread, IsToldOfASecondTermination) {
  const enrollment self;
  terminate_self();
  std::optional<receipt> second;
  try {
    safe_point();
  } catch (const terminated&) {
    second = terminate_self();
  }
  EXPECT_EQ(raised_here(), "terminated");
  EXPECT_EQ(second->state(), delivery::raised);
}

}  // namespace
}  // namespace sigexc::test
