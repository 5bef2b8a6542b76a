// Waiting on a receipt until its interrupt is no longer pending: an interruptible operation.
#include <gtest/gtest.h>

#include <chrono>
#include <latch>
#include <memory>
#include <optional>
#include <semaphore>
#include <string>
#include <vector>

#include "support/interrupts.hpp"
#include "support/order.hpp"

namespace sigexc::test {
namespace {

using namespace std::chrono_literals;

// A thread that holds what it is sent until it is told what to do.
class holder {
 public:
  enum class ending { raise, handle, leave };

  receipt send(int number) { return held_.interrupt(number); }
  void end(ending how) {
    how_ = how;
    go_.release();
    held_.wait();
  }

 private:
  ending how_ = ending::leave;
  std::binary_semaphore go_{0};
  thread<void> held_{thread_options{.name = "holder", .start_blocked = true}, [this] {
                       go_.acquire();
                       if (how_ == ending::leave) return;
                       std::optional<attachment<int>> handler;
                       if (how_ == ending::handle) handler.emplace(attach<int>([](int) {}));
                       raised_by([] { const unblock_scope open; });
                     }};
};

// Ends a wait on another thread in one way. What that wait returned.
delivery end_of_wait(holder::ending how) {
  holder target;
  const receipt sent = target.send(1);
  witness where;
  thread waiter([&] {
    where.here();
    return sent.wait();
  });
  where.await_asleep();
  target.end(how);
  return waiter.wait();
}

TEST(ReceiptWait, ReturnsWhenItIsRaised) {  // S8
  EXPECT_EQ(end_of_wait(holder::ending::raise), delivery::raised);
}

TEST(ReceiptWait, ReturnsWhenItIsHandled) {  // S8
  EXPECT_EQ(end_of_wait(holder::ending::handle), delivery::handled);
}

TEST(ReceiptWait, ReturnsWhenItIsDiscarded) {  // S8
  EXPECT_EQ(end_of_wait(holder::ending::leave), delivery::discarded);
}

TEST(ReceiptWait, ReturnsForAllWaitersWhenItIsWithdrawn) {  // S8, S9
  holder target;
  const receipt sent = target.send(1);
  witness first;
  witness second;
  const auto wait_at = [&sent](witness& where) {
    return [&where, &sent] {
      where.here();
      return sent.wait();
    };
  };
  thread one(wait_at(first));
  thread two(wait_at(second));
  first.await_asleep();
  second.await_asleep();
  EXPECT_TRUE(sent.withdraw());
  EXPECT_EQ(one.wait(), delivery::withdrawn);
  EXPECT_EQ(two.wait(), delivery::withdrawn);
  target.end(holder::ending::leave);
}

TEST(ReceiptWait, IsInterruptedAndCanBeRepeated) {  // O1, O6
  holder target;
  const receipt sent = target.send(1);
  witness where;
  witness again;
  thread waiter([&] {
    where.here();
    const std::string raised = raised_by([&] { sent.wait(); });
    EXPECT_EQ(sent.state(), delivery::pending);
    again.here();
    return raised + (sent.wait() == delivery::raised ? ", raised" : ", lost");
  });
  where.await_asleep();
  waiter.interrupt(7);
  again.await_asleep();
  target.end(holder::ending::raise);
  EXPECT_EQ(waiter.wait(), "7, raised");
}

TEST(ReceiptWait, RaisesWhatIsPendingOnEntryAlsoIfItCouldReturn) {  // O1
  const enrollment self;
  const receipt sent = to_self(1);
  sent.withdraw();
  to_self(2);
  EXPECT_EQ(raised_by([&] { sent.wait(); }), "2");
  EXPECT_EQ(sent.wait(), delivery::withdrawn);
}

TEST(ReceiptWait, DeliversWhatItWaitsForOnItsOwnThread) {
  const enrollment self;
  const receipt raised = to_self(1);
  EXPECT_EQ(raised_by([&] { raised.wait(); }), "1");
  EXPECT_EQ(raised.state(), delivery::raised);
  const auto handler = attach<int>([](int) {});
  EXPECT_EQ(to_self(2).wait(), delivery::handled);
}

TEST(ReceiptWait, StaysInsideABlockWhateverArrives) {  // M1, S9
  witness where;
  const receipt* own = nullptr;
  std::binary_semaphore is_sent(0);
  thread waiter({.name = "blocked", .start_blocked = true}, [&] {
    is_sent.acquire();
    where.here();
    return own->wait();
  });
  const receipt sent = waiter.interrupt(1);
  own = &sent;
  is_sent.release();
  where.await_asleep();
  const receipt more = waiter.interrupt(2);
  where.await_asleep();
  EXPECT_EQ(more.state(), delivery::pending);
  EXPECT_TRUE(sent.withdraw());
  EXPECT_EQ(waiter.wait(), delivery::withdrawn);
  EXPECT_EQ(more.state(), delivery::discarded);
}

TEST(ReceiptWait, ForATimeSaysPendingWhenTheTimeIsOver) {
  holder target;
  const receipt sent = target.send(1);
  EXPECT_EQ(sent.wait_for(1ms), delivery::pending);
  EXPECT_EQ(sent.wait_for(0s), delivery::pending);
  EXPECT_EQ(sent.wait_for(-1h), delivery::pending);
  target.end(holder::ending::raise);
  EXPECT_EQ(sent.wait_for(0s), delivery::raised);
  EXPECT_EQ(sent.wait_for(-1h), delivery::raised);
}

TEST(ReceiptWait, ForATimeTakesTheLongestDurationForEver) {
  holder target;
  const receipt sent = target.send(1);
  witness where;
  witness in_doubles;
  thread waiter([&] {
    where.here();
    return sent.wait_for(std::chrono::hours::max());
  });
  thread other([&] {
    in_doubles.here();
    return sent.wait_for(std::chrono::duration<double>::max());
  });
  where.await_asleep();
  in_doubles.await_asleep();
  target.end(holder::ending::raise);
  EXPECT_EQ(waiter.wait(), delivery::raised);
  EXPECT_EQ(other.wait(), delivery::raised);
}

TEST(ReceiptWait, ForATimeIsInterrupted) {  // O1
  const long_wait wait;
  witness where;
  thread waiter([&] {
    where.here();
    return raised_by([&] { static_cast<void>(wait.sent().wait_for(24h)); });
  });
  where.await_asleep();
  waiter.interrupt(1);
  EXPECT_EQ(waiter.wait(), "1");
}

TEST(ReceiptWait, OnAThreadThatIsNoTargetWorksAsWell) {
  holder target;
  const receipt sent = target.send(1);
  witness where;
  delivery end = delivery::pending;
  std::jthread waiter([&] {
    where.here();
    end = sent.wait();
  });
  where.await_asleep();
  target.end(holder::ending::raise);
  waiter.join();
  EXPECT_EQ(end, delivery::raised);
}

// O2 as far as it can be seen from outside: an interrupt sent at any moment around the start of a
// wait ends it. 2,000 rounds.
TEST(ReceiptWait, LeavesNoMomentAtWhichAnInterruptIsLost) {
  const long_wait wait;
  for (int round = 0; round < 2000; ++round) {
    std::latch start(2);
    thread waiter([&] {
      start.arrive_and_wait();
      return raised_by([&] { wait.wait(); });
    });
    start.arrive_and_wait();
    spin(round % 64);
    waiter.interrupt(round);
    ASSERT_EQ(waiter.wait(), std::to_string(round));
  }
}

}  // namespace
}  // namespace sigexc::test
