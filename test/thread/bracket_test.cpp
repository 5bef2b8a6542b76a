// Brackets: released exactly once if acquired, and what may be raised where.
#include <gtest/gtest.h>

#include <memory>
#include <stdexcept>
#include <string>

#include "support/interrupts.hpp"
#include "support/order.hpp"
#include "support/unobserved.hpp"

namespace sigexc::test {
namespace {

// Writes down what is called.
struct diary {
  std::string lines;
  auto acquire() {
    return [this] {
      lines += "acquire ";
      return 7;
    };
  }
  auto release() {
    return [this](int& number) { lines += "release " + std::to_string(number) + " "; };
  }
};

TEST(Bracket, ReleasesAfterUseAndReturnsItsResult) {  // T4
  diary day;
  EXPECT_EQ(bracket(
                day.acquire(),
                [&](int& number) {
                  day.lines += "use ";
                  return number + 1;
                },
                day.release()),
            8);
  EXPECT_EQ(day.lines, "acquire use release 7 ");
  bracket(
      day.acquire(), [](int& number) { number = 9; }, day.release());
  EXPECT_EQ(day.lines, "acquire use release 7 acquire release 9 ");
}

TEST(Bracket, TakesObjectsReferencesAndNothing) {  // T4
  int there = 1;
  int& same = bracket([&]() -> int& { return there; }, [](int& used) -> int& { return used; },
                      [](int& used) { ++used; });
  EXPECT_EQ(&same, &there);
  EXPECT_EQ(there, 2);
  int depth = 0;
  EXPECT_EQ(bracket([&] { ++depth; }, [&] { return depth; }, [&] { --depth; }), 1);
  EXPECT_EQ(depth, 0);
  const auto moved = bracket([] { return std::make_unique<int>(3); },
                             [](std::unique_ptr<int>& object) { return std::move(object); },
                             [](std::unique_ptr<int>& object) { EXPECT_EQ(object, nullptr); });
  EXPECT_EQ(*moved, 3);
}

TEST(Bracket, ReleasesWhereUseThrows) {  // T4
  diary day;
  EXPECT_EQ(raised_by([&] {
              bracket(
                  day.acquire(), [](int&) { throw 5; }, day.release());
            }),
            "5");
  EXPECT_EQ(day.lines, "acquire release 7 ");
}

TEST(Bracket, ReleasesNothingWhereAcquireThrows) {  // T4
  diary day;
  EXPECT_EQ(raised_by([&] { bracket([]() -> int { throw 5; }, [](int&) {}, day.release()); }), "5");
  EXPECT_EQ(day.lines, "");
}

TEST(Bracket, ThrowsWhatReleaseThrows) {  // T4
  EXPECT_EQ(raised_by([&] { bracket([] {}, [] { return 1; }, [] { throw 6; }); }), "6");
  EXPECT_EQ(raised_by([&] { const bracket_scope held([] {}, [] { throw 7; }); }), "7");
}

TEST(Bracket, ThrowsWhatUseThrowsAndReportsWhatReleaseThrows) {  // T4, D6
  {
    const told unobserved;
    EXPECT_EQ(raised_by([&] { bracket([] {}, [] { throw 5; }, [] { throw 6; }); }), "5");
    EXPECT_EQ(unobserved.words(), "no target: 6; ");
  }
  const enrollment self("self");
  const told unobserved;
  EXPECT_EQ(raised_by([&] { bracket([] {}, [] { throw 5; }, [] { throw 6; }); }), "5");
  EXPECT_EQ(unobserved.words(), "self: 6; ");
}

TEST(Bracket, ReleasesInABlockAndUsesWithWhatHeldBefore) {  // T4
  const enrollment self;
  bool is_released = false;
  EXPECT_EQ(raised_by([&] {
              bracket([] { to_self(1); }, [] { safe_point(); },
                      [&] {
                        to_self(2);
                        EXPECT_EQ(raised_here(), "nothing");
                        EXPECT_EQ(current_policy(), policy::never);
                        is_released = true;
                      });
            }),
            "1");
  EXPECT_TRUE(is_released);
  EXPECT_EQ(raised_here(), "2");
  EXPECT_EQ(raised_by([] {
              const block_scope<int> quiet;
              bracket([] { to_self(3); }, [] { safe_point(); }, [] {});
              EXPECT_TRUE(interrupt_pending());
            }),
            "3");
}

TEST(Bracket, AcquiresWithInterruptionsOnlyWhereItWouldWait) {  // T4, M6
  const enrollment self;
  counting_semaphore units(1);
  to_self(1);
  int released = 0;
  const auto acquire = [&] {
    EXPECT_EQ(raised_here(), "nothing");
    EXPECT_EQ(current_policy(), policy::on_blocking);
    units.acquire();
  };
  const auto release = [&] { ++released; };
  bracket(
      acquire, [] {}, release);
  EXPECT_EQ(released, 1);
  EXPECT_EQ(raised_by([&] {
              bracket(
                  acquire, [] {}, release);
            }),
            "1");
  EXPECT_EQ(released, 1);
}

TEST(Bracket, OpensNoBlockOfItsCaller) {  // T4, M5
  const enrollment self;
  counting_semaphore units(0);
  const auto acquire = [&] {
    EXPECT_EQ(current_policy<int>(), policy::never);
    return units.try_acquire_for(std::chrono::milliseconds(1));
  };
  const auto try_it = [&] {
    EXPECT_FALSE(bracket(
        acquire, [](bool& has) { return has; }, [](bool&) {}));
    EXPECT_TRUE(interrupt_pending());
  };
  EXPECT_EQ(raised_by([&] {
              const block_scope<int> no_numbers;
              to_self(1);
              try_it();
              // Other types are let in, where it waits.
              EXPECT_EQ(raised_by([&] {
                          bracket(
                              [&] {
                                EXPECT_EQ(current_policy<std::string>(), policy::on_blocking);
                                to_self(std::string("two"));
                                units.acquire();
                              },
                              [] {}, [] {});
                        }),
                        "two");
            }),
            "1");
  EXPECT_EQ(raised_by([&] {
              const block_scope quiet;
              to_self(1);
              try_it();
            }),
            "1");
}

TEST(BracketScope, ReleasesAtItsEnd) {  // T4
  diary day;
  {
    bracket_scope held(day.acquire(), day.release());
    EXPECT_EQ(*held, 7);
    *held = 8;
  }
  EXPECT_EQ(day.lines, "acquire release 8 ");
  bracket_scope text([] { return std::string("abc"); }, [](std::string&) {});
  EXPECT_EQ(text->size(), 3U);
}

TEST(BracketScope, ReleasesOnceWhereItWasReleasedBefore) {  // T4
  int released = 0;
  {
    bracket_scope held([] {}, [&] { ++released; });
    held.release();
    EXPECT_EQ(released, 1);
    held.release();
  }
  EXPECT_EQ(released, 1);
}

TEST(BracketScope, IsReleasedByAnInterruptThatPasses) {  // T4, R1
  const enrollment self;
  diary day;
  EXPECT_EQ(raised_by([&] {
              bracket_scope held(day.acquire(), day.release());
              to_self(4);
              safe_point();
            }),
            "4");
  EXPECT_EQ(day.lines, "acquire release 7 ");
}

}  // namespace
}  // namespace sigexc::test
