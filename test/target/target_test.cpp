// Targets as values: their identity, their names, and the list of all.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <unordered_set>
#include <vector>

#include "support/interrupts.hpp"
#include "support/order.hpp"

namespace sigexc::test {
namespace {

bool is_listed(const target& which) {
  const std::vector<target> all = targets();
  return std::count(all.begin(), all.end(), which) == 1;
}

TEST(Target, IsTheSameFromEverySide) {
  const enrollment self;
  const target copy = self.get_target();
  EXPECT_EQ(copy, this_thread::get_target());
  EXPECT_EQ(std::hash<target>()(copy), std::hash<target>()(this_thread::get_target()));
  thread other([] { return this_thread::get_target(); });
  EXPECT_EQ(other.wait(), other.get_target());
  EXPECT_NE(other.get_target(), copy);
  const std::unordered_set<target> set{copy, self.get_target(), other.get_target()};
  EXPECT_EQ(set.size(), 2U);
  EXPECT_TRUE(set.contains(this_thread::get_target()));
}

TEST(Target, StaysItselfAfterItsThreadHasEnded) {  // S6
  auto other = std::make_unique<thread<void>>(thread_options{.name = "a name"}, [] {});
  const target kept = other->get_target();
  const std::size_t hash = std::hash<target>()(kept);
  other.reset();
  EXPECT_TRUE(kept.finished());
  EXPECT_EQ(kept.name(), "a name");
  EXPECT_EQ(kept.pending(), 0U);
  EXPECT_EQ(kept, target(kept));
  EXPECT_EQ(std::hash<target>()(kept), hash);
}

TEST(Target, IsListedWhileItLives) {
  const std::size_t before = targets().size();
  auto self = std::make_unique<enrollment>();
  const target me = self->get_target();
  const long_wait wait;
  thread other([&] { wait.wait(); });
  EXPECT_TRUE(is_listed(me));
  EXPECT_TRUE(is_listed(other.get_target()));
  EXPECT_EQ(targets().size(), before + 3);  // with the one that is waited for
  wait.end();
  other.wait();
  EXPECT_FALSE(is_listed(other.get_target()));
  self.reset();
  EXPECT_FALSE(is_listed(me));
  EXPECT_EQ(targets().size(), before + 1);
}

TEST(Target, IsListedOnceItsThreadHasBeenMade) {
  for (int round = 0; round < 100; ++round) {
    const long_wait wait;
    const thread other([&] { wait.wait(); });
    ASSERT_TRUE(is_listed(other.get_target()));
    ASSERT_FALSE(other.get_target().finished());
  }
}

// The list can be taken, and its targets sent to, while threads come and go. 300 threads.
TEST(Target, CanBeTakenFromTheListWhileThreadsComeAndGo) {
  std::atomic<bool> is_over = false;
  std::jthread sender([&] {
    while (!is_over)
      for (const target& each : targets()) {
        each.interrupt(each.name()).withdraw();
        static_cast<void>(each.finished());
      }
  });
  for (int round = 0; round < 300; ++round) {
    thread brief({.name = std::to_string(round), .start_blocked = true}, [] {});
    EXPECT_NO_THROW(brief.wait());
  }
  is_over = true;
}

TEST(Target, CountsWhatIsPendingBlockedOrNot) {
  const enrollment self;
  const target me = self.get_target();
  EXPECT_EQ(me.pending(), 0U);
  EXPECT_FALSE(interrupt_pending());
  {
    const block_scope<int> quiet;
    to_self(1);
    EXPECT_EQ(me.pending(), 1U);
    EXPECT_TRUE(interrupt_pending());
    to_self(std::string("two"));
    EXPECT_EQ(me.pending(), 2U);
    EXPECT_EQ(raised_here(), "two");
    EXPECT_EQ(me.pending(), 1U);
    EXPECT_TRUE(interrupt_pending());
    to_self(3);
    EXPECT_EQ(me.pending(), 2U);
    EXPECT_EQ(raised_by([] { const unblock_scope open; }), "group(1, 3)");
    EXPECT_EQ(me.pending(), 0U);
    EXPECT_FALSE(interrupt_pending());
  }
}

TEST(InterruptPending, PromisesThatTheNextSafePointFindsIt) {  // D1
  const enrollment self;
  const target me = self.get_target();
  constexpr int rounds = 5'000;
  std::atomic<int> wanted{0};
  std::jthread sender([&] {
    for (int round = 1; round <= rounds; ++round) {
      test::await([&] { return wanted >= round; });
      me.interrupt(round);
    }
  });
  for (int round = 1; round <= rounds; ++round) {
    wanted = round;
    test::await([] { return interrupt_pending(); });
    EXPECT_EQ(raised_here(), std::to_string(round));
    if (HasFailure()) break;
  }
  wanted = rounds;
}

TEST(Target, IsShownByAnEmptyNameWhereItGotNone) {
  const enrollment self;
  EXPECT_EQ(self.get_target().name(), "");
  thread other([] { return this_thread::get_target().name(); });
  EXPECT_EQ(other.wait(), "");
}

}  // namespace
}  // namespace sigexc::test
