// Interrupts made ahead of time, and fired from anywhere: here mostly from real signal handlers.
#include <gtest/gtest.h>
#include <signal.h>

#include <atomic>
#include <cerrno>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "support/interrupts.hpp"
#include "support/order.hpp"

namespace sigexc::test {
namespace {

// What the handler of SIGUSR1 fires. Set before the signal is raised or sent.
std::atomic<prepared_interrupt*> fired_by_handler{nullptr};
std::atomic<int> errno_after_fire{0};

extern "C" void fire_prepared(int /*number*/) {
  const int before = errno;
  errno = EXDEV;
  fired_by_handler.load()->fire();
  errno_after_fire = errno;
  errno = before;
}

// Handles SIGUSR1 by firing `prepared`, while it lives.
class firing_handler {
 public:
  explicit firing_handler(prepared_interrupt& prepared, int flags = 0) {
    fired_by_handler = &prepared;
    errno_after_fire = 0;
    struct sigaction action {};
    action.sa_handler = fire_prepared;
    action.sa_flags = flags;
    sigaction(SIGUSR1, &action, &before_);
  }
  firing_handler(const firing_handler&) = delete;
  firing_handler& operator=(const firing_handler&) = delete;
  ~firing_handler() { sigaction(SIGUSR1, &before_, nullptr); }

