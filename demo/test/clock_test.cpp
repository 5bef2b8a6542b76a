// The lock-step clock: turns are taken in order, and nobody waits for a clock that has stopped.
#include <gtest/gtest.h>

#include <semaphore>
#include <stdexcept>
#include <string>
#include <thread>

#include "world/clock.hpp"

namespace workcell {
namespace {

using occupant = lockstep_clock::seat::occupant;

TEST(LockstepClock, GivesTurnsInTheOrderOfTheSeats) {
  lockstep_clock clock;
  auto& first = clock.add_seat();
  auto& second = clock.add_seat();
  std::string order;  // one writes at a time: that is what is tested
  const auto take_turns = [&order](lockstep_clock::seat& seat, char mark) {
    const occupant here(seat);
    for (int i = 0; i < 1000; ++i) {
      order += mark;
      seat.wait();
    }
  };
  std::jthread b([&] { take_turns(second, 'b'); });
  std::jthread a([&] { take_turns(first, 'a'); });
  clock.run([] {});
  ASSERT_EQ(order.size(), 2000U);
  for (std::size_t i = 0; i < order.size(); ++i) EXPECT_EQ(order[i], i % 2 == 0 ? 'a' : 'b');
}

TEST(LockstepClock, WakesASeatWhenItsTimeHasCome) {
  lockstep_clock clock;
  auto& seat = clock.add_seat();
  std::jthread sleeper([&] {
    const occupant here(seat);
    seat.wait(sim_time(25));
    EXPECT_EQ(seat.now(), sim_time(25));
  });
  int steps = 0;
  clock.run([&] { ++steps; });
  EXPECT_EQ(steps, 25);
}

TEST(LockstepClock, RunsOnWithoutASeatThatIsOutAndWaitsForItOnceItIsSummoned) {
  lockstep_clock clock;
  auto& caller = clock.add_seat();
  auto& wanderer = clock.add_seat();
  std::binary_semaphore outside(0);
  std::jthread calls([&] {
    const occupant here(caller);
    for (int round = 1; round <= 1000; ++round) {
      caller.wait(sim_time(5));
      outside.release();
      wanderer.summon();
    }
  });
  std::jthread wanders([&] {
    const occupant here(wanderer);
    for (int round = 1; round <= 1000; ++round) {
      wanderer.go_out();
      outside.acquire();
      wanderer.come_back();
      EXPECT_EQ(wanderer.now(), sim_time(5 * round));
      wanderer.come_back();  // is back already
    }
  });
  clock.run([] {});
}

TEST(LockstepClock, LetsNobodyWaitForAClockThatHasStopped) {
  lockstep_clock clock;
  auto& seat = clock.add_seat();
  std::jthread waits([&] {
    const occupant here(seat);
    EXPECT_THROW(seat.wait(sim_time(1000)), clock_stopped);
  });
  EXPECT_THROW(clock.run([] { throw std::runtime_error("physics fails"); }), std::runtime_error);
}

}  // namespace
}  // namespace workcell
