// What holds for every operation of sigexc::posix: a result or an interrupt, never both, and never
// a lost result. The operations are rows of a table (posix_table.hpp).
#include <sigexc/posix.hpp>
#include <sigexc/sigexc.hpp>

#include "support/interrupts.hpp"
#include "support/order.hpp"
#include "support/watchdog.hpp"
#include "wait/posix_scenes.hpp"

#include <gtest/gtest.h>

#include <signal.h>

#include <cerrno>
#include <functional>
#include <ostream>

namespace sigexc::test {

std::ostream& operator<<(std::ostream& to, const row& one) { return to << one.name; }

namespace {

// For the scene of sigtimedwait, before there is any thread.
const bool is_usr2_blocked = [] {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGUSR2);
  return pthread_sigmask(SIG_BLOCK, &set, nullptr) == 0;
}();

void interrupt_system_calls() {
  struct sigaction action {};
  action.sa_handler = [](int) {};  // without SA_RESTART
  ::sigaction(SIGUSR1, &action, nullptr);
}

class Operation : public testing::TestWithParam<row> {
 protected:
  [[nodiscard]] bool waits() const { return GetParam().waits != waiting::never; }
  // The call has not been made, and now it is.
  void expect_untouched_and_complete() const {
    scene_.check_untouched();
    if (!is_fed_) scene_.feed();
    scene_.check(scene_.call());
  }
  void feed() {
    scene_.feed();
    is_fed_ = true;
  }

  void expect_undisturbed(const std::function<long(const std::function<long()>&)>& place);

  const scene scene_ = GetParam().make();
  bool is_fed_ = false;
};

// O1, O2
TEST_P(Operation, IsEndedByAnInterruptWhileItWaits) {
  if (!waits()) GTEST_SKIP() << "cannot be made to wait";
  witness caller_waits;
  thread caller([&] {
    caller_waits.here();
    EXPECT_THROW(scene_.call(), int);
    expect_untouched_and_complete();
  });
  caller_waits.await_asleep();
  caller.interrupt(1);
  caller.wait();
}

// O1
TEST_P(Operation, EnteredWithAnInterruptPendingRaisesAndDoesNothing) {
  feed();
  enrollment here;
  to_self(1);
  EXPECT_THROW(scene_.call(), int);
  expect_untouched_and_complete();
}

// O3, M6
TEST_P(Operation, InABlockReturnsItsResultAndLeavesTheInterruptForTheNextSafePoint) {
  feed();
  enrollment here;
  blocked([&] {
    to_self(1);
    expect_untouched_and_complete();
    EXPECT_TRUE(interrupt_pending());
    return 0;
  });
  EXPECT_EQ(raised_here(), "1");
}

// O3
TEST_P(Operation, LeavesWhatComesAfterItsResultForTheNextSafePoint) {
  feed();
  enrollment here;
  const long result = scene_.call();
  to_self(1);
  scene_.check(result);
  EXPECT_EQ(raised_here(), "1");
}

// O4, D3: neither a callback nor a signal of somebody else's ends the wait.
TEST_P(Operation, GoesOnWaitingAfterACallbackAndAfterASignal) {
  if (GetParam().waits != waiting::until_fed) GTEST_SKIP() << "no wait, or one ended by the clock";
  interrupt_system_calls();
  witness caller_waits;
  thread caller([&] {
    const auto handling = attach<int>([](int) {});
    caller_waits.here();
    return scene_.call();
  });
  for (int i = 0; i < 3; ++i) {
    caller_waits.await_asleep();
    EXPECT_EQ(caller.interrupt(1).wait(), delivery::handled);
    caller_waits.await_asleep();
    ::tgkill(::getpid(), caller_waits.tid(), SIGUSR1);
  }
  caller_waits.await_asleep();
  feed();
  scene_.check(caller.wait());
}

// Waits in `place(call)`, where nothing may be raised, and is interrupted there: the wait goes on.
void Operation::expect_undisturbed(const std::function<long(const std::function<long()>&)>& place) {
  if (GetParam().waits != waiting::until_fed) GTEST_SKIP() << "no wait, or one ended by the clock";
  witness caller_waits;
  thread caller([&] {
    const long result = place([&] {
      caller_waits.here();
      return scene_.call();
    });
    EXPECT_EQ(raised_here(), "group(1, 2)");
    return result;
  });
  caller_waits.await_asleep();
  caller.interrupt(1);
  caller.interrupt(2);
  caller_waits.await_asleep();
  feed();
  scene_.check(caller.wait());
}

// O3, S4
TEST_P(Operation, InABlockGoesOnWaitingWhenInterrupted) {
  expect_undisturbed([](const auto& call) { return blocked(call); });
}

// R3
TEST_P(Operation, DuringUnwindingGoesOnWaitingWhenInterrupted) {
  expect_undisturbed([](const auto& call) {
    struct calls_in_destructor {
      const std::function<long()>& call;
      long& result;
      ~calls_in_destructor() { result = call(); }
    };
    long result = -1;
    try {
      const calls_in_destructor caller{call, result};
      throw 'x';
    } catch (char) {
    }
    return result;
  });
}

// O7, and O1: an interrupt comes before an error.
TEST_P(Operation, PassesErrorsThrough) {
  enrollment here;
  errno = 0;
  EXPECT_EQ(GetParam().fail(), -1);
  EXPECT_EQ(errno, GetParam().error);
  to_self(1);
  EXPECT_THROW(GetParam().fail(), int);
}

// M6
TEST_P(Operation, OnBlockingReturnsWhatItHasWithoutWaiting) {
  feed();
  enrollment here;
  try {
    const mask_scope only_waits(policy::on_blocking);
    to_self(1);
    safe_point();
    expect_untouched_and_complete();
    EXPECT_TRUE(interrupt_pending());
  } catch (int) {
    return;  // leaving the scope is a safe point
  }
  FAIL() << "nothing was raised";
}

// M6
TEST_P(Operation, OnBlockingIsInterruptedIfItHasToWait) {
  if (!waits()) GTEST_SKIP() << "does not";
  enrollment here;
  const mask_scope only_waits(policy::on_blocking);
  to_self(1);
  safe_point();
  EXPECT_THROW(scene_.call(), int);
  expect_untouched_and_complete();
}

// M6: the same for what comes when it waits already.
TEST_P(Operation, OnBlockingIsEndedWhileItWaits) {
  if (!waits()) GTEST_SKIP() << "does not";
  witness caller_waits;
  thread caller([&] {
    const mask_scope only_waits(policy::on_blocking);
    caller_waits.here();
    EXPECT_THROW(scene_.call(), int);
    expect_untouched_and_complete();
  });
  caller_waits.await_asleep();
  caller.interrupt(1);
  caller.wait();
}

std::vector<row> all_rows() {
  std::vector<row> all;
  for (const auto& some : {file_rows(), socket_rows(), poll_rows(), process_rows()})
    all.insert(all.end(), some.begin(), some.end());
  return all;
}

INSTANTIATE_TEST_SUITE_P(Posix, Operation, testing::ValuesIn(all_rows()),
                         [](const auto& test) { return std::string(test.param.name); });

}  // namespace
}  // namespace sigexc::test