 private:
  struct sigaction before_ {};
};

TEST(PreparedInterrupt, IsDeliveredOnceHoweverOftenItWasFiredBefore) {  // S10
  const enrollment self;
  prepared_interrupt prepared(self.get_target(), 1);
  EXPECT_FALSE(interrupt_pending());
  prepared.fire();
  prepared.fire();
  prepared.fire();
  EXPECT_EQ(self.get_target().pending(), 1U);
  EXPECT_EQ(raised_here(), "1");
  EXPECT_EQ(raised_here(), "nothing");
}

TEST(PreparedInterrupt, FiredAgainAfterDeliveryIsDeliveredAgain) {  // S10
  const enrollment self;
  prepared_interrupt prepared(self.get_target(), std::string("again"));
  for (int round = 0; round < 3; ++round) {
    prepared.fire();
    ASSERT_EQ(raised_here(), "again");
    ASSERT_EQ(raised_here(), "nothing");
  }
}

TEST(PreparedInterrupt, TakesItsPlaceInTheOrderOfArrival) {  // S5, S10
  const enrollment self;
  prepared_interrupt prepared(self.get_target(), 2);
  to_self(1);
  prepared.fire();
  to_self(3);
  prepared.fire();  // is pending already
  EXPECT_EQ(raised_here(), "group(1, 2, 3)");
}

TEST(PreparedInterrupt, FiredAgainByItsCallbackIsNotOvertaken) {  // S5, S10
  const enrollment self;
  prepared_interrupt prepared(self.get_target(), 1);
  std::string order;
  const auto other = attach<std::string>([&](const std::string& text) { order += text + " "; });
  const auto handler = attach<int>([&](int) {
    order += "fired ";
    if (order != "fired ") return;
    prepared.fire();
    to_self(std::string("later"));
  });
  prepared.fire();
  safe_point();
  EXPECT_EQ(order, "fired fired later ");
}

TEST(PreparedInterrupt, HeldByAScopeIsStillPending) {  // S10, M1
  const enrollment self;
  prepared_interrupt prepared(self.get_target(), 1);
  EXPECT_EQ(raised_by([&] {
              const block_scope quiet;
              prepared.fire();
              EXPECT_EQ(raised_here(), "nothing");
              prepared.fire();
              EXPECT_EQ(self.get_target().pending(), 1U);
            }),
            "1");
  EXPECT_EQ(raised_here(), "nothing");
}

TEST(PreparedInterrupt, HandledByACallbackCanBeFiredAgain) {  // S10, D3
  const enrollment self;
  prepared_interrupt prepared(self.get_target(), 1);
  int handled = 0;
  const auto handler = attach<int>([&](int) { ++handled; });
  prepared.fire();
  safe_point();
  prepared.fire();
  safe_point();
  EXPECT_EQ(handled, 2);
}

TEST(PreparedInterrupt, OutlivedByWhatItFired) {  // S8
  const enrollment self;
  {
    prepared_interrupt prepared(self.get_target(), 1);
    prepared.fire();
  }
  EXPECT_EQ(raised_here(), "1");
}

TEST(PreparedInterrupt, CanBeMoved) {
  const enrollment self;
  prepared_interrupt first(self.get_target(), 1);
  first.fire();
  prepared_interrupt moved(std::move(first));
  moved.fire();
  EXPECT_EQ(raised_here(), "1");
  prepared_interrupt assigned(self.get_target(), 2);
  assigned = std::move(moved);
  assigned.fire();
  EXPECT_EQ(raised_here(), "1");
}

TEST(PreparedInterrupt, ToAFinishedTargetHasNoEffect) {  // S6
  auto old = std::make_unique<enrollment>();
  prepared_interrupt prepared(old->get_target(), 1);
  prepared.fire();
  old.reset();
  prepared.fire();
  const enrollment fresh;
  prepared.fire();
  EXPECT_EQ(raised_here(), "nothing");
}

TEST(PreparedInterrupt, RaisesTheVeryExceptionItWasMadeFrom) {  // D2
  const enrollment self;
  const auto exception = std::make_exception_ptr(std::out_of_range("far"));
  prepared_interrupt prepared(self.get_target(), exception);
  prepared.fire();
  EXPECT_THROW(safe_point(), std::out_of_range);
}

TEST(PreparedInterrupt, FiredInASignalHandlerIsRaisedAtASafePointAndKeepsErrno) {  // S10
  const enrollment self;
  prepared_interrupt prepared(self.get_target(), 1);
  const firing_handler handler(prepared);
  EXPECT_EQ(raise(SIGUSR1), 0);  // the handler is left as any other
  EXPECT_EQ(errno_after_fire, EXDEV);
  EXPECT_EQ(raised_here(), "1");
}

TEST(PreparedInterrupt, FiredInAHandlerKeepsErrnoWhenTheTargetHasEnded) {  // S10, S6
  auto old = std::make_unique<enrollment>();
  prepared_interrupt prepared(old->get_target(), 1);
  old.reset();
  const firing_handler handler(prepared);
  EXPECT_EQ(raise(SIGUSR1), 0);
  EXPECT_EQ(errno_after_fire, EXDEV);
}

TEST(PreparedInterrupt, FiredInAHandlerOfAThreadThatIsNoTargetWakesItsTarget) {  // S10
  const long_wait wait;
  witness where;
  thread sleeper([&] {
    where.here();
    return raised_by([&] { wait.wait(); });
  });
  prepared_interrupt prepared(sleeper.get_target(), 1);
  const firing_handler handler(prepared);
  where.await_asleep();
  EXPECT_EQ(raise(SIGUSR1), 0);
  EXPECT_EQ(sleeper.wait(), "1");
}

// What is raised in a thread on top of whose wait a handler fires.
std::string raised_below_handler(int flags) {
  const long_wait wait;
  witness where;
  pthread_t handle{};
  thread sleeper([&] {
    handle = pthread_self();
    where.here();
    return raised_by([&] { wait.wait(); });
  });
  prepared_interrupt prepared(sleeper.get_target(), 1);
  const firing_handler handler(prepared, flags);
  where.await_asleep();
  EXPECT_EQ(pthread_kill(handle, SIGUSR1), 0);
  return sleeper.wait();
}

TEST(PreparedInterrupt, FiredOnTopOfTheWaitItselfEndsIt) {  // S10, O2
  EXPECT_EQ(raised_below_handler(0), "1");
}

TEST(PreparedInterrupt, FiredOnTopOfTheWaitItselfEndsItThoughTheKernelRestartsIt) {  // S10, O2
#if defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "ThreadSanitizer holds the handler back until the system call has returned";
#endif
  EXPECT_EQ(raised_below_handler(SA_RESTART), "1");
}

// S10: it neither allocates nor locks, so it may interrupt a thread anywhere, in the middle of
// malloc, of sending and of delivery too. 20,000 signals.
TEST(PreparedInterrupt, CanBeFiredInTheMiddleOfAllocatingSendingAndDelivering) {
  constexpr int signals = 20000;
  std::atomic<bool> is_over = false;
  std::atomic<bool> is_ready = false;
  pthread_t handle{};
  thread busy([&] {
    handle = pthread_self();
    is_ready = true;
    int fired = 0;
    for (bool last = false; !last;) {
      last = is_over;
      const std::vector<std::string> some(3, std::string(100, 'x'));
      to_self(std::string("two"));
      try {
        safe_point();
      } catch (...) {
        handle_each([&](int) { ++fired; }, [](const std::string&) {});
      }
    }
    return fired;
  });
  prepared_interrupt prepared(busy.get_target(), 1);
  const firing_handler handler(prepared);
  await([&] { return is_ready.load(); });
  for (int i = 0; i < signals; ++i) pthread_kill(handle, SIGUSR1);
  const receipt last = busy.interrupt(std::string("two"));
  EXPECT_EQ(last.wait(), delivery::raised);
  is_over = true;
  const int fired = busy.wait();
  EXPECT_GE(fired, 1);
  EXPECT_LE(fired, signals);
}

// S10: fired by many at once it is still delivered once, each time. 1,000 rounds of 4.
TEST(PreparedInterrupt, FiredByManyAtOnceIsDeliveredOnce) {
  const enrollment self;
  prepared_interrupt prepared(self.get_target(), 1);
  for (int round = 0; round < 1000; ++round) {
    {
      std::jthread one([&] { prepared.fire(); });
      std::jthread two([&] { prepared.fire(); });
      prepared.fire();
    }
    ASSERT_EQ(raised_here(), "1");
    ASSERT_EQ(raised_here(), "nothing");
  }
}

}  // namespace
}  // namespace sigexc::test
