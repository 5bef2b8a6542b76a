// The semaphore: units are neither lost nor made, and an interrupted wait has taken none.
#include <sigexc/sync.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <random>
#include <thread>
#include <vector>

#include "support/interrupts.hpp"
#include "support/order.hpp"
#include "support/rounds.hpp"

namespace sigexc::test {
namespace {

using namespace std::chrono_literals;

constinit counting_semaphore semaphore_of_the_program(2);

TEST(Semaphore, GivesAsManyUnitsAsItHas) {
  static_assert(sizeof(counting_semaphore) == 8);
  static_assert(counting_semaphore::max() > 1'000'000'000);
  semaphore_of_the_program.acquire();
  EXPECT_TRUE(semaphore_of_the_program.try_acquire());
  EXPECT_FALSE(semaphore_of_the_program.try_acquire());
  EXPECT_FALSE(semaphore_of_the_program.try_acquire_for(1ms));
  semaphore_of_the_program.release(3);
  EXPECT_TRUE(semaphore_of_the_program.try_acquire_for(0s));
  EXPECT_TRUE(semaphore_of_the_program.try_acquire_until(std::chrono::steady_clock::time_point::min()));
  EXPECT_TRUE(semaphore_of_the_program.try_acquire_until(std::chrono::system_clock::now()));
  EXPECT_FALSE(semaphore_of_the_program.try_acquire_until(std::chrono::system_clock::now()));
}

TEST(Semaphore, ReleaseWakesAsManyAsThereAreUnits) {
  counting_semaphore units(0);
  std::vector<witness> where(4);
  std::atomic<int> woken{0};
  std::vector<std::thread> waiting;
  for (auto& one : where) {
    waiting.emplace_back([&] {
      one.here();
      units.acquire();
      ++woken;
    });
    one.await_asleep();
  }
  units.release(2);
  await([&] { return woken == 2; });
  EXPECT_FALSE(units.try_acquire());
  units.release(0);
  units.release(3);
  for (auto& one : waiting) one.join();
  EXPECT_TRUE(units.try_acquire());
  EXPECT_FALSE(units.try_acquire());
}

TEST(Semaphore, InterruptedWaitHasTakenNothing) {  // O2
  counting_semaphore units(0);
  for (const bool is_timed : {false, true}) {
    witness where;
    thread waiter([&] {
      where.here();
      if (is_timed) return units.try_acquire_for(1h);
      units.acquire();
      return true;
    });
    where.await_asleep();
    waiter.interrupt(1);
    EXPECT_THROW(waiter.wait(), int);
    units.release();
    EXPECT_TRUE(units.try_acquire());
    EXPECT_FALSE(units.try_acquire());
  }
}

TEST(Semaphore, WithAnInterruptPendingTakesNothingAlthoughItCould) {  // O1
  const enrollment here;
  counting_semaphore units(1);
  to_self(1);
  EXPECT_THROW(units.acquire(), int);
  to_self(2);
  EXPECT_THROW(static_cast<void>(units.try_acquire_for(0s)), int);
  EXPECT_TRUE(units.try_acquire());
}

TEST(Semaphore, AcquiredInTimeLeavesTheInterruptForLater) {  // O3
  const enrollment here;
  counting_semaphore units(1);
  blocked([&] {
    to_self(1);
    units.acquire();
    return 0;
  });
  EXPECT_EQ(raised_here(), "1");
  EXPECT_FALSE(units.try_acquire());
}

TEST(Semaphore, TryAcquireIsNoSafePoint) {
  const enrollment here;
  counting_semaphore units(1);
  to_self(1);
  EXPECT_TRUE(units.try_acquire());
  EXPECT_FALSE(units.try_acquire());
  EXPECT_EQ(raised_here(), "1");
}

TEST(Semaphore, WithPolicyOnBlockingIsInterruptedOnlyIfItHasToWait) {  // M6
  const enrollment here;
  counting_semaphore units(1);
  EXPECT_EQ(raised_by([&] {
              const mask_scope waits_only(policy::on_blocking);
              to_self(1);
              units.acquire();
              EXPECT_EQ(raised_by([&] { units.acquire(); }), "1");
            }),
            "nothing");
}

TEST(Semaphore, WaitGoesOnForTheRestOfItsTimeAfterACallback) {  // D3, O4
  counting_semaphore units(0);
  witness where;
  thread waiter([&] {
    const auto handling = attach<int>([](int) {});
    where.here();
    const auto end = std::chrono::steady_clock::now() + 50ms;
    EXPECT_FALSE(units.try_acquire_until(end));
    EXPECT_GE(std::chrono::steady_clock::now(), end);
  });
  where.await_asleep();
  waiter.interrupt(1);
  waiter.wait();
}

TEST(Semaphore, WaitIsNotEndedByWithdrawnInterrupts) {  // S9
  counting_semaphore units(0);
  witness where;
  thread waiter([&] {
    for (int i = 0; i < 100; ++i) EXPECT_TRUE(to_self(i).withdraw());
    where.here();
    units.acquire();
  });
  where.await_asleep();
  units.release();
  waiter.wait();
}

// Units are conserved, and none is left while somebody waits, whoever is interrupted.
TEST(Semaphore, ConservesItsUnitsWhileWaitersAreInterrupted) {
  const int rounds = stress_rounds(20'000);
  constexpr int threads = 4;
  counting_semaphore units(0);
  std::atomic<long> acquired{0};
  std::atomic<bool> is_over{false};
  std::vector<thread<void>> workers;
  for (int t = 0; t < threads; ++t) {
    workers.emplace_back([&, t] {
      while (!is_over) {
        try {
          if (t % 2 == 0) {
            units.acquire();
            ++acquired;
          } else if (units.try_acquire_for(20us * t)) {
            ++acquired;
          }
        } catch (...) {  // an int, or a group of them
        }
      }
    });
  }
  std::atomic<bool> is_interrupting{true};
  std::thread interrupter([&] {
    std::minstd_rand random(5);
    while (is_interrupting) {
      interrupt_gently(workers[random() % threads].get_target());
      spin(static_cast<int>(random() % 4096));
    }
  });
  std::minstd_rand random(6);
  long released = 0;
  for (int i = 0; i < rounds; ++i) {
    const auto some = static_cast<std::ptrdiff_t>(random() % 3);
    units.release(some);
    released += some;
    if (i % 16 == 0) await([&] { return acquired == released; });
  }
  is_interrupting = false;
  interrupter.join();
  await([&] { return acquired == released; });
  EXPECT_FALSE(units.try_acquire());
  is_over = true;
  units.release(threads);
  workers.clear();
}

// Of two waiters one is interrupted while one unit is released, and does not wait again. It has the
// unit, or the other one gets it.
TEST(Semaphore, UnitReachesTheOtherWaiterIfOneIsInterrupted) {
  const int rounds = stress_rounds(5'000);
  counting_semaphore units(0);
  std::atomic<int> round{0};
  std::atomic<int> taken{0};
  std::atomic<int> finished{0};
  thread interrupted([&] {
    for (int i = 1; i <= rounds; ++i) {
      await([&] { return round >= i; });
      bool is_raised = false;
      try {
        units.acquire();
        ++taken;
      } catch (int) {
        is_raised = true;
      }
      if (!is_raised) {
        EXPECT_EQ(raised_by([] { sleep_for(1h); }), "0");
      }
      ++finished;
    }
  });
  std::thread other([&] {
    for (int i = 1; i <= rounds; ++i) {
      await([&] { return round >= i; });
      units.acquire();
      ++taken;
      ++finished;
    }
  });
  std::minstd_rand random(4);
  for (int i = 1; i <= rounds; ++i) {
    taken = 0;
    finished = 0;
    round = i;
    spin(static_cast<int>(random() % 8192));
    const bool is_interrupted_first = random() % 2 == 0;
    if (is_interrupted_first) interrupted.interrupt(0);
    spin(static_cast<int>(random() % 4096));
    units.release();
    spin(static_cast<int>(random() % 4096));
    if (!is_interrupted_first) interrupted.interrupt(0);
    await([&] { return taken == 1; });  // the claim
    await([&] { return finished >= 1; });
    // The interrupted one may have it: then the other gets another one. Or it was raised, and has
    // finished as well, or will.
    await([&] {
      if (finished == 2) return true;
      if (finished == 1 && interrupted.get_target().pending() == 0 && taken == 1) {
        units.release();
        await([&] { return finished == 2; });
      }
      return finished == 2;
    });
    static_cast<void>(units.try_acquire());
  }
  interrupted.wait();
  other.join();
}

// Who acquires destroys it at once, while `release` may not have returned.
TEST(Semaphore, MayBeDestroyedByWhoAcquires) {
  const int rounds = stress_rounds(10'000);
  std::atomic<counting_semaphore*> shared{nullptr};
  std::thread acquiring([&] {
    for (int i = 0; i < rounds; ++i) {
      const auto mine = std::make_unique<counting_semaphore>(0);
      shared = mine.get();
      if (i % 2 == 0) spin(500);
      mine->acquire();
    }
  });
  for (int i = 0; i < rounds; ++i) {
    counting_semaphore* theirs = nullptr;
    await([&] { return (theirs = shared.exchange(nullptr)) != nullptr; });
    theirs->release();
  }
  acquiring.join();
}

}  // namespace
}  // namespace sigexc::test
