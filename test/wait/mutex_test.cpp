// The mutex: nobody is in at the same time, nobody is forgotten, and an interrupted wait for it has
// locked nothing.
#include <sigexc/sync.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <latch>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <thread>
#include <vector>

#include "support/interrupts.hpp"
#include "support/order.hpp"
#include "support/rounds.hpp"

namespace sigexc::test {
namespace {

constinit sigexc::mutex mutex_of_the_program;

TEST(Mutex, IsOfFourBytesAndMayBeStatic) {
  static_assert(sizeof(sigexc::mutex) == 4);
  static_assert(std::is_trivially_destructible_v<sigexc::mutex>);
  const std::scoped_lock lock(mutex_of_the_program);
}

TEST(Mutex, IsLockedByOneAtATime) {
  sigexc::mutex mutex;
  ASSERT_TRUE(mutex.try_lock());
  std::thread([&] { EXPECT_FALSE(mutex.try_lock()); }).join();
  mutex.unlock();
  std::thread([&] {
    EXPECT_TRUE(mutex.try_lock());
    mutex.unlock();
  }).join();
  mutex.lock_interruptibly();
  std::thread([&] { EXPECT_FALSE(mutex.try_lock()); }).join();
  mutex.unlock();
}

TEST(Mutex, GoesToWhoWaitsForIt) {
  sigexc::mutex mutex;
  mutex.lock();
  witness first;
  witness second;
  std::thread deaf([&] {
    first.here();
    const std::scoped_lock lock(mutex);
  });
  std::thread interruptible([&] {
    second.here();
    mutex.lock_interruptibly();
    mutex.unlock();
  });
  first.await_asleep();
  second.await_asleep();
  mutex.unlock();
  deaf.join();
  interruptible.join();
  EXPECT_TRUE(mutex.try_lock());
}

// O2, O3: nothing happened, and the mutex is as good as before.
TEST(Mutex, InterruptedWaitLeavesItAlone) {
  sigexc::mutex mutex;
  mutex.lock();
  witness where;
  thread waiter([&] {
    where.here();
    mutex.lock_interruptibly();
  });
  where.await_asleep();
  waiter.interrupt(1);
  EXPECT_THROW(waiter.wait(), int);
  mutex.unlock();
  EXPECT_TRUE(mutex.try_lock());
  mutex.unlock();
}

TEST(Mutex, WithAnInterruptPendingIsNotLockedAlthoughFree) {  // O1
  const enrollment here;
  sigexc::mutex mutex;
  to_self(1);
  EXPECT_THROW(mutex.lock_interruptibly(), int);
  EXPECT_TRUE(mutex.try_lock());
}

// O3. The mutex becomes free and the interrupt comes, and the waiter sees both at once.
TEST(Mutex, LockedInTimeLeavesTheInterruptForLater) {
  sigexc::mutex mutex;
  thread waiter([&] {
    blocked([&] {
      to_self(1);
      mutex.lock_interruptibly();
      return 0;
    });
    const std::scoped_lock lock(std::adopt_lock, mutex);
    EXPECT_EQ(raised_here(), "1");
  });
  waiter.wait();
}

TEST(Mutex, LockIsNoSafePointAndIsNotInterrupted) {
  sigexc::mutex mutex;
  mutex.lock();
  witness where;
  thread waiter([&] {
    to_self(1);
    where.here();
    mutex.lock();
    mutex.unlock();
    EXPECT_EQ(raised_here(), "group(1, 2)");
  });
  where.await_asleep();
  waiter.interrupt(2);
  where.await_asleep();
  mutex.unlock();
  waiter.wait();
}

TEST(Mutex, WithPolicyOnBlockingIsInterruptedOnlyIfItIsNotFree) {  // M6
  const enrollment here;
  sigexc::mutex mutex;
  EXPECT_EQ(raised_by([&] {
              const mask_scope waits_only(policy::on_blocking);
              to_self(1);
              mutex.lock_interruptibly();
              EXPECT_EQ(raised_by([&] { mutex.lock_interruptibly(); }), "1");
            }),
            "nothing");
  mutex.unlock();
}

TEST(Mutex, WaitGoesOnAfterACallback) {  // D3
  sigexc::mutex mutex;
  mutex.lock();
  witness where;
  thread waiter([&] {
    const auto handling = attach<int>([](int) {});
    where.here();
    mutex.lock_interruptibly();
    mutex.unlock();
  });
  where.await_asleep();
  EXPECT_EQ(waiter.interrupt(1).wait(), delivery::handled);
  where.await_asleep();
  mutex.unlock();
  waiter.wait();
}

TEST(Mutex, WaitIsNotEndedByWithdrawnInterrupts) {  // S9
  sigexc::mutex mutex;
  mutex.lock();
  witness where;
  thread waiter([&] {
    for (int i = 0; i < 100; ++i) EXPECT_TRUE(to_self(i).withdraw());
    where.here();
    mutex.lock_interruptibly();
    mutex.unlock();
  });
  where.await_asleep();
  mutex.unlock();
  waiter.wait();
}

// Mutual exclusion, and no waiter is forgotten: not behind one that was interrupted, either.
TEST(Mutex, ExcludesAndForgetsNobodyWhileWaitersAreInterrupted) {
  const int rounds = stress_rounds(20'000);
  constexpr int threads = 4;
  sigexc::mutex mutex;
  long inside = 0;
  long total = 0;
  std::atomic<long> expected{0};
  std::atomic<int> running{threads};
  std::vector<thread<void>> workers;
  for (int t = 0; t < threads; ++t) {
    workers.emplace_back([&, t] {
      std::minstd_rand random(static_cast<unsigned>(t + 1));
      for (int i = 0; i < rounds;) {
        try {
          if (random() % 4 == 0) {
            mutex.lock();
          } else {
            mutex.lock_interruptibly();
          }
        } catch (...) {  // an int, or a group of them
          continue;
        }
        EXPECT_EQ(++inside, 1);
        ++total;
        spin(static_cast<int>(random() % 64));
        --inside;
        mutex.unlock();
        ++i;
        ++expected;
      }
      --running;
      const block_scope to_the_end;
      await([&] { return running == 0; });
    });
  }
  std::minstd_rand random(99);
  while (running != 0) {
    interrupt_gently(workers[random() % threads].get_target());
    spin(static_cast<int>(random() % 2048));
  }
  for (auto& worker : workers) raised_by([&] { worker.wait(); });
  EXPECT_EQ(total, expected);
  EXPECT_TRUE(mutex.try_lock());
}

// The last to unlock may destroy it while another is still on its way out of `unlock`.
TEST(Mutex, MayBeDestroyedByTheNextOwner) {
  const int rounds = stress_rounds(5'000);
  for (int i = 0; i < rounds; ++i) {
    struct shared {
      sigexc::mutex mutex;
      bool is_done = false;
    };
    auto* const state = new shared;
    std::atomic<bool> is_locked{false};
    std::thread first([&, state] {
      state->mutex.lock();
      is_locked = true;
      spin(i % 512);
      state->is_done = true;
      state->mutex.unlock();
    });
    await([&] { return is_locked.load(); });
    state->mutex.lock();
    EXPECT_TRUE(state->is_done);
    state->mutex.unlock();
    delete state;
    first.join();
  }
}

}  // namespace
}  // namespace sigexc::test
