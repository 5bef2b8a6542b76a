// Deadlines: whose they are, when they end a body, and what they leave behind.
#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "support/interrupts.hpp"
#include "support/order.hpp"
#include "support/rounds.hpp"

namespace sigexc::test {
namespace {

using namespace std::chrono_literals;
using steady = std::chrono::steady_clock;

// Pure computation with safe points, which only an interruption ends.
[[gnu::noinline]] void compute() {
  for (;;) safe_point();
}

void await_passed(steady::time_point time) {
  await([time] { return steady::now() >= time; });
}

TEST(Timeout, GivesTheResultOfABodyThatReturns) {  // T1
  const enrollment self;
  EXPECT_EQ(timeout(1h, [] { return 7; }), 7);
  EXPECT_TRUE(timeout(1h, [] {}));
  EXPECT_EQ(**timeout(1h, [] { return std::make_unique<int>(8); }), 8);
  int here = 0;
  std::optional<std::reference_wrapper<int>> found = timeout(1h, [&]() -> int& { return here; });
  ASSERT_TRUE(found);
  EXPECT_EQ(&found->get(), &here);
}

TEST(Timeout, EndsAComputationAtASafePoint) {  // T1
  const enrollment self;
  EXPECT_FALSE(timeout(1ms, compute));
  EXPECT_EQ(timeout(1ms,
                    [] {
                      compute();
                      return 7;
                    }),
            std::nullopt);
  EXPECT_FALSE(interrupt_pending());
}

TEST(Timeout, EndsOperations) {  // T1, O2
  const enrollment self;
  const long_wait never;
  counting_semaphore none(0);
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe(ends.data()), 0);
  char byte = 0;
  EXPECT_FALSE(timeout(1ms, [&] { none.acquire(); }));
  EXPECT_FALSE(timeout(1ms, [&] { never.wait(); }));
  EXPECT_FALSE(timeout(1ms, [&] { return posix::read(ends[0], &byte, 1); }));
  EXPECT_FALSE(timeout(1ms, [] { sleep_for(24h); }));
  ::close(ends[0]);
  ::close(ends[1]);
}

TEST(Timeout, EndsForeignCode) {  // T1
  const enrollment self;
  std::binary_semaphore called(0);
  EXPECT_FALSE(
      timeout(1ms, [&] { with_wake([&] { called.release(); }, [&] { called.acquire(); }); }));
  // Around more foreign code: the inner one has ended when the deadline is found.
  EXPECT_FALSE(timeout(1ms, [&] {
    with_wake([&] { called.release(); },
              [&] {
                blocked([&] { await([] { return interrupt_pending(); }); });
                called.acquire();
              });
  }));
}

TEST(Timeout, OfZeroOrLessEndsTheBodyAtItsFirstSafePoint) {  // T2
  const enrollment self;
  for (const auto time : {0ns, -1ns, std::chrono::nanoseconds::min()}) {
    bool has_begun = false;
    EXPECT_FALSE(timeout(time, [&] {
      has_begun = true;
      EXPECT_EQ(raised_here(), "deadline reached");
      safe_point();
      ADD_FAILURE() << "went on";
    }));
    EXPECT_TRUE(has_begun);
  }
  deadline_scope past(steady::now() - 1h);
  EXPECT_FALSE(past.run([] { safe_point(); }));
  EXPECT_TRUE(past.expired());
  EXPECT_FALSE(deadline_scope(std::chrono::system_clock::now() - 1h).run([] { safe_point(); }));
  EXPECT_EQ(raised_here(), "nothing");
}

TEST(Timeout, NeverEndsABodyThatHasForEver) {
  const enrollment self;
  EXPECT_TRUE(timeout(std::chrono::hours::max(), [] { safe_point(); }));
  EXPECT_TRUE(deadline_scope(steady::time_point::max()).run([] { safe_point(); }));
  using hours_of_steady = std::chrono::time_point<steady, std::chrono::hours>;
  EXPECT_TRUE(deadline_scope(hours_of_steady::max()).run([] { safe_point(); }));
}

TEST(Timeout, KeepsAResultThatComesTooLate) {  // T1
  const enrollment self;
  EXPECT_EQ(timeout(0s, [] { return 7; }), 7);
  deadline_scope scope(1ms);
  const auto late = steady::now() + 10ms;
  EXPECT_TRUE(scope.run([&] { await_passed(late); }));
  EXPECT_FALSE(scope.expired());
  EXPECT_FALSE(interrupt_pending());
  EXPECT_EQ(raised_here(), "nothing");
}

TEST(Timeout, PassesExceptionsOfItsBody) {
  const enrollment self;
  EXPECT_EQ(raised_by([] { timeout(1h, [] { throw 5; }); }), "5");
  EXPECT_EQ(raised_by([] { timeout(0s, [] { throw 5; }); }), "5");
  EXPECT_EQ(raised_here(), "nothing");
}

TEST(Timeout, NeedsATarget) {
  EXPECT_THROW(timeout(1h, [] {}), not_enrolled);
}

TEST(Timeout, OutermostWinsWhereSeveralHavePassed) {  // T2
  const enrollment self;
  bool inner_returned = false;
  EXPECT_FALSE(timeout(0s, [&] {
    timeout(0s, [] { safe_point(); });
    inner_returned = true;
  }));
  EXPECT_FALSE(inner_returned);
  // Only the inner one has passed, then both.
  EXPECT_FALSE(timeout(20ms, [&] {
    EXPECT_FALSE(timeout(0s, [] { safe_point(); }));
    inner_returned = true;
    timeout(0s, compute);  // again and again, until the outer one goes first
    compute();
  }));
  EXPECT_TRUE(inner_returned);
}

// T2: 10^5 rounds in all, of equal and nearly equal deadlines. In each the watch has to get its turn,
// which takes milliseconds on a machine that has much else to do: so a tenth in each test.
class OutermostWins : public testing::TestWithParam<int> {};
INSTANTIATE_TEST_SUITE_P(Always, OutermostWins, testing::Range(0, 10));

TEST_P(OutermostWins, WhereDeadlinesPassTogether) {
  const enrollment self;
  int wrong = 0;
  for (int round = stress_rounds(10'000); round > 0; --round) {
    const auto time = steady::now() + std::chrono::nanoseconds((round + 409 * GetParam()) % 4096);
    bool is_middle_over = false;
    bool is_inner_over = false;
    deadline_scope outer(time);
    deadline_scope middle(time + std::chrono::nanoseconds(round % 3));
    deadline_scope inner(time);
    outer.run([&] {
      middle.run([&] {
        inner.run(compute);
        is_inner_over = true;
      });
      is_middle_over = true;
    });
    wrong += !outer.expired() || is_middle_over || is_inner_over;
  }
  EXPECT_EQ(wrong, 0);
  EXPECT_EQ(raised_here(), "nothing");
}

TEST(Timeout, InnerOneThatIsEarlierLeavesTheOuterOneAlone) {  // T1
  const enrollment self;
  EXPECT_TRUE(timeout(1h, [] {
    EXPECT_FALSE(timeout(1ms, compute));
    safe_point();
  }));
}

TEST(Timeout, SwallowedIsRaisedAgainAtTheNextSafePoint) {  // T1
  const enrollment self;
  int swallowed = 0;
  std::exception_ptr kept;
  EXPECT_FALSE(timeout(1ms, [&] {
    while (swallowed < 3) {
      try {
        compute();
      } catch (...) {
        ++swallowed;
        // While the object lives it is not raised again.
        EXPECT_EQ(raised_here(), "nothing");
        EXPECT_FALSE(interrupt_pending());
        kept = std::current_exception();
      }
      EXPECT_EQ(raised_here(), "nothing");
      std::jthread([&] { kept = nullptr; }).join();  // on another thread
      await([] { return interrupt_pending(); });
    }
    compute();
  }));
  EXPECT_EQ(swallowed, 3);
  EXPECT_EQ(raised_here(), "nothing");
}

TEST(Timeout, KeptBeyondItsScopeIsNobodysAndDoesNothing) {  // T1
  const enrollment self;
  std::exception_ptr kept;
  const auto keep = [&] {
    try {
      compute();
    } catch (...) {
      kept = std::current_exception();
      throw;
    }
  };
  EXPECT_FALSE(timeout(1ms, keep));
  bool is_passed_on = false;
  try {
    timeout(1h, [&] { std::rethrow_exception(kept); });
  } catch (const interruption&) {
    is_passed_on = true;
  }
  EXPECT_TRUE(is_passed_on);
  kept = nullptr;
  EXPECT_FALSE(interrupt_pending());
}

TEST(Timeout, IsHeldByWhatBlocksInterrupts) {  // M1, M4
  const enrollment self;
  bool has_waited = false;
  EXPECT_FALSE(timeout(1ms, [&] {
    const block_scope quiet;
    await([] { return interrupt_pending(); });
    safe_point();
    has_waited = true;
  }));
  EXPECT_TRUE(has_waited);
  EXPECT_FALSE(timeout(0s, [] {
    const block_scope<interruption> quiet;
    EXPECT_EQ(raised_here(), "nothing");
  }));
  EXPECT_FALSE(timeout(0s, [] {
    const block_scope<terminated> others;
    safe_point();
    ADD_FAILURE() << "went on";
  }));
}

TEST(Timeout, HeldByABlockAroundItLeavesNothingBehind) {  // T1, S9
  const enrollment self;
  const block_scope quiet;
  EXPECT_TRUE(timeout(1ms, [] { await([] { return interrupt_pending(); }); }));
  EXPECT_FALSE(interrupt_pending());
}

TEST(Timeout, OnBlockingEndsOnlyAWaitThatWouldSleep) {  // M6
  const enrollment self;
  counting_semaphore one(1);
  EXPECT_FALSE(timeout(0s, [&] {
    const mask_scope<> waits(policy::on_blocking);
    safe_point();
    one.acquire();
    one.acquire();
    ADD_FAILURE() << "went on";
  }));
  EXPECT_FALSE(one.try_acquire());
}

TEST(Timeout, IsRaisedWhereItsOwnScopeCatchesIt) {  // R1: whatever is around that scope
  const enrollment self;
  const auto within_noexcept = []() noexcept { return timeout(1ms, compute); };
  EXPECT_FALSE(within_noexcept());
  struct in_destructor {
    ~in_destructor() { EXPECT_FALSE(timeout(1ms, compute)); }
  };
  { const in_destructor going; }
}

TEST(Timeout, IsHeldByWhatLiesBetweenItAndItsScope) {  // R2, T2
  const enrollment self;
  bool inner_first = false;
  EXPECT_FALSE(timeout(0s, [&] {
    const auto between = [&]() noexcept {
      safe_point();
      inner_first = !timeout(0s, compute);  // or the noexcept function would never return
    };
    between();
    EXPECT_TRUE(inner_first);
    safe_point();
    ADD_FAILURE() << "went on";
  }));
}

TEST(Timeout, GoesAfterInterruptsButNotTwice) {  // D2, T2
  const enrollment self;
  std::string raised;
  EXPECT_FALSE(timeout(0s, [&] {
    for (;;) {
      to_self(1);
      to_self(2);
      try {
        safe_point();
      } catch (const exception_group& group) {
        raised += words(std::make_exception_ptr(group));
      }
    }
  }));
  EXPECT_EQ(raised, "group(1, 2)");
  EXPECT_EQ(raised_here(), "group(1, 2)");  // the second pair has waited
}

TEST(Timeout, IsNotGivenToCallbacks) {  // D3
  const enrollment self;
  int called = 0;
  const auto all = attach<interruption>([&](const interruption&) { ++called; });
  EXPECT_FALSE(timeout(1ms, compute));
  EXPECT_EQ(called, 0);
}

TEST(Timeout, LeavesInterruptsOfOthersAlone) {  // T1
  const enrollment self;
  EXPECT_EQ(raised_by([] {
              timeout(1h, [] {
                to_self(3);
                safe_point();
              });
            }),
            "3");
}

TEST(Timeout, OutlivesTheEnrollmentInItsBody) {
  auto self = std::make_unique<enrollment>();
  EXPECT_TRUE(timeout(0s, [&] {
    self.reset();
    safe_point();
    const enrollment next;
    EXPECT_FALSE(timeout(1ms, compute));
    safe_point();
  }));
}

// Scopes of many threads at once, of which some expire and some do not: each is told by identity,
// none is late for ever, and none leaves anything behind.
TEST(Timeout, StandsManyThreads) {  // T1, T2
  const int rounds = stress_rounds(1'000);
  std::atomic<int> wrong{0};
  const auto work = [&](unsigned seed) {
    for (int round = 0; round < rounds; ++round) {
      seed = seed * 1664525U + 1013904223U;
      const std::chrono::microseconds outer_time(seed >> 8 & 255U);
      const std::chrono::microseconds inner_time(seed >> 16 & 255U);
      deadline_scope outer(outer_time);
      bool is_complete = false;
      const bool has_returned = outer.run([&] {
        deadline_scope inner(inner_time);
        const auto left = inner.run([&] {
          if ((seed >> 24 & 1U) != 0) compute();
          sleep_for(std::chrono::microseconds(seed >> 25 & 127U));
          return 1;
        });
        if (left.has_value() == inner.expired()) ++wrong;
        is_complete = true;
      });
      if (has_returned != is_complete || has_returned == outer.expired()) ++wrong;
      if (raised_here() != "nothing") ++wrong;
    }
  };
  std::vector<thread<void>> threads;
  for (unsigned i = 0; i < 4; ++i) threads.emplace_back(work, i);
  for (auto& one : threads) one.wait();
  EXPECT_EQ(wrong, 0);
}

}  // namespace
}  // namespace sigexc::test
