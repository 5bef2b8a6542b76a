// Bad input to what sends: handles that were moved from, and exceptions that cannot be copied. Each
// is an error at once, or harmless, and has sent nothing.
#include <gtest/gtest.h>

#include <functional>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <unordered_set>
#include <utility>
#include <vector>

#include "support/interrupts.hpp"
#include "support/watchdog.hpp"

namespace sigexc::test {
namespace {

// Throws when it is copied for the n-th time.
class copied_seldom {
 public:
  explicit copied_seldom(int& left) : left_(&left) { ++alive; }
  copied_seldom(const copied_seldom& other) : left_(other.left_) {
    if (--*left_ < 0) throw std::runtime_error("copied too often");
    ++alive;
  }
  copied_seldom& operator=(const copied_seldom&) = delete;
  ~copied_seldom() { --alive; }

  static inline int alive = 0;

 private:
  int* left_;
};

TEST(MovedFrom, TargetsAndReceiptsAreWhatTheyWere) {
  const enrollment self;
  target here = self.get_target();
  const target moved = std::move(here);
  EXPECT_EQ(here, moved);  // NOLINT: what is tested
  EXPECT_EQ(std::hash<target>{}(here), std::hash<target>{}(moved));
  receipt sent = here.interrupt(1);
  const receipt kept = std::move(sent);
  EXPECT_EQ(sent.state(), delivery::pending);  // NOLINT
  EXPECT_TRUE(kept.withdraw());
  EXPECT_EQ(sent.state(), delivery::withdrawn);
  EXPECT_FALSE(sent.withdraw());
  static_assert(std::is_nothrow_move_constructible_v<target>);
  static_assert(std::is_nothrow_move_assignable_v<receipt>);
}

TEST(MovedFrom, APreparedInterruptDoesNothing) {  // S10
  const enrollment self;
  prepared_interrupt first(self.get_target(), 1);
  prepared_interrupt second = std::move(first);
  first.fire();  // NOLINT
  EXPECT_FALSE(first.is_pending());
  EXPECT_EQ(raised_here(), "nothing");
  second.fire();
  EXPECT_EQ(raised_here(), "1");
  first = prepared_interrupt(self.get_target(), 2);
  first.fire();
  EXPECT_EQ(raised_here(), "2");
}

// S1: it is queued, or it throws and has done nothing, whichever of the copies fails.
TEST(Sending, WhatThrowsWhenItIsCopiedIsSentOrNot) {
  const enrollment self;
  const target here = self.get_target();
  for (int copies = 0, is_sent = 0; is_sent == 0; ++copies) {
    ASSERT_LT(copies, 10);
    int left = copies;
    try {
      const copied_seldom one(left);
      here.interrupt(one);
      is_sent = 1;
    } catch (const std::runtime_error&) {
    }
    EXPECT_EQ(here.pending(), is_sent == 0 ? 0U : 1U);
    try {
      safe_point();
      EXPECT_EQ(is_sent, 0);
    } catch (const copied_seldom&) {
    }
    EXPECT_EQ(copied_seldom::alive, 0);
  }
  for (int copies = 0, is_made = 0; is_made == 0; ++copies) {
    ASSERT_LT(copies, 10);
    int left = copies;
    try {
      const prepared_interrupt one(here, copied_seldom(left));
      is_made = 1;
    } catch (const std::runtime_error&) {
    }
    EXPECT_EQ(copied_seldom::alive, 0);
  }
  to_self(1);
  EXPECT_EQ(raised_here(), "1");
}

// What is sent is destroyed wherever its last holder lets it go, and by then nobody can take an
// exception. What the caller made to send it is the caller's.
TEST(Sending, AnArgumentThatThrowsWhenItIsDestroyedHasBeenSent) {
  struct throws_at_last {
    bool throws = true;
    throws_at_last() = default;
    throws_at_last(const throws_at_last& /*other*/) : throws(false) {}
    throws_at_last& operator=(const throws_at_last&) = delete;
    ~throws_at_last() noexcept(false) {
      if (throws) throw std::runtime_error("at last");
    }
  };
  const enrollment self;
  EXPECT_EQ(raised_by([&] { to_self(throws_at_last()); }), "at last");
  EXPECT_EQ(self.get_target().pending(), 1U);
  EXPECT_EQ(raised_here(), "unknown");
}

TEST(Names, MayHaveBytesOfAnyValue) {
  const std::string odd("\0 a\n\xff b", 7);
  const enrollment self(odd);
  EXPECT_EQ(self.get_target().name(), odd);
  EXPECT_EQ(last_interrupt().has_value(), false);
  const sigexc::thread other({.name = odd}, [] { sleep_for(std::chrono::hours(1)); });
  EXPECT_EQ(other.get_target().name(), odd);
  const std::string long_one(100'000, 'x');
  const sigexc::thread another({.name = long_one}, [] { sleep_for(std::chrono::hours(1)); });
  EXPECT_EQ(another.get_target().name(), long_one);
}

TEST(Acknowledging, TwiceOrForNobodyIsHarmless) {  // D5
  const terminated by_hand;
  by_hand.acknowledge();
  by_hand.acknowledge();
  const enrollment self;
  terminate_self();
  try {
    safe_point();
    FAIL();
  } catch (const terminated& t) {
    t.acknowledge();
    t.acknowledge();
    const terminated copy(t);
    copy.acknowledge();
  }
  EXPECT_EQ(raised_here(), "nothing");
}

}  // namespace
}  // namespace sigexc::test
