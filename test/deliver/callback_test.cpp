// Callbacks: which one gets an interrupt, what holds while it runs, and what its end means.
#include <gtest/gtest.h>

#include <chrono>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "support/interrupts.hpp"
#include "support/order.hpp"

namespace sigexc::test {
namespace {

using namespace std::chrono_literals;

TEST(Callback, ThatReturnsHasHandledTheInterrupt) {  // D3
  const enrollment self;
  int seen = 0;
  const auto handler = attach<int>([&](int number) { seen = number; });
  to_self(7);
  EXPECT_NO_THROW(safe_point());
  EXPECT_EQ(seen, 7);
  EXPECT_NO_THROW(safe_point());
  EXPECT_FALSE(interrupt_pending());
}

TEST(Callback, ThatThrowsReplacesTheInterrupt) {  // D3
  const enrollment self;
  const auto handler = attach<int>([](int) { throw std::string("instead"); });
  to_self(1);
  EXPECT_EQ(raised_here(), "instead");
  EXPECT_EQ(raised_here(), "nothing");
}

TEST(Callback, RunsOnTheTargetsThreadAtASafePoint) {  // D3
  witness where;
  thread other([&] {
    pid_t ran_on = 0;
    const auto handler = attach<int>([&](int) { ran_on = gettid(); });
    where.here();
    while (!interrupt_pending()) std::this_thread::yield();
    const bool was_too_early = ran_on != 0;
    safe_point();
    return !was_too_early && ran_on == gettid();
  });
  static_cast<void>(where.tid());  // it has attached
  other.interrupt(1);
  EXPECT_TRUE(other.wait());
}

TEST(Callback, InnermostAttachmentComesFirst) {  // D3
  const enrollment self;
  std::string order;
  const auto outer = attach<int>([&](int) { order += "outer "; });
  to_self(1);
  safe_point();
  {
    const auto inner = attach<int>([&](int) { order += "inner "; });
    const auto other = attach<std::string>([&](const std::string&) { order += "string "; });
    to_self(2);
    safe_point();
  }
  to_self(3);
  safe_point();
  EXPECT_EQ(order, "outer inner outer ");
}

TEST(Callback, ComesBeforeRaisingOfTheOthers) {  // D3, D2
  const enrollment self;
  std::vector<int> seen;
  const auto handler = attach<int>([&](int number) { seen.push_back(number); });
  to_self(1);
  to_self(std::string("two"));
  to_self(3);
  to_self(std::string("four"));
  EXPECT_EQ(raised_here(), "group(two, four)");
  EXPECT_EQ(seen, (std::vector{1, 3}));
}

TEST(Callback, ThatThrowsPutsItsExceptionInThePlaceOfTheInterrupt) {  // D3, D2, S5
  const enrollment self;
  const auto handler = attach<int>([](int number) {
    if (number == 3) throw std::string("three");
  });
  to_self(std::string("one"));
  to_self(2);
  to_self(3);
  to_self(std::string("four"));
  EXPECT_EQ(raised_here(), "group(one, three, four)");
}

TEST(Callback, RunsWithEveryInterruptBlocked) {  // D3
  const enrollment self;
  policy inside = policy::immediate;
  std::string raised_inside;
  const auto handler = attach<int>([&](int) {
    inside = current_policy();
    to_self(std::string("later"));
    raised_inside = raised_here();
  });
  to_self(1);
  EXPECT_EQ(raised_here(), "later");
  EXPECT_EQ(inside, policy::never);
  EXPECT_EQ(raised_inside, "nothing");
  EXPECT_EQ(current_policy(), policy::immediate);
}

TEST(Callback, ThatThrowsLeavesTheScopesAsTheyWere) {  // D3, M1
  const enrollment self;
  const auto handler = attach<int>([](int) { throw std::string("instead"); });
  const block_scope<double> around;
  to_self(1);
  EXPECT_EQ(raised_here(), "instead");
  EXPECT_EQ(current_policy(), policy::immediate);
  EXPECT_EQ(current_policy<double>(), policy::never);
}

TEST(Callback, IsNotCalledForWhatAScopeBlocks) {  // D3, M1
  const enrollment self;
  int calls = 0;
  const auto handler = attach<int>([&](int) { ++calls; });
  {
    const block_scope<int> quiet;
    to_self(1);
    safe_point();
    EXPECT_EQ(calls, 0);
  }
  EXPECT_EQ(calls, 1);  // leaving is a safe point
}

TEST(Callback, LetsAWaitGoOn) {  // D3, O6
  const long_wait wait;
  witness where;
  thread sleeper([&] {
    const auto handler = attach<int>([](int) {});
    where.here();
    return wait.wait();
  });
  where.await_asleep();
  for (int i = 0; i < 10; ++i) EXPECT_EQ(sleeper.interrupt(i).wait(), delivery::handled);
  where.await_asleep();
  wait.end();
  EXPECT_EQ(sleeper.wait(), delivery::withdrawn);
}

// D3: were each callback to start the time anew, this would never end.
TEST(Callback, LetsATimedWaitGoOnWithTheRestOfItsTime) {
  const long_wait wait;
  std::atomic<bool> is_over = false;
  thread sleeper([&] {
    const auto handler = attach<int>([](int) {});
    const delivery end = wait.sent().wait_for(1s);
    is_over = true;
    return end;
  });
  while (!is_over) sleeper.interrupt(1).wait_for(100ms);
  EXPECT_EQ(raised_by([&] { EXPECT_EQ(sleeper.wait(), delivery::pending); }), "nothing");
}

TEST(Callback, ThatThrowsEndsAWait) {  // D3
  const long_wait wait;
  witness where;
  thread sleeper([&] {
    const auto handler = attach<int>([](int) { throw std::string("instead"); });
    where.here();
    return raised_by([&] { wait.wait(); });
  });
  where.await_asleep();
  sleeper.interrupt(1);
  EXPECT_EQ(sleeper.wait(), "instead");
}

TEST(Callback, CanOpenTheBlockItRunsIn) {  // D3, M3: what is pending is delivered inside it
  const enrollment self;
  std::string inside;
  const auto handler = attach<int>([&](int) {
    to_self(std::string("two"));
    inside = raised_by([] { const unblock_scope open; });
  });
  const receipt sent = to_self(1);
  EXPECT_EQ(raised_here(), "nothing");
  EXPECT_EQ(inside, "two");
  EXPECT_EQ(sent.state(), delivery::handled);
}

TEST(Callback, ThatLetsAnInterruptOutIsReplacedByIt) {  // D3
  const enrollment self;
  const auto handler = attach<int>([&](int) {
    to_self(std::string("two"));
    const unblock_scope open;
  });
  to_self(1);
  EXPECT_EQ(raised_here(), "two");
  EXPECT_EQ(raised_here(), "nothing");
}

// D3, S8: others of the same round are delivered once, in the open callback or behind it.
TEST(Callback, ThatOpensItsBlockGetsNothingTwiceAndLosesNothing) {
  const enrollment self;
  std::string inside;
  const auto handler =
      attach<int>([&](int) { inside += raised_by([] { const unblock_scope open; }) + " "; });
  to_self(1);
  const receipt second = to_self(std::string("two"));
  const receipt third = to_self(std::string("three"));
  const std::string all = inside + raised_here() + inside;
  EXPECT_EQ(second.state(), delivery::raised);
  EXPECT_EQ(third.state(), delivery::raised);
  for (const std::string& text : {std::string("two"), std::string("three")}) {
    EXPECT_NE(all.find(text), std::string::npos) << all;
    EXPECT_EQ(all.find(text), all.rfind(text)) << all;
  }
  EXPECT_EQ(raised_here(), "nothing");
}

TEST(Callback, CanBeEnteredAgainFromAnOpenPartOfItself) {  // D3, M3
  const enrollment self;
  std::string order;
  const auto handler = attach<int>([&](int depth) {
    order += "(" + std::to_string(depth);
    if (depth < 3) {
      to_self(depth + 1);
      const unblock_scope open;
    }
    order += ")";
  });
  to_self(1);
  safe_point();
  EXPECT_EQ(order, "(1(2(3)))");
}

TEST(Callback, CanWaitInItsBlock) {  // D3: the wait is not interrupted
  const long_wait wait;
  witness where;
  thread other([&] {
    delivery end = delivery::pending;
    const auto handler = attach<int>([&](int) {
      where.here();
      end = wait.wait();
    });
    to_self(1);
    const std::string raised = raised_here();
    EXPECT_EQ(end, delivery::withdrawn);
    return raised;
  });
  where.await_asleep();
  other.interrupt(std::string("two"));
  where.await_asleep();
  wait.end();
  EXPECT_EQ(other.wait(), "two");
}

}  // namespace
}  // namespace sigexc::test
