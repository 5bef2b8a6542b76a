// The condition variable: its lock is owned again before it raises, and no notification is lost to
// a waiter that is interrupted.
#include <sigexc/sync.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "support/interrupts.hpp"
#include "support/order.hpp"

namespace sigexc::test {
namespace {

using namespace std::chrono_literals;

constinit sigexc::condition_variable condition_of_the_program;

// Any lock will do. This one tells whether it is locked, and counts how often it was.
class plain_lock {
 public:
  void lock() {
    mutex_.lock();
    is_locked = true;
    ++times_locked;
  }
  void unlock() {
    is_locked = false;
    mutex_.unlock();
  }
  std::atomic<bool> is_locked{false};
  std::atomic<int> times_locked{0};

 private:
  std::mutex mutex_;
};

template <class Lock>
class ConditionVariable : public testing::Test {};
using locks = testing::Types<std::unique_lock<std::mutex>, std::unique_lock<sigexc::mutex>>;
class names {
 public:
  template <class Lock>
  static std::string GetName(int) {
    return std::is_same_v<Lock, std::unique_lock<std::mutex>> ? "std" : "sigexc";
  }
};
TYPED_TEST_SUITE(ConditionVariable, locks, names);

TYPED_TEST(ConditionVariable, WakesWhoWaits) {
  typename TypeParam::mutex_type mutex;
  sigexc::condition_variable changed;
  bool is_changed = false;
  witness where;
  std::thread waiter([&] {
    TypeParam lock(mutex);
    where.here();
    changed.wait(lock);
    EXPECT_TRUE(is_changed);
  });
  where.await_asleep();
  {
    const TypeParam lock(mutex);
    is_changed = true;
    changed.notify_one();
  }
  waiter.join();
}

TYPED_TEST(ConditionVariable, InterruptedOwnsItsLockAgainBeforeItRaises) {  // O5, O2
  typename TypeParam::mutex_type mutex;
  sigexc::condition_variable changed;
  witness where;
  thread waiter([&] {
    TypeParam lock(mutex);
    where.here();
    try {
      changed.wait(lock);
    } catch (int) {
      EXPECT_TRUE(lock.owns_lock());
      std::thread([&] { EXPECT_FALSE(mutex.try_lock()); }).join();
      throw;
    }
  });
  where.await_asleep();
  waiter.interrupt(1);
  EXPECT_THROW(waiter.wait(), int);
  EXPECT_TRUE(mutex.try_lock());
  mutex.unlock();
}

// O5: the lock is busy when the interrupt comes; the waiter waits for it, and nothing ends that.
TYPED_TEST(ConditionVariable, InterruptedWaitsForItsLockFirst) {
  typename TypeParam::mutex_type mutex;
  sigexc::condition_variable changed;
  witness where;
  thread waiter([&] {
    TypeParam lock(mutex);
    where.here();
    changed.wait(lock);
  });
  where.await_asleep();
  TypeParam lock(mutex);
  const receipt first = waiter.interrupt(1);
  where.await_asleep();
  const receipt second = waiter.interrupt(2);
  EXPECT_EQ(first.state(), delivery::pending);
  lock.unlock();
  EXPECT_EQ(raised_by([&] { waiter.wait(); }), "group(1, 2)");
}

TEST(AnyLock, MayBeWaitedWith) {
  static_assert(sizeof(sigexc::condition_variable) == 4);
  plain_lock lock;
  std::lock_guard guard(lock);
  EXPECT_EQ(condition_of_the_program.wait_for(lock, 1ms), std::cv_status::timeout);
  EXPECT_TRUE(lock.is_locked);
  EXPECT_EQ(lock.times_locked, 2);
}

// A lock whose `lock()` is interruptible is not interrupted while a wait locks it again.
TEST(AnyLock, ThatIsInterruptibleIsLockedAgainUninterruptedly) {  // O5
  struct eager_lock {
    sigexc::mutex mutex;
    bool is_locked = false;
    void lock() {
      mutex.lock_interruptibly();
      is_locked = true;
    }
    void unlock() {
      is_locked = false;
      mutex.unlock();
    }
  };
  eager_lock lock;
  sigexc::condition_variable changed;
  witness where;
  thread waiter([&] {
    lock.lock();
    where.here();
    EXPECT_EQ(raised_by([&] { changed.wait(lock); }), "1");
    EXPECT_TRUE(lock.is_locked);
    lock.unlock();
  });
  where.await_asleep();
  waiter.interrupt(1);
  waiter.wait();
}

TEST(Condition, WithAnInterruptPendingRaisesWithoutUnlocking) {  // O1
  const enrollment here;
  plain_lock lock;
  const std::lock_guard guard(lock);
  sigexc::condition_variable changed;
  to_self(1);
  EXPECT_THROW(changed.wait(lock), int);
  to_self(2);
  EXPECT_THROW(changed.wait(lock, [] { return true; }), int);
  to_self(3);
  EXPECT_THROW(changed.wait_for(lock, 0s), int);
  to_self(4);
  EXPECT_THROW(changed.wait_for(lock, 0s, [] { return true; }), int);
  EXPECT_EQ(lock.times_locked, 1);
}

TEST(Condition, EveryWayOfWaitingIsEndedByAnInterrupt) {  // O2
  sigexc::mutex mutex;
  sigexc::condition_variable changed;
  using lock_type = std::unique_lock<sigexc::mutex>;
  const auto never = [] { return false; };
  const auto steady_end = std::chrono::steady_clock::now() + 1h;
  const auto system_end = std::chrono::system_clock::now() + 1h;
  const std::vector<std::function<void(lock_type&)>> ways = {
      [&](lock_type& lock) { changed.wait(lock); },
      [&](lock_type& lock) { changed.wait(lock, never); },
      [&](lock_type& lock) { changed.wait_for(lock, 1h); },
      [&](lock_type& lock) { changed.wait_for(lock, std::chrono::hours::max(), never); },
      [&](lock_type& lock) { changed.wait_until(lock, steady_end); },
      [&](lock_type& lock) { changed.wait_until(lock, system_end, never); }};
  for (const auto& way : ways) {
    witness where;
    thread waiter([&] {
      lock_type lock(mutex);
      where.here();
      EXPECT_EQ(raised_by([&] { way(lock); }), "1");
      EXPECT_TRUE(lock.owns_lock());
    });
    where.await_asleep();
    waiter.interrupt(1);
    waiter.wait();
  }
}

// O3: a waiter that was notified has its result, whatever else has come.
TEST(Condition, NotifiedReturnsAndLeavesTheInterruptForLater) {
  sigexc::mutex mutex;
  sigexc::condition_variable changed;
  witness where;
  thread waiter([&] {
    std::unique_lock lock(mutex);
    where.here();
    EXPECT_EQ(raised_by([&] { changed.wait(lock); }), "nothing");
    EXPECT_EQ(raised_here(), "1");
  });
  where.await_asleep();
  {
    const std::scoped_lock lock(mutex);  // so it cannot return before the interrupt has come
    changed.notify_one();
    waiter.interrupt(1);
  }
  waiter.wait();
}

// The other order: it is interrupted, and on its way to its lock; then it is notified.
TEST(Condition, NotifiedBeforeItRaisesReturns) {  // O3, O5
  sigexc::mutex mutex;
  sigexc::condition_variable changed;
  witness where;
  thread waiter([&] {
    std::unique_lock lock(mutex);
    where.here();
    EXPECT_EQ(raised_by([&] { changed.wait(lock); }), "nothing");
    EXPECT_EQ(raised_here(), "1");
  });
  where.await_asleep();
  {
    const std::scoped_lock lock(mutex);
    waiter.interrupt(1);
    changed.notify_one();
  }
  waiter.wait();
}

TEST(Condition, InterruptingOneWaiterDisturbsNoOther) {  // O5
  sigexc::mutex mutex;
  sigexc::condition_variable changed;
  constexpr int waiters = 5;
  std::vector<witness> where(waiters);
  std::atomic<int> woken{0};
  std::vector<thread<void>> waiting;
  for (int i = 0; i < waiters; ++i) {
    waiting.emplace_back([&, i] {
      std::unique_lock lock(mutex);
      where[static_cast<std::size_t>(i)].here();
      changed.wait(lock);
      ++woken;
    });
    where[static_cast<std::size_t>(i)].await_asleep();
  }
  waiting[2].interrupt(1);
  EXPECT_EQ(raised_by([&] { waiting[2].wait(); }), "1");
  EXPECT_EQ(woken, 0);
  for (int i = 0; i < waiters - 1; ++i) {
    {
      const std::scoped_lock lock(mutex);
      changed.notify_one();
    }
    await([&] { return woken == i + 1; });
  }
  waiting.clear();
  EXPECT_EQ(woken, waiters - 1);
}

TEST(Condition, NotifyOneWakesWhoHasWaitedLongest) {
  sigexc::mutex mutex;
  sigexc::condition_variable changed;
  std::vector<witness> where(3);
  std::vector<int> order;
  std::vector<std::thread> waiting;
  for (int i = 0; i < 3; ++i) {
    waiting.emplace_back([&, i] {
      std::unique_lock lock(mutex);
      where[static_cast<std::size_t>(i)].here();
      changed.wait(lock);
      order.push_back(i);
    });
    where[static_cast<std::size_t>(i)].await_asleep();
  }
  for (std::size_t i = 0; i < 3; ++i) {
    changed.notify_one();
    waiting[i].join();
  }
  EXPECT_EQ(order, (std::vector{0, 1, 2}));
}

TEST(Condition, NotifyAllWakesAll) {
  sigexc::mutex mutex;
  sigexc::condition_variable changed;
  constexpr int waiters = 40;  // more than are woken in one go
  std::vector<witness> where(waiters);
  std::vector<std::thread> waiting;
  for (auto& one : where) {
    waiting.emplace_back([&] {
      std::unique_lock lock(mutex);
      one.here();
      changed.wait(lock);
    });
    one.await_asleep();
  }
  changed.notify_all();
  for (auto& one : waiting) one.join();
}

TEST(Condition, WithAPredicateWaitsUntilItIsTrue) {
  sigexc::mutex mutex;
  sigexc::condition_variable changed;
  int value = 0;
  witness where;
  std::thread waiter([&] {
    std::unique_lock lock(mutex);
    where.here();
    changed.wait(lock, [&] { return value == 2; });
    EXPECT_TRUE(changed.wait_for(lock, 1h, [&] { return value == 2; }));
    EXPECT_FALSE(changed.wait_for(lock, 1ms, [&] { return value == 3; }));
  });
  for (int i = 0; i < 2; ++i) {
    where.await_asleep();
    const std::scoped_lock lock(mutex);
    ++value;
    changed.notify_all();
  }
  waiter.join();
}

TEST(Condition, TimedWaitsTellIfTheyWereNotified) {
  sigexc::mutex mutex;
  sigexc::condition_variable changed;
  std::unique_lock lock(mutex);
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(changed.wait_for(lock, 1ms), std::cv_status::timeout);
  EXPECT_GE(std::chrono::steady_clock::now() - begin, 1ms);
  const auto end = std::chrono::system_clock::now() + 1ms;
  while (changed.wait_until(lock, end) == std::cv_status::no_timeout) {
  }
  EXPECT_GE(std::chrono::system_clock::now(), end);
  witness where;
  std::thread waiter([&] {
    std::unique_lock mine(mutex);
    where.here();
    EXPECT_EQ(changed.wait_for(mine, 1h), std::cv_status::no_timeout);
  });
  lock.unlock();
  where.await_asleep();
  changed.notify_one();
  waiter.join();
}

TEST(Condition, WithPolicyOnBlockingIsInterruptedAsItHasToWait) {  // M6
  const enrollment here;
  sigexc::mutex mutex;
  sigexc::condition_variable changed;
  EXPECT_EQ(raised_by([&] {
              const mask_scope waits_only(policy::on_blocking);
              std::unique_lock lock(mutex);
              to_self(1);
              changed.wait(lock, [] { return true; });
              EXPECT_EQ(raised_by([&] { changed.wait(lock, [] { return false; }); }), "1");
              EXPECT_TRUE(lock.owns_lock());
            }),
            "nothing");
}

// In a block the wait goes on, and does not even lock for what it holds.
TEST(Condition, InABlockWaitsUndisturbed) {  // R3, S9
  plain_lock lock;
  sigexc::condition_variable changed;
  witness where;
  thread waiter([&] {
    blocked([&] {
      const std::lock_guard guard(lock);
      where.here();
      changed.wait(lock);
      EXPECT_EQ(lock.times_locked, 2);
      return 0;
    });
    EXPECT_EQ(raised_here(), "group(0, 1, 2)");
  });
  for (int i = 0; i < 3; ++i) {
    where.await_asleep();
    waiter.interrupt(i);
  }
  where.await_asleep();
  changed.notify_one();
  waiter.wait();
}

TEST(Condition, DuringUnwindingWaitsAndLeavesTheInterruptForLater) {  // R3
  sigexc::mutex mutex;
  sigexc::condition_variable changed;
  witness where;
  struct waits_in_destructor {
    sigexc::mutex& mutex;
    sigexc::condition_variable& changed;
    witness& where;
    ~waits_in_destructor() {
      std::unique_lock lock(mutex);
      where.here();
      changed.wait(lock);
    }
  };
  thread waiter([&] {
    try {
      const waits_in_destructor waits{mutex, changed, where};
      throw 'x';
    } catch (char) {
    }
    EXPECT_EQ(raised_here(), "1");
  });
  where.await_asleep();
  waiter.interrupt(1);
  where.await_asleep();
  changed.notify_one();
  waiter.wait();
}

TEST(Condition, WaitIsNotEndedByWithdrawnInterrupts) {  // S9
  sigexc::mutex mutex;
  sigexc::condition_variable changed;
  witness where;
  thread waiter([&] {
    for (int i = 0; i < 100; ++i) EXPECT_TRUE(to_self(i).withdraw());
    std::unique_lock lock(mutex);
    where.here();
    changed.wait(lock);
  });
  where.await_asleep();
  changed.notify_one();
  waiter.wait();
}

// D3: a callback runs with the lock owned, and the wait goes on: for the rest of its time, and
// without missing what is notified meanwhile.
TEST(Condition, WaitGoesOnAfterACallback) {
  plain_lock lock;
  sigexc::condition_variable changed;
  witness where;
  thread waiter([&] {
    const auto checking = attach<int>([&](int) { EXPECT_TRUE(lock.is_locked); });
    const auto notifying = attach<char>([&](char) { changed.notify_one(); });
    const std::lock_guard guard(lock);
    where.here();
    EXPECT_EQ(changed.wait_for(lock, 1h), std::cv_status::no_timeout);
  });
  for (int i = 0; i < 3; ++i) {
    where.await_asleep();
    EXPECT_EQ(waiter.interrupt(i).wait(), delivery::handled);
  }
  where.await_asleep();
  waiter.interrupt('x');
  waiter.wait();
}

TEST(Condition, WaitGoesOnForTheRestOfItsTimeAfterACallback) {  // D3, O4
  sigexc::mutex mutex;
  sigexc::condition_variable changed;
  witness where;
  thread waiter([&] {
    const auto handling = attach<int>([](int) {});
    std::unique_lock lock(mutex);
    where.here();
    const auto end = std::chrono::steady_clock::now() + 50ms;
    EXPECT_EQ(changed.wait_until(lock, end), std::cv_status::timeout);
    EXPECT_GE(std::chrono::steady_clock::now(), end);
  });
  where.await_asleep();
  waiter.interrupt(1);
  waiter.wait();
}

// O5: notified from inside the callback whose exception ends the wait, it passes that on.
TEST(Condition, RaisingPassesOnItsNotification) {
  sigexc::mutex mutex;
  sigexc::condition_variable changed;
  witness first;
  witness second;
  thread raising([&] {
    const auto notifying = attach<int>([&](int) {
      changed.notify_one();
      throw std::string("replaced");
    });
    std::unique_lock lock(mutex);
    first.here();
    changed.wait(lock);
  });
  first.await_asleep();
  thread waiting([&] {
    std::unique_lock lock(mutex);
    second.here();
    changed.wait(lock);
  });
  second.await_asleep();
  raising.interrupt(1);
  EXPECT_EQ(raised_by([&] { raising.wait(); }), "replaced");
  waiting.wait();
}

}  // namespace
}  // namespace sigexc::test
