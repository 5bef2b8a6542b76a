// Sleeping: for its whole time, or until an interrupt.
#include <sigexc/sync.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <limits>

#include "support/interrupts.hpp"
#include "support/order.hpp"

namespace sigexc::test {
namespace {

using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;

TEST(Sleep, LastsAtLeastItsTime) {
  const auto begin = clock::now();
  sleep_for(2ms);
  EXPECT_GE(clock::now() - begin, 2ms);
  sleep_until(begin + 4ms);
  EXPECT_GE(clock::now() - begin, 4ms);
  const auto end = std::chrono::system_clock::now() + 2ms;
  sleep_until(end);
  EXPECT_GE(std::chrono::system_clock::now(), end);
}

TEST(Sleep, OfNoTimeOrLessReturns) {
  sleep_for(0s);
  sleep_for(-1h);
  sleep_for(std::chrono::duration<double>(-1e300));
  sleep_until(clock::time_point::min());
  sleep_until(std::chrono::system_clock::time_point{});
}

TEST(Sleep, IsEndedByAnInterrupt) {  // O2
  witness where;
  thread sleeper([&] {
    where.here();
    sleep_until(clock::time_point::max());
  });
  where.await_asleep();
  sleeper.interrupt(1);
  EXPECT_THROW(sleeper.wait(), int);
}

TEST(Sleep, OfAnyUnitIsEndedByAnInterrupt) {  // O2
  witness where;
  thread sleeper([&] {
    where.here();
    sleep_for(std::chrono::hours::max());
  });
  where.await_asleep();
  sleeper.interrupt(1);
  EXPECT_THROW(sleeper.wait(), int);
}

TEST(Sleep, WithAnInterruptPendingRaisesAlthoughItIsOfNoTime) {  // O1
  const enrollment here;
  to_self(1);
  EXPECT_THROW(sleep_for(0s), int);
  to_self(2);
  EXPECT_THROW(sleep_until(clock::time_point::min()), int);
  to_self(3);
  const auto begin = clock::now();
  EXPECT_THROW(sleep_for(1h), int);
  EXPECT_LT(clock::now() - begin, 1h);
}

TEST(Sleep, InABlockLastsItsTime) {
  const enrollment here;
  blocked([&] {
    to_self(1);
    const auto begin = clock::now();
    sleep_for(2ms);
    EXPECT_GE(clock::now() - begin, 2ms);
    return 0;
  });
  EXPECT_EQ(raised_here(), "1");
}

TEST(Sleep, WithPolicyOnBlockingIsInterruptedOnlyIfItIsOfSomeTime) {  // M6
  const enrollment here;
  EXPECT_EQ(raised_by([] {
              const mask_scope waits_only(policy::on_blocking);
              to_self(1);
              sleep_for(0s);
              EXPECT_EQ(raised_by([] { sleep_for(1h); }), "1");
            }),
            "nothing");
}

TEST(Sleep, GoesOnForTheRestOfItsTimeAfterACallback) {  // D3, O4
  witness where;
  const auto begin = clock::now();
  thread sleeper([&] {
    const auto handling = attach<int>([](int) {});
    where.here();
    sleep_until(begin + 100ms);
    EXPECT_GE(clock::now(), begin + 100ms);
    EXPECT_LT(clock::now(), begin + 60s);
  });
  for (int i = 0; i < 10; ++i) {
    await([tid = where.tid()] { return kernel_state(tid) != 'R'; });  // it may be over
    sleeper.interrupt(i).wait();
  }
  sleeper.wait();
}

TEST(Sleep, IsNotEndedByAWithdrawnInterrupt) {  // S9
  const enrollment here;
  EXPECT_TRUE(to_self(1).withdraw());
  const auto begin = clock::now();
  sleep_for(1ms);
  EXPECT_GE(clock::now() - begin, 1ms);
}

// Times that are out of the clocks' range are far away, not past.
TEST(SleepUntil, SleepsUntilTheEndOfTime) {
  const auto sleeps = {
      std::function<void()>([] { sleep_until(std::chrono::sys_seconds::max()); }),
      std::function<void()>([] {
        sleep_until(std::chrono::time_point<std::chrono::steady_clock, std::chrono::hours>::max());
      }),
      std::function<void()>([] { sleep_until(std::chrono::steady_clock::time_point::max()); }),
      std::function<void()>([] {
        sleep_for(std::chrono::duration<double>(std::numeric_limits<double>::infinity()));
      })};
  for (const auto& sleep : sleeps) {
    witness waits;
    thread sleeper([&] {
      waits.here();
      return raised_by(sleep);
    });
    waits.await_asleep();
    sleeper.interrupt(1);
    EXPECT_EQ(sleeper.wait(), "1");
  }
  sleep_until(std::chrono::sys_seconds::min());
  sleep_for(std::chrono::duration<double>(std::numeric_limits<double>::quiet_NaN()));
}

}  // namespace
}  // namespace sigexc::test
