// Where a computation pauses, and what governs it.
#include <gtest/gtest.h>
#include <sigexc/resumable.hpp>
#include <sigexc/sigexc.hpp>

#include <chrono>
#include <csignal>
#include <optional>
#include <semaphore>
#include <stdexcept>
#include <string>
#include <thread>

#include "support/interrupts.hpp"
#include "support/order.hpp"
#include "support/watchdog.hpp"

namespace sigexc::test {
namespace {

using namespace std::chrono_literals;

void sleep_in_the_kernel() {
  const timespec hour{3600, 0};
  posix::nanosleep(&hour, nullptr);
}

[[gnu::noinline]] void run_for_ever(witness& at) {
  at.here();
  for (;;) safe_point();
}

TEST(Pause, IsHeldByAScopeForItAndComesAtItsEnd) {  // C1, M1, M4
  int stage = 0;
  resumable<void>* self = nullptr;
  resumable work([&] {
    {
      const block_scope<pause_request> quiet;
      self->pause();
      safe_point();
      stage = 1;
    }
    stage = 2;
  });
  self = &work;
  EXPECT_EQ(work.resume(), progress::paused);
  EXPECT_EQ(stage, 1);
  EXPECT_EQ(work.resume(), progress::finished);
  EXPECT_EQ(stage, 2);
}

TEST(Pause, TakesPlaceInNoexceptFunctionsAndDestructors) {  // C1; R2 does not matter to it
  struct pausing {
    resumable<void>*& self;
    int& stage;
    ~pausing() {
      self->pause();
      safe_point();
      ++stage;
    }
  };
  int stage = 0;
  resumable<void>* self = nullptr;
  resumable work([&] {
    const pausing one{self, stage};
    try {
      const pausing two{self, stage};
      throw 7;
    } catch (int) {
      ++stage;
    }
  });
  self = &work;
  EXPECT_EQ(work.resume(), progress::paused);  // while the stack is unwound
  EXPECT_EQ(std::uncaught_exceptions(), 0);
  EXPECT_EQ(stage, 0);
  EXPECT_EQ(work.resume(), progress::paused);
  EXPECT_EQ(stage, 2);
  EXPECT_EQ(work.resume(), progress::finished);
  EXPECT_EQ(stage, 3);
}

TEST(Pause, IsOneHoweverOftenItWasAskedFor) {  // C1
  int passed = 0;
  resumable work([&] {
    safe_point();
    for (int i = 0; i < 10; ++i) {
      safe_point();
      ++passed;
    }
  });
  for (int i = 0; i < 5; ++i) work.pause();
  work.get_target().interrupt(pause_request());  // this one is another
  EXPECT_EQ(work.resume(), progress::paused);
  EXPECT_EQ(passed, 0);
  EXPECT_EQ(work.resume(), progress::paused);
  EXPECT_EQ(passed, 0);  // the next safe point
  EXPECT_EQ(work.resume(), progress::finished);
  EXPECT_EQ(passed, 10);
}

TEST(Pause, KeepsTheOrderOfArrival) {  // C1, S5
  std::string got;
  resumable work([&] {
    got += raised_here() + " ";
    got += raised_here() + " ";
    got += raised_here();
  });
  const target to = work.get_target();
  to.interrupt(1);
  to.interrupt(pause_request());
  to.interrupt(2);
  EXPECT_EQ(work.resume(), progress::paused);
  EXPECT_EQ(got, "1 ");
  EXPECT_EQ(work.resume(), progress::finished);
  EXPECT_EQ(got, "1 2 nothing");
}

TEST(Pause, CanBeSentAheadOfTimeAndTakenBack) {  // C1
  resumable work([] { safe_point(); });
  prepared_interrupt again(work.get_target(), pause_request());
  const receipt sent = work.get_target().interrupt(pause_request());
  EXPECT_TRUE(sent.withdraw());
  again.fire();
  again.fire();
  EXPECT_EQ(work.resume(), progress::paused);
  EXPECT_EQ(work.resume(), progress::finished);
}

TEST(Pause, IsGivenToACallbackFirst) {  // C1, D3
  int called = 0;
  resumable work([&] {
    const auto kept = attach<pause_request>([&](const pause_request&) { ++called; });
    safe_point();
  });
  const receipt sent = work.get_target().interrupt(pause_request());
  EXPECT_EQ(work.resume(), progress::finished);
  EXPECT_EQ(called, 1);
  EXPECT_EQ(sent.state(), delivery::handled);
}

TEST(Pause, OfAThreadIsAnErrorAtOnce) {  // C1
  const enrollment here;
  const target self = here.get_target();
  EXPECT_THROW((void)self.interrupt(pause_request()), std::logic_error);
  EXPECT_THROW(prepared_interrupt(self, pause_request()), std::logic_error);
  EXPECT_EQ(raised_here(), "nothing");
}

TEST(Pause, EndsAWaitWithoutEffectWhichThenGoesOn) {  // C1, O3
  counting_semaphore units(0);
  witness waiting;
  resumable work([&] {
    waiting.here();
    units.acquire();
  });
  std::jthread asking([&] {
    waiting.await_asleep();
    work.pause();
  });
  EXPECT_EQ(work.resume(), progress::paused);
  units.release();
  EXPECT_EQ(work.resume(), progress::finished);
}

TEST(Pause, EndsASystemCallWithoutEffectWhichThenGoesOnOnAnotherThread) {  // C1, O3
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  witness waiting;
  resumable work([&] {
    char got = 0;
    waiting.here();
    posix::read(ends[0], &got, 1);
    return got;
  });
  std::jthread asking([&] {
    waiting.await_asleep();
    work.pause();
  });
  EXPECT_EQ(work.resume(), progress::paused);
  EXPECT_EQ(::write(ends[1], "x", 1), 1);
  auto become = progress::paused;
  std::thread([&] { become = work.resume(); }).join();
  EXPECT_EQ(become, progress::finished);
  EXPECT_EQ(work.result(), 'x');
  ::close(ends[0]);
  ::close(ends[1]);
}

TEST(Pause, OfAConditionWaitLosesNoNotification) {  // C1, O5
  mutex m;
  condition_variable changed;
  bool is_ready = false;
  witness waiting;
  resumable work([&] {
    std::unique_lock lock(m);
    waiting.here();
    changed.wait(lock, [&] { return is_ready; });
    return is_ready;
  });
  std::jthread asking([&] {
    waiting.await_asleep();
    work.pause();
  });
  EXPECT_EQ(work.resume(), progress::paused);
  // The lock is kept: so says the documentation.
  is_ready = true;
  changed.notify_one();
  auto become = progress::paused;
  std::thread([&] { become = work.resume(); }).join();
  EXPECT_EQ(become, progress::finished);
  EXPECT_TRUE(work.result());
}

TEST(Pause, LetsTimeGoOn) {  // C1
  resumable<bool>* self = nullptr;
  resumable<bool> work([&] {
    return timeout(500ms, [&] {
      self->pause();
      safe_point();
      safe_point();  // by now it is late, unless time stood still
    });
  });
  self = &work;
  EXPECT_EQ(work.resume(), progress::paused);
  std::this_thread::sleep_for(600ms);  // the time is what is tested
  auto become = progress::paused;
  std::thread([&] { become = work.resume(); }).join();
  EXPECT_EQ(become, progress::finished);
  EXPECT_FALSE(work.result());
}

TEST(Pause, LeavesTimeThatWatchesTheDeadlineFromAnotherThread) {  // C1
  witness at;
  resumable<bool> work([&] { return timeout(20ms, [&] { run_for_ever(at); }); });
  EXPECT_EQ(work.resume(), progress::finished);
  EXPECT_FALSE(work.result());
}

TEST(Pause, CallsForeignCodeOffAndComesBehindIt) {  // C1
  std::binary_semaphore woken(0);
  witness waiting;
  int stage = 0;
  resumable work([&] {
    with_wake([&] { woken.release(); },
              [&] {
                waiting.here();
                woken.acquire();
                safe_point();  // not inside
                stage = 1;
              });
    stage = 2;
  });
  std::jthread asking([&] {
    waiting.await_asleep();
    work.pause();
  });
  EXPECT_EQ(work.resume(), progress::paused);
  EXPECT_EQ(stage, 1);
  EXPECT_EQ(work.resume(), progress::finished);
  EXPECT_EQ(stage, 2);
}

TEST(Pause, EndsAWaitOnAThreadThatBlocksAllSignals) {  // C1, M2
  witness waiting;
  resumable work([&] {
    waiting.here();
    sleep_in_the_kernel();
  });
  std::thread runner([&] {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, nullptr);
    EXPECT_EQ(work.resume(), progress::paused);
  });
  waiting.await_asleep();
  work.pause();
  runner.join();
}

}  // namespace
}  // namespace sigexc::test
