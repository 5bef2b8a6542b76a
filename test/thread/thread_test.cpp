// Threads: their results, what ends them, and waiting for them.
#include <gtest/gtest.h>

#include <limits.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <semaphore>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include "support/interrupts.hpp"
#include "support/order.hpp"

namespace sigexc::test {
namespace {

using namespace std::chrono_literals;

TEST(Thread, ReturnsItsResultEachTime) {  // D6
  thread adder([](int a, int b) { return a + b; }, 3, 4);
  static_assert(std::is_same_v<decltype(adder), thread<int>>);
  static_assert(std::is_same_v<decltype(adder.wait()), int&>);
  EXPECT_EQ(adder.wait(), 7);
  EXPECT_EQ(adder.wait(), 7);
  EXPECT_EQ(&adder.wait(), &adder.wait());
}

TEST(Thread, ReturnsAReference) {
  int number = 7;
  thread other([&]() -> int& { return number; });
  static_assert(std::is_same_v<decltype(other), thread<int&>>);
  EXPECT_EQ(&other.wait(), &number);
}

TEST(Thread, ReturnsNothing) {
  bool has_run = false;
  thread other([&] { has_run = true; });
  static_assert(std::is_same_v<decltype(other), thread<void>>);
  static_assert(std::is_void_v<decltype(other.wait())>);
  other.wait();
  EXPECT_TRUE(has_run);
}

TEST(Thread, ReturnsWhatCanOnlyBeMoved) {
  thread other([] { return std::make_unique<int>(7); });
  EXPECT_EQ(*other.wait(), 7);
  const std::unique_ptr<int> taken = std::move(other).wait();
  EXPECT_EQ(*taken, 7);
  static_assert(std::is_same_v<decltype(std::move(other).wait()), std::unique_ptr<int>>);
  EXPECT_EQ(*thread([] { return std::make_unique<int>(8); }).wait(), 8);
}

struct worker {
  int base = 40;
  int add(int n) const { return base + n; }
};

TEST(Thread, TakesArgumentsAsInvokeDoes) {
  EXPECT_EQ(thread(&worker::add, worker{}, 2).wait(), 42);
  EXPECT_EQ(thread([](std::unique_ptr<int> p) { return *p; }, std::make_unique<int>(7)).wait(), 7);
  int changed = 0;
  thread([](int& n) { n = 7; }, std::ref(changed)).wait();
  EXPECT_EQ(changed, 7);
  struct once {
    std::unique_ptr<int> number = std::make_unique<int>(9);
    int operator()() && { return *number; }
  };
  EXPECT_EQ(thread(once{}).wait(), 9);
}

TEST(Thread, LetsItsCallableGoOnItsOwnThread) {
  pid_t destroyed_on = 0;
  pid_t ran_on = 0;
  const auto tell = [&](const int* number) {
    destroyed_on = gettid();
    delete number;
  };
  thread other([&ran_on, kept = std::unique_ptr<int, decltype(tell)>(new int(7), tell)] {
    ran_on = gettid();
    return *kept;
  });
  EXPECT_EQ(other.wait(), 7);
  EXPECT_NE(ran_on, gettid());
  EXPECT_EQ(destroyed_on, ran_on);
}

TEST(Thread, ThrowsWhatEndedItEachTime) {  // D6
  thread other([]() -> int { throw std::out_of_range("far"); });
  EXPECT_THROW(other.wait(), std::out_of_range);
  EXPECT_THROW(other.wait(), std::out_of_range);
  thread interrupted([] {
    for (;;) safe_point();
  });
  interrupted.interrupt(1);
  EXPECT_EQ(raised_by([&] { interrupted.wait(); }), "1");
  EXPECT_EQ(raised_by([&] { interrupted.wait(); }), "1");
}

TEST(Thread, ThrowsAGroupThatEndedIt) {  // D6, D2
  std::binary_semaphore is_sent(0);
  thread other([&] {
    is_sent.acquire();
    safe_point();
  });
  other.interrupt(1);
  other.interrupt(std::string("two"));
  is_sent.release();
  EXPECT_EQ(raised_by([&] { other.wait(); }), "group(1, two)");
}

TEST(Thread, ReturnsItsResultWhateverIsPendingThen) {  // S8: a result is never lost
  std::binary_semaphore runs(0);
  std::binary_semaphore is_sent(0);
  thread other([&] {
    runs.release();
    is_sent.acquire();
    return 7;
  });
  runs.acquire();
  const receipt sent = other.interrupt(1);
  const receipt termination = other.terminate();
  is_sent.release();
  EXPECT_EQ(other.wait(), 7);
  EXPECT_EQ(sent.state(), delivery::discarded);
  EXPECT_EQ(termination.state(), delivery::discarded);
}

TEST(ThreadWait, ForATimeSaysWhetherItHasEnded) {
  const long_wait wait;
  thread other([&] { wait.wait(); });
  EXPECT_FALSE(other.wait_for(1ms));
  EXPECT_FALSE(other.wait_for(0s));
  EXPECT_FALSE(other.wait_for(-1h));
  EXPECT_FALSE(other.wait_until(std::chrono::steady_clock::now() + 1ms));
  EXPECT_FALSE(other.wait_until(std::chrono::system_clock::now() - 1h));
  EXPECT_FALSE(other.wait_until(std::chrono::system_clock::time_point::min()));
  EXPECT_FALSE(other.wait_until(std::chrono::steady_clock::time_point::min()));
  wait.end();
  EXPECT_TRUE(other.wait_for(std::chrono::hours::max()));
  EXPECT_TRUE(other.wait_for(-1h));
  EXPECT_TRUE(other.wait_until(std::chrono::system_clock::now() + 24h));
  EXPECT_TRUE(other.wait_until(std::chrono::steady_clock::now() - 1h));
}

TEST(ThreadWait, UntilTheEndOfTimeWaits) {
  const long_wait wait;
  thread other([&] { wait.wait(); });
  witness where;
  thread waiter([&] {
    where.here();
    return other.wait_until(std::chrono::steady_clock::time_point::max());
  });
  where.await_asleep();
  wait.end();
  EXPECT_TRUE(waiter.wait());
}

TEST(ThreadWait, ForATimeDoesNotThrowWhatEndedIt) {  // D6
  thread other([] { throw std::out_of_range("far"); });
  EXPECT_TRUE(other.wait_for(24h));
  EXPECT_THROW(other.wait(), std::out_of_range);
}

TEST(ThreadWait, InterruptedLeavesTheThreadAlone) {  // O6
  const long_wait wait;
  thread other([&] { return wait.wait(); });
  witness where;
  witness again;
  thread waiter([&] {
    where.here();
    std::string raised = raised_by([&] { other.wait(); });
    again.here();
    raised += ", " + raised_by([&] { static_cast<void>(other.wait_for(24h)); });
    return raised + (other.wait() == delivery::withdrawn ? ", result" : ", no result");
  });
  where.await_asleep();
  waiter.interrupt(1);
  again.await_asleep();
  EXPECT_FALSE(other.get_target().finished());
  EXPECT_EQ(other.get_target().pending(), 0U);
  EXPECT_EQ(waiter.interrupt(2).wait(), delivery::raised);
  wait.end();
  EXPECT_EQ(waiter.wait(), "1, 2, result");
}

TEST(ThreadWait, RaisesWhatIsPendingOnEntryAndKeepsTheResult) {  // O1
  const enrollment self;
  thread finished([] { return 7; });
  EXPECT_TRUE(finished.wait_for(24h));
  to_self(1);
  EXPECT_EQ(raised_by([&] { finished.wait(); }), "1");
  EXPECT_EQ(finished.wait(), 7);
}

TEST(ThreadWait, InABlockWaitsToTheEnd) {  // M1, M4
  const long_wait wait;
  thread other([&] { wait.wait(); });
  witness where;
  thread waiter([&] {
    return raised_by([&] {
      const block_scope quiet;
      where.here();
      other.wait();
    });
  });
  where.await_asleep();
  const receipt sent = waiter.interrupt(1);
  where.await_asleep();
  EXPECT_EQ(sent.state(), delivery::pending);
  wait.end();
  EXPECT_EQ(waiter.wait(), "1");
}

TEST(ThreadWait, OfManyEndsForAll) {
  const long_wait wait;
  thread other([&] {
    wait.wait();
    return 7;
  });
  witness first;
  witness second;
  thread one([&] {
    first.here();
    return other.wait();
  });
  thread two([&] {
    second.here();
    return other.wait();
  });
  first.await_asleep();
  second.await_asleep();
  wait.end();
  EXPECT_EQ(one.wait() + two.wait(), 14);
}

TEST(ThreadWait, ForItselfIsASystemError) {
  std::atomic<thread<std::string>*> itself = nullptr;
  thread other([&] {
    await([&] { return itself != nullptr; });
    try {
      static_cast<void>(itself.load()->wait_for(24h));
    } catch (const std::system_error&) {
      try {
        itself.load()->wait();
      } catch (const std::system_error& e) {
        return std::string(e.code() == std::errc::resource_deadlock_would_occur ? "told" : "odd");
      }
    }
    return std::string("untold");
  });
  itself = &other;
  EXPECT_EQ(other.wait(), "told");
}

TEST(Thread, IsInterruptedOnTheSmallestStack) {  // D1, R1
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "sanitizers make frames larger";
#endif
  thread small({.name = "small", .stack_size = static_cast<std::size_t>(PTHREAD_STACK_MIN)}, [&] {
    const std::string guard;  // something to clean up on the way
    for (;;) safe_point();
  });
  small.interrupt(1);
  EXPECT_EQ(raised_by([&] { small.wait(); }), "1");
}

}  // namespace
}  // namespace sigexc::test
