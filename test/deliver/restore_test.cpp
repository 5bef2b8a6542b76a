// Blocks that reopen for a part of their body what held before them, and the functions `blocked`
// and `unblocked`.
#include <gtest/gtest.h>

#include <memory>
#include <semaphore>
#include <stdexcept>
#include <string>
#include <thread>
#include <type_traits>

#include "support/interrupts.hpp"
#include "support/order.hpp"

namespace sigexc::test {
namespace {

using enum policy;

TEST(Restoring, OpensItsOwnBlock) {  // M5, M3
  const enrollment self;
  const block_scope quiet;
  const receipt sent = to_self(1);
  bool is_inside = false;
  EXPECT_EQ(raised_by([&] {
              const unblock_scope restored(quiet);
              is_inside = true;
            }),
            "1");
  EXPECT_FALSE(is_inside);
  EXPECT_EQ(current_policy(), never);
}

TEST(Restoring, OpensNoBlockOfACaller) {  // M5
  const enrollment self;
  policy inside = on_blocking;
  const auto callee = [&inside] {
    const block_scope quiet;
    const unblock_scope restored(quiet);
    inside = current_policy();
    to_self(1);
    safe_point();
  };
  EXPECT_EQ(raised_by([&] {
              const block_scope of_the_caller;
              EXPECT_EQ(raised_by(callee), "nothing");
              EXPECT_EQ(inside, never);
            }),
            "1");
  EXPECT_EQ(raised_by(callee), "1");  // without that block
  EXPECT_EQ(inside, immediate);
}

TEST(Restoring, BringsBackThePolicyThatHeldBefore) {  // M5
  const mask_scope waits(on_blocking);
  const block_scope quiet;
  const unblock_scope restored(quiet);
  EXPECT_EQ(current_policy(), on_blocking);
}

TEST(Restoring, ReachesThroughBlocksInsideItsOwn) {  // M5: what held before that block
  const enrollment self;
  const block_scope quiet;
  const block_scope inside;
  const unblock_scope restored(quiet);
  EXPECT_EQ(current_policy(), immediate);
}

TEST(Restoring, TouchesTheTypesOfItsBlockOnly) {  // M5, M1
  const enrollment self;
  const block_scope<int> quiet;
  const block_scope<std::string> other;
  const unblock_scope<int> restored(quiet);
  EXPECT_EQ(current_policy<int>(), immediate);
  EXPECT_EQ(current_policy<std::string>(), never);
}

TEST(Restoring, BringsBackWhatHeldForEachType) {  // M5, M1
  const block_scope<int> of_the_caller;
  const block_scope quiet;
  const unblock_scope restored(quiet);
  EXPECT_EQ(current_policy<int>(), never);
  EXPECT_EQ(current_policy<std::string>(), immediate);
}

TEST(Restoring, CanBeBlockedAndRestoredAgain) {  // M5, M1
  const block_scope outer;
  const unblock_scope open(outer);
  const block_scope inner;
  EXPECT_EQ(current_policy(), never);
  {
    const unblock_scope to_open(inner);
    EXPECT_EQ(current_policy(), immediate);
  }
  EXPECT_EQ(current_policy(), never);
}

TEST(Restoring, IsASafePointOnOpeningOnlyAndLeavesTheBlockClosed) {  // M3, M4
  const enrollment self;
  EXPECT_EQ(raised_by([] {
              const block_scope quiet;
              {
                const unblock_scope restored(quiet);
                to_self(1);
              }
              EXPECT_EQ(raised_here(), "nothing");
            }),
            "1");
}

TEST(Restoring, ABlockOfAnotherThreadIsAnInvalidArgument) {
  const block_scope quiet;
  std::jthread other([&] {
    EXPECT_THROW(unblock_scope{quiet}, std::invalid_argument);
    EXPECT_EQ(current_policy(), immediate);
  });
  other.join();
  EXPECT_EQ(current_policy(), never);
}

TEST(Blocked, RunsItsBodyBlockedAndRaisesBehindOneThatReturnsNothing) {  // M4
  const enrollment self;
  bool has_run = false;
  EXPECT_EQ(raised_by([&] {
              blocked([&] {
                to_self(1);
                safe_point();
                EXPECT_EQ(current_policy(), never);
                has_run = true;
              });
            }),
            "1");
  EXPECT_TRUE(has_run);
}

TEST(Blocked, NeverLosesTheValueOfItsBody) {  // M4
  const enrollment self;
  std::unique_ptr<int> value;
  EXPECT_NO_THROW(value = blocked([] {
                    to_self(1);
                    return std::make_unique<int>(7);
                  }));
  ASSERT_NE(value, nullptr);
  EXPECT_EQ(*value, 7);
  EXPECT_EQ(raised_here(), "1");
}

TEST(Blocked, ReturnsReferences) {
  int number = 7;
  static_assert(std::is_same_v<decltype(blocked([&]() -> int& { return number; })), int&>);
  EXPECT_EQ(&blocked([&]() -> int& { return number; }), &number);
  EXPECT_EQ(&unblocked([&]() -> int& { return number; }), &number);
}

TEST(Blocked, LeftByAnExceptionIsNoSafePoint) {  // M4
  const enrollment self;
  EXPECT_THROW(blocked([] {
                 to_self(1);
                 throw std::runtime_error("of the work");
               }),
               std::runtime_error);
  EXPECT_EQ(current_policy(), immediate);
  EXPECT_EQ(raised_here(), "1");
}

TEST(Blocked, CanBeOfChosenTypes) {  // M1
  const enrollment self;
  EXPECT_EQ(raised_by([] {
              blocked<int>([] {
                to_self(1);
                to_self(std::string("two"));
                EXPECT_EQ(raised_here(), "two");
              });
            }),
            "1");
}

TEST(Blocked, HandsItsBodyARestorer) {  // M5, M3
  const enrollment self;
  const int value = blocked([](const restorer& restore) {
    to_self(1);
    EXPECT_EQ(raised_by([&] { restore([] { ADD_FAILURE() << "it was pending"; }); }), "1");
    EXPECT_EQ(current_policy(), never);
    return restore([] {
      EXPECT_EQ(current_policy(), immediate);
      to_self(2);
      return 7;  // restoring is no safe point when it ends: the value would be lost
    });
  });
  EXPECT_EQ(value, 7);
  EXPECT_EQ(raised_here(), "2");
}

TEST(Blocked, RestorerOpensNoBlockOfACaller) {  // M5
  const enrollment self;
  EXPECT_EQ(raised_by([] {
              const block_scope of_the_caller;
              blocked([](const restorer& restore) {
                restore([] {
                  to_self(1);
                  EXPECT_EQ(raised_here(), "nothing");
                });
              });
            }),
            "1");
}

TEST(Unblocked, IsASafePointBeforeItsBodyAndNotBehindIt) {  // M3, M4
  const enrollment self;
  const block_scope quiet;
  to_self(1);
  EXPECT_EQ(raised_by([] { unblocked([] { ADD_FAILURE() << "it was pending"; }); }), "1");
  const receipt sent = unblocked([] { return to_self(2); });
  EXPECT_EQ(sent.state(), delivery::pending);
  EXPECT_EQ(raised_by([] { unblocked<std::string>([] {}); }), "nothing");
  EXPECT_EQ(raised_by([] { unblocked<int>([] {}); }), "2");
}

}  // namespace
}  // namespace sigexc::test
