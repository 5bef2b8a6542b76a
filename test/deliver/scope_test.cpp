// Scopes: what they hold, when they let it go, and that leaving one restores what held before.
#include <gtest/gtest.h>

#include <stdexcept>
#include <string>
#include <tuple>
#include <vector>

#include "support/interrupts.hpp"
#include "support/order.hpp"

namespace sigexc::test {
namespace {

struct fault {};
struct slip : fault {};

std::vector<policy> policies() {
  return {current_policy(), current_policy<int>(), current_policy<std::string>()};
}
using enum policy;

TEST(BlockScope, HoldsWhatArrivesAndRaisesItOnLeaving) {  // M4, D2
  const enrollment self;
  bool has_reached_the_end = false;
  EXPECT_EQ(raised_by([&] {
              const block_scope quiet;
              to_self(1);
              safe_point();
              to_self(2);
              safe_point();
              EXPECT_TRUE(interrupt_pending());
              has_reached_the_end = true;
            }),
            "group(1, 2)");
  EXPECT_TRUE(has_reached_the_end);
  EXPECT_EQ(raised_here(), "nothing");
}

TEST(BlockScope, IsNoSafePointWhenItOpens) {  // M3
  const enrollment self;
  to_self(1);
  bool is_inside = false;
  EXPECT_EQ(raised_by([&] {
              const block_scope quiet;
              is_inside = true;
            }),
            "1");
  EXPECT_TRUE(is_inside);
}

TEST(BlockScope, LeftByReturnIsASafePoint) {  // M4
  const enrollment self;
  const auto function = [] {
    const block_scope quiet;
    to_self(1);
    return 7;
  };
  EXPECT_THROW(function(), int);
}

TEST(BlockScope, LeftByAnExceptionIsNoSafePoint) {  // M4
  const enrollment self;
  EXPECT_THROW(
      {
        const block_scope quiet;
        to_self(1);
        throw std::runtime_error("of the work");
      },
      std::runtime_error);
  EXPECT_TRUE(interrupt_pending());
  EXPECT_EQ(current_policy(), immediate);
  EXPECT_EQ(raised_here(), "1");
}

TEST(BlockScope, LeftByAnExceptionCallsNoCallback) {  // M4, D3
  const enrollment self;
  int calls = 0;
  const auto counting = attach<int>([&](int) { ++calls; });
  try {
    const block_scope quiet;
    to_self(1);
    throw std::runtime_error("of the work");
  } catch (const std::runtime_error&) {
    EXPECT_EQ(calls, 0);
    safe_point();
  }
  EXPECT_EQ(calls, 1);
}

TEST(BlockScope, InsideAnotherLetsNothingOut) {  // M1, M4
  const enrollment self;
  EXPECT_EQ(raised_by([] {
              const block_scope outer;
              {
                const block_scope inner;
                to_self(1);
              }
              EXPECT_EQ(raised_here(), "nothing");
              to_self(std::string("outer"));
            }),
            "group(1, outer)");
}

TEST(BlockScope, AsTheFirstLineOfACatchClauseProtectsTheHandling) {  // D7, M3
  const enrollment self;
  std::string order;
  EXPECT_EQ(raised_by([&] {
              try {
                to_self(1);
                safe_point();
              } catch (int) {
                to_self(std::string("two"));
                const block_scope quiet;
                safe_point();
                order += "handled, ";
              }
              order += "never";
            }),
            "two");
  EXPECT_EQ(order, "handled, ");
}

TEST(CatchClause, IsNotBlockedByItself) {  // D7
  const enrollment self;
  to_self(1);
  std::string inner;
  try {
    safe_point();
  } catch (int) {
    to_self(2);
    inner = raised_here();
  }
  EXPECT_EQ(inner, "2");
}

TEST(TypedScope, GovernsItsTypesOnly) {  // M1
  const enrollment self;
  EXPECT_EQ(raised_by([] {
              const block_scope<int, double> quiet;
              to_self(1);
              to_self(std::string("two"));
              EXPECT_EQ(raised_here(), "two");
              EXPECT_EQ(policies(), (std::vector{immediate, never, immediate}));
            }),
            "1");
}

TEST(TypedScope, MatchesAsACatchClauseWould) {  // M1
  const enrollment self;
  const block_scope<fault> quiet;
  to_self(slip());
  EXPECT_NO_THROW(safe_point());
  EXPECT_EQ(self.get_target().pending(), 1U);
  EXPECT_THROW(unblock_scope<slip>(), slip);
}

TEST(TypedScope, InnermostThatGovernsTheTypeDecides) {  // M1
  const enrollment self;
  const block_scope everything;
  to_self(1);
  to_self(std::string("two"));
  EXPECT_EQ(raised_by([] { const unblock_scope<int> open; }), "1");
  {
    EXPECT_EQ(raised_by([] { const unblock_scope open; }), "two");
    const unblock_scope open;
    const block_scope<int> quiet;
    const unblock_scope<std::string> has_no_say;
    EXPECT_EQ(policies(), (std::vector{immediate, never, immediate}));
    const receipt held = to_self(3);
    EXPECT_EQ(raised_here(), "nothing");
    EXPECT_TRUE(held.withdraw());
  }
  EXPECT_EQ(policies(), (std::vector{never, never, never}));
}

TEST(TypedScope, ThatGovernsADerivedTypeLeavesItsBaseAlone) {  // M1
  const enrollment self;
  const block_scope<slip> quiet;
  to_self(fault());
  EXPECT_THROW(safe_point(), fault);
  EXPECT_EQ(current_policy<fault>(), immediate);
  EXPECT_EQ(current_policy<slip>(), never);
}

TEST(Scope, RestoresExactlyWhatHeldBefore) {  // M1
  EXPECT_EQ(policies(), (std::vector{immediate, immediate, immediate}));
  {
    const mask_scope<int> a(on_blocking);
    const std::vector in_a{immediate, on_blocking, immediate};
    EXPECT_EQ(policies(), in_a);
    {
      const block_scope b;
      EXPECT_EQ(policies(), (std::vector{never, never, never}));
      {
        const unblock_scope<std::string> c;
        EXPECT_EQ(policies(), (std::vector{never, never, immediate}));
        const unblock_scope restored(b);
        EXPECT_EQ(policies(), in_a);
        const mask_scope d(on_blocking);
        EXPECT_EQ(policies(), (std::vector{on_blocking, on_blocking, on_blocking}));
      }
      EXPECT_EQ(policies(), (std::vector{never, never, never}));
    }
    EXPECT_EQ(policies(), in_a);
    try {
      const block_scope<std::string> e;
      const unblock_scope f;
      throw 1;
    } catch (int) {
    }
    EXPECT_EQ(policies(), in_a);
  }
  EXPECT_EQ(policies(), (std::vector{immediate, immediate, immediate}));
}

TEST(Scope, RestoresWhatHeldBeforeWhenItsOwnSafePointRaises) {  // M1, M3, M4
  const enrollment self;
  const block_scope<int> around;
  const auto before = policies();
  to_self(std::string("two"));
  EXPECT_EQ(raised_by([] { const mask_scope open(immediate); }), "two");  // on opening
  EXPECT_EQ(policies(), before);
  EXPECT_EQ(raised_by([] {
              const block_scope quiet;
              to_self(std::string("three"));
            }),
            "three");  // on leaving
  EXPECT_EQ(policies(), before);
}

void nest(int depth) {
  const block_scope quiet;
  const unblock_scope open;
  if (depth > 0) nest(depth - 1);
  EXPECT_EQ(current_policy(), immediate);
}

TEST(Scope, NestsWithoutLimit) {  // M1
  nest(5000);
  EXPECT_EQ(current_policy(), immediate);
}

TEST(Scope, IsOfItsThreadAlone) {  // M2
  const block_scope quiet;
  thread inner([] {
    to_self(1);
    return std::tuple(current_policy(), raised_here());
  });
  EXPECT_EQ(inner.wait(), std::tuple(immediate, "1"));
  thread blocked_one({.name = "blocked", .start_blocked = true}, [] { return current_policy(); });
  EXPECT_EQ(blocked_one.wait(), never);
}

TEST(UnblockScope, IsASafePointWhenItOpens) {  // M3
  const enrollment self;
  bool is_inside = false;
  to_self(1);
  EXPECT_EQ(raised_by([&] {
              const unblock_scope open;
              is_inside = true;
            }),
            "1");
  EXPECT_FALSE(is_inside);
}

TEST(UnblockScope, IsNoSafePointWhenItIsLeft) {  // M4
  const enrollment self;
  {
    const unblock_scope open;
    to_self(1);
  }
  EXPECT_EQ(raised_here(), "1");
}

TEST(UnblockScope, OpensWhateverIsAroundIt) {  // M5
  const enrollment self;
  const block_scope outer;
  const block_scope<int> inner;
  to_self(1);
  EXPECT_EQ(raised_by([] { const unblock_scope open; }), "1");
  EXPECT_EQ(unblocked([] { return current_policy<int>(); }), immediate);
  EXPECT_EQ(current_policy<int>(), never);
}

}  // namespace
}  // namespace sigexc::test
