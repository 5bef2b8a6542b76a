// Waiting for the standard's atomics and futures, which know nothing of interrupts.
#include <sigexc/sync.hpp>

#include <gtest/gtest.h>

#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <future>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <utility>

#include "support/interrupts.hpp"
#include "support/order.hpp"
#include "support/rounds.hpp"

namespace sigexc::test {
namespace {

using namespace std::chrono_literals;

struct alignas(8) pair {
  std::int32_t first;
  std::int32_t second;
};
enum class color : std::int32_t { red, green };

template <class T>
class AtomicWait : public testing::Test {
 public:
  static T value(int number) {
    if constexpr (std::is_same_v<T, pair>) {
      return pair{number, -number};
    } else if constexpr (std::is_pointer_v<T>) {
      return reinterpret_cast<T>(static_cast<std::uintptr_t>(number));
    } else {
      return static_cast<T>(number);
    }
  }
};
// Those that are futexes themselves (4 bytes, scalar) and those that are not.
using values = testing::Types<bool, char, std::int16_t, int, unsigned, float, color, long, double,
                              void*, pair>;
TYPED_TEST_SUITE(AtomicWait, values);

TYPED_TEST(AtomicWait, ReturnsAtOnceIfTheValueIsAnother) {
  const std::atomic<TypeParam> object(this->value(1));
  sigexc::wait(object, this->value(0));
}

TYPED_TEST(AtomicWait, IsWokenByTheOrdinaryNotification) {
  for (const bool is_all : {false, true}) {
    std::atomic<TypeParam> object(this->value(0));
    witness where;
    thread waiter([&] {
      where.here();
      sigexc::wait(object, this->value(0));
      EXPECT_FALSE(std::__detail::__atomic_compare(object.load(), this->value(0)));
    });
    where.await_asleep();
    object.notify_all();  // in vain: the value is the same
    where.await_asleep();
    object = this->value(1);
    is_all ? object.notify_all() : object.notify_one();
    waiter.wait();
  }
}

TYPED_TEST(AtomicWait, IsEndedByAnInterrupt) {  // O2
  std::atomic<TypeParam> object(this->value(0));
  witness where;
  thread waiter([&] {
    where.here();
    sigexc::wait(object, this->value(0));
  });
  where.await_asleep();
  waiter.interrupt(1);
  EXPECT_THROW(waiter.wait(), int);
}

TEST(AtomicWaits, WithAnInterruptPendingRaiseAlthoughTheValueIsAnother) {  // O1
  const enrollment here;
  const std::atomic<int> object(1);
  to_self(1);
  EXPECT_THROW(sigexc::wait(object, 0), int);
}

TEST(AtomicWaits, InABlockReturnAndLeaveTheInterruptForLater) {  // O3, R3
  std::atomic<int> object(0);
  witness where;
  thread waiter([&] {
    blocked([&] {
      where.here();
      sigexc::wait(object, 0);
      return 0;
    });
    EXPECT_EQ(raised_here(), "1");
  });
  where.await_asleep();
  waiter.interrupt(1);
  where.await_asleep();
  object = 1;
  object.notify_one();
  waiter.wait();
}

TEST(AtomicWaits, WithPolicyOnBlockingAreInterruptedOnlyIfTheyHaveToWait) {  // M6
  const enrollment here;
  const std::atomic<int> object(1);
  EXPECT_EQ(raised_by([&] {
              const mask_scope waits_only(policy::on_blocking);
              to_self(1);
              sigexc::wait(object, 0);
              EXPECT_EQ(raised_by([&] { sigexc::wait(object, 1); }), "1");
            }),
            "nothing");
}

TEST(AtomicWaits, GoOnAfterACallbackAndAfterSignals) {  // D3, O4
  std::atomic<int> object(0);
  witness where;
  ::signal(SIGUSR1, [](int) {});
  thread waiter([&] {
    const auto handling = attach<int>([](int) {});
    where.here();
    sigexc::wait(object, 0);
  });
  where.await_asleep();
  EXPECT_EQ(waiter.interrupt(1).wait(), delivery::handled);
  where.await_asleep();
  ::tgkill(::getpid(), where.tid(), SIGUSR1);
  where.await_asleep();
  object = 1;
  object.notify_one();
  waiter.wait();
  ::signal(SIGUSR1, SIG_DFL);
}

// O2, O3: whatever wins, the change and the interrupt both arrive.
template <class T>
void change_and_interrupt_race() {
  const int rounds = stress_rounds(10'000);
  std::atomic<T> object(0);
  std::atomic<int> round{0};
  thread waiter([&] {
    for (int i = 1; i <= rounds; ++i) {
      round = i;
      bool is_raised = false;
      for (bool is_changed = false; !is_changed || !is_raised;) {
        try {
          if (is_changed) sleep_for(1h);
          sigexc::wait(object, static_cast<T>(i - 1));
          EXPECT_EQ(object, static_cast<T>(i));
          is_changed = true;
        } catch (int number) {
          EXPECT_EQ(number, i);
          EXPECT_FALSE(std::exchange(is_raised, true));
        }
      }
    }
  });
  std::thread changer([&] {
    std::minstd_rand random(1);
    for (int i = 1; i <= rounds; ++i) {
      await([&] { return round >= i; });
      spin(static_cast<int>(random() % 2048));
      object = static_cast<T>(i);
      object.notify_one();
    }
  });
  std::minstd_rand random(2);
  for (int i = 1; i <= rounds; ++i) {
    await([&] { return round >= i; });
    spin(static_cast<int>(random() % 2048));
    waiter.interrupt(i);
  }
  waiter.wait();
  changer.join();
}

TEST(AtomicWaits, LoseNeitherTheChangeNorTheInterrupt) { change_and_interrupt_race<int>(); }
TEST(AtomicWaits, OfOtherSizesLoseNeitherTheChangeNorTheInterrupt) {
  change_and_interrupt_race<long>();
}

TEST(FutureWait, ReturnsWhenTheResultIsThere) {
  std::promise<std::string> promise;
  std::future<std::string> future = promise.get_future();
  witness where;
  std::thread waiter([&] {
    where.here();
    sigexc::wait(future);
    EXPECT_EQ(future.get(), "result");
  });
  where.await_asleep();
  promise.set_value("result");
  waiter.join();
}

TEST(FutureWait, ReturnsWhenTheExceptionIsThereOrThePromiseIsBroken) {
  std::promise<void> promise;
  std::future<void> future = promise.get_future();
  promise.set_exception(std::make_exception_ptr(1));
  sigexc::wait(future);
  EXPECT_THROW(future.get(), int);
  auto broken = std::make_unique<std::promise<int&>>();
  std::future<int&> orphan = broken->get_future();
  broken.reset();
  sigexc::wait(orphan);
  EXPECT_THROW(orphan.get(), std::future_error);
  EXPECT_THROW(sigexc::wait(orphan), std::future_error);
}

TEST(FutureWait, IsEndedByAnInterruptAndLeavesTheFutureAlone) {  // O2
  std::promise<int> promise;
  std::future<int> future = promise.get_future();
  for (int i = 0; i < 3; ++i) {
    witness where;
    thread waiter([&] {
      where.here();
      sigexc::wait(future);
    });
    where.await_asleep();
    waiter.interrupt(1);
    EXPECT_THROW(waiter.wait(), int);
  }
  promise.set_value(7);
  EXPECT_EQ(future.get(), 7);
}

TEST(FutureWait, WithAnInterruptPendingRaisesAlthoughTheResultIsThere) {  // O1
  const enrollment here;
  std::promise<int> promise;
  std::future<int> future = promise.get_future();
  promise.set_value(7);
  to_self(1);
  EXPECT_THROW(sigexc::wait(future), int);
  sigexc::wait(future);
  EXPECT_EQ(future.get(), 7);
}

TEST(FutureWait, InABlockReturnsAndLeavesTheInterruptForLater) {  // O3, R3
  std::promise<int> promise;
  std::future<int> future = promise.get_future();
  witness where;
  thread waiter([&] {
    blocked([&] {
      where.here();
      sigexc::wait(future);
      return 0;
    });
    EXPECT_EQ(raised_here(), "1");
  });
  where.await_asleep();
  waiter.interrupt(1);
  where.await_asleep();
  promise.set_value(7);
  waiter.wait();
}

TEST(FutureWait, GoesOnAfterACallback) {  // D3
  std::promise<int> promise;
  std::future<int> future = promise.get_future();
  witness where;
  thread waiter([&] {
    const auto handling = attach<int>([](int) {});
    where.here();
    sigexc::wait(future);
  });
  where.await_asleep();
  EXPECT_EQ(waiter.interrupt(1).wait(), delivery::handled);
  where.await_asleep();
  promise.set_value(7);
  waiter.wait();
}

TEST(FutureWait, RunsADeferredFunction) {
  std::future<int> deferred = std::async(std::launch::deferred, [] { return 7; });
  sigexc::wait(deferred);
  EXPECT_EQ(deferred.get(), 7);
}

TEST(FutureWait, WaitsForAnAsynchronousFunction) {
  std::atomic<bool> may_end{false};
  std::future<int> result = std::async(std::launch::async, [&] {
    may_end.wait(false);
    return 7;
  });
  witness where;
  thread waiter([&] {
    where.here();
    sigexc::wait(result);
  });
  where.await_asleep();
  waiter.interrupt(1);
  EXPECT_THROW(waiter.wait(), int);
  may_end = true;
  may_end.notify_one();
  sigexc::wait(result);
  EXPECT_EQ(result.get(), 7);
}

// A shared state is waited for by others in the standard's way, and they are not disturbed.
TEST(FutureWait, OfASharedFutureIsInterruptedAlone) {  // O5
  std::promise<int> promise;
  const std::shared_future<int> future = promise.get_future().share();
  witness where;
  witness where_other;
  std::thread other([&] {
    where_other.here();
    EXPECT_EQ(future.get(), 7);
  });
  thread waiter([&] {
    where.here();
    sigexc::wait(future);
  });
  where_other.await_asleep();
  where.await_asleep();
  waiter.interrupt(1);
  EXPECT_THROW(waiter.wait(), int);
  where_other.await_asleep();
  promise.set_value(7);
  other.join();
}

TEST(FutureWait, LosesNeitherTheResultNorTheInterrupt) {  // O2, O3
  const int rounds = stress_rounds(10'000);
  std::atomic<std::promise<int>*> shared{nullptr};
  std::atomic<int> round{0};
  thread waiter([&] {
    for (int i = 1; i <= rounds; ++i) {
      std::promise<int> promise;
      std::future<int> future = promise.get_future();
      shared = &promise;
      round = i;
      bool is_raised = false;
      for (bool is_ready = false; !is_ready || !is_raised;) {
        try {
          if (is_ready) sleep_for(1h);
          sigexc::wait(future);
          is_ready = true;
        } catch (int number) {
          EXPECT_EQ(number, i);
          EXPECT_FALSE(std::exchange(is_raised, true));
        }
      }
      EXPECT_EQ(future.get(), i);
      await([&] { return shared == nullptr; });
    }
  });
  std::thread setter([&] {
    std::minstd_rand random(1);
    for (int i = 1; i <= rounds; ++i) {
      await([&] { return round >= i; });
      spin(static_cast<int>(random() % 2048));
      shared.load()->set_value(i);
      shared = nullptr;
    }
  });
  std::minstd_rand random(2);
  for (int i = 1; i <= rounds; ++i) {
    await([&] { return round >= i; });
    spin(static_cast<int>(random() % 2048));
    waiter.interrupt(i);
  }
  waiter.wait();
  setter.join();
}

}  // namespace
}  // namespace sigexc::test
