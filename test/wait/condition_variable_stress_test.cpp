// The condition variable under load: each notification is counted, and the condition is destroyed
// as early as may be.
#include <sigexc/sync.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <random>
#include <thread>
#include <vector>

#include "support/interrupts.hpp"
#include "support/order.hpp"
#include "support/rounds.hpp"

namespace sigexc::test {
namespace {

using namespace std::chrono_literals;

// O5, exactly: each notification takes one waiter out, who counts it as consumed, or raised after
// it; then it went to another waiter, or there was none. So while there are more waits than
// notifications each notification ends exactly one wait, whoever is interrupted.
TEST(ConditionStress, LosesNoNotificationToInterruptedWaiters) {
  const int rounds = stress_rounds(20'000);
  constexpr int waiters = 4;
  sigexc::mutex mutex;
  sigexc::condition_variable changed;
  long waiting = 0;   // how many are in `wait`, guarded by `mutex`
  long consumed = 0;  // waits that returned, guarded by `mutex`
  long raised = 0;
  bool is_over = false;
  std::vector<thread<void>> threads;
  for (int i = 0; i < waiters; ++i) {
    threads.emplace_back([&] {
      std::unique_lock lock(mutex);
      while (!is_over) {
        ++waiting;
        try {
          changed.wait(lock);
          ++consumed;
        } catch (...) {
          ++raised;
        }
        --waiting;
      }
      const block_scope to_the_end;
      lock.unlock();
    });
  }
  std::atomic<bool> is_interrupting{true};
  std::thread interrupter([&] {
    std::minstd_rand random(7);
    while (is_interrupting) {
      interrupt_gently(threads[random() % waiters].get_target());
      spin(static_cast<int>(random() % 4096));
    }
  });
  // A notification is sent only while somebody is in the list for certain: who is in `wait` and
  // was not notified yet. Those that were are `notified - consumed`.
  long notified = 0;
  for (int i = 0; i < rounds;) {
    const std::scoped_lock lock(mutex);
    if (waiting - (notified - consumed) <= 0) {
      std::this_thread::yield();
      continue;
    }
    changed.notify_one();
    ++notified;
    ++i;
  }
  is_interrupting = false;
  interrupter.join();
  // What is not lost arrives.
  await([&] {
    const std::scoped_lock lock(mutex);
    return consumed == notified;
  });
  {
    const std::scoped_lock lock(mutex);
    is_over = true;
    changed.notify_all();
  }
  for (auto& one : threads) raised_by([&] { one.wait(); });
  EXPECT_GT(raised, 0);
}

// O5, notified without the lock: of two waiters one is interrupted while one notification comes,
// and does not wait again. It has returned, or the other one gets the notification.
TEST(ConditionStress, NotificationReachesTheOtherWaiterIfOneIsInterrupted) {
  const int rounds = stress_rounds(5'000);
  sigexc::mutex mutex;
  sigexc::condition_variable changed;
  int waiting = 0;  // these are guarded by `mutex`
  int tokens = 0;
  int finished = 0;
  std::atomic<int> round{0};
  const auto has_token = [&] { return tokens > 0; };
  const auto begin = [&](int i) {
    await([&] { return round >= i; });
    mutex.lock();
    ++waiting;
  };
  thread interrupted([&] {
    for (int i = 1; i <= rounds; ++i) {
      bool is_raised = false;
      begin(i);
      std::unique_lock lock(mutex, std::adopt_lock);
      try {
        changed.wait(lock, has_token);
        --tokens;
      } catch (int) {
        is_raised = true;
      }
      lock.unlock();
      if (!is_raised) {
        EXPECT_EQ(raised_by([] { sleep_for(1h); }), "0");
      }
      lock.lock();
      ++finished;
    }
  });
  std::thread other([&] {
    for (int i = 1; i <= rounds; ++i) {
      begin(i);
      std::unique_lock lock(mutex, std::adopt_lock);
      changed.wait(lock, has_token);
      --tokens;
      ++finished;
    }
  });
  const auto await_locked = [&](auto condition) {
    await([&] {
      const std::scoped_lock lock(mutex);
      return condition();
    });
  };
  std::minstd_rand random(3);
  for (int i = 1; i <= rounds; ++i) {
    round = i;
    await_locked([&] { return waiting == 2; });
    {
      const std::scoped_lock lock(mutex);
      tokens = 1;
      waiting = 0;
    }
    const bool is_interrupted_first = random() % 2 == 0;
    if (is_interrupted_first) interrupted.interrupt(0);
    spin(static_cast<int>(random() % 4096));
    changed.notify_one();
    spin(static_cast<int>(random() % 4096));
    if (!is_interrupted_first) interrupted.interrupt(0);
    await_locked([&] { return tokens == 0; });  // the claim
    // Where the interrupted one has it, the other gets another.
    await_locked([&] {
      if (finished == 1 && tokens == 0) {
        tokens = 1;
        changed.notify_all();
      }
      return finished == 2;
    });
    const std::scoped_lock lock(mutex);
    finished = 0;
    tokens = 0;
  }
  interrupted.wait();
  other.join();
}

// O5: the waiter destroys the condition as soon as it returns, while the notifier may still be in
// notify_one; and while others who were notified have not returned yet.
TEST(ConditionStress, MayBeDestroyedOnceItsWaitersAreNotified) {
  const int rounds = stress_rounds(5'000);
  std::atomic<sigexc::condition_variable*> shared{nullptr};
  sigexc::mutex mutex;
  bool is_waiting = false;
  thread waiter([&] {
    int interrupted = 0;
    for (int i = 0; i < rounds; ++i) {
      auto mine = std::make_unique<sigexc::condition_variable>();
      std::unique_lock lock(mutex);
      for (bool is_notified = false; !is_notified;) {
        is_waiting = true;
        shared = mine.get();
        try {
          mine->wait(lock);
          is_notified = true;
        } catch (...) {
          ++interrupted;
          // Not notified, so nobody has taken it.
          EXPECT_TRUE(is_waiting);
        }
      }
    }
    const block_scope to_the_end;
    return interrupted;
  });
  std::atomic<bool> is_interrupting{true};
  std::thread interrupter([&] {
    while (is_interrupting) {
      interrupt_gently(waiter.get_target());
      spin(2000);
    }
  });
  for (int i = 0; i < rounds;) {
    std::unique_lock lock(mutex);
    if (!is_waiting) {
      lock.unlock();
      std::this_thread::yield();
      continue;
    }
    is_waiting = false;
    sigexc::condition_variable& theirs = *shared;
    if (i % 2 == 0) {
      theirs.notify_one();
    } else {
      theirs.notify_all();
    }
    ++i;
  }
  is_interrupting = false;
  interrupter.join();
  raised_by([&] { waiter.wait(); });
}

TEST(ConditionStress, MayBeDestroyedBeforeItsNotifiedWaitersHaveReturned) {  // O5
  const int rounds = stress_rounds(1'000);
  for (int i = 0; i < rounds; ++i) {
    sigexc::mutex mutex;
    auto changed = std::make_unique<sigexc::condition_variable>();
    int waiting = 0;
    std::vector<std::thread> threads;
    for (int t = 0; t < 3; ++t) {
      threads.emplace_back([&] {
        std::unique_lock lock(mutex);
        ++waiting;
        changed->wait(lock);
      });
    }
    await([&] {
      const std::scoped_lock lock(mutex);
      return waiting == 3;
    });
    {
      const std::scoped_lock lock(mutex);
      changed->notify_all();
      changed.reset();
    }
    for (auto& one : threads) one.join();
  }
}

}  // namespace
}  // namespace sigexc::test
