// Interrupts to who has resumed a computation, and computations that resume others.
#include <gtest/gtest.h>
#include <sigexc/resumable.hpp>
#include <sigexc/sigexc.hpp>

#include <chrono>
#include <stdexcept>
#include <string>
#include <thread>

#include "support/interrupts.hpp"
#include "support/order.hpp"
#include "support/watchdog.hpp"

namespace sigexc::test {
namespace {

using namespace std::chrono_literals;

[[gnu::noinline]] void run_until(const std::atomic<bool>& is_over, witness& at) {
  at.here();
  while (!is_over) safe_point();
}

TEST(Resumer, GetsItsInterruptOutOfResumeAndCanResumeAgain) {  // C2
  const enrollment here;
  std::atomic<bool> is_over = false;
  witness at;
  resumable work([&] { run_until(is_over, at); });
  std::jthread asking([&, self = here.get_target()] {
    static_cast<void>(at.tid());
    self.interrupt(7);
  });
  EXPECT_EQ(raised_by([&] { work.resume(); }), "7");
  is_over = true;
  EXPECT_EQ(work.resume(), progress::finished);
}

// The flag is one for both: the delivery that the callback is a part of must not lower it for good.
TEST(Resumer, GetsWhatComesWhileTheComputationHandlesItsOwn) {  // C2, D4
  const enrollment here;
  bool has_gone_on = false;
  resumable work([&, outside = here.get_target()] {
    const auto sending = attach<int>([&](int) { outside.interrupt(std::string("outside")); });
    to_self(1);
    safe_point();
    safe_point();
    has_gone_on = true;
  });
  EXPECT_EQ(raised_by([&] { work.resume(); }), "outside");
  EXPECT_FALSE(has_gone_on);
  EXPECT_EQ(work.resume(), progress::finished);
}

TEST(Resumer, GetsItWhileTheComputationWaits) {  // C2
  const enrollment here;
  witness at;
  counting_semaphore units(0);
  resumable work([&] {
    at.here();
    units.acquire();
  });
  std::jthread asking([&, self = here.get_target()] {
    at.await_asleep();
    self.interrupt(7);
  });
  EXPECT_EQ(raised_by([&] { work.resume(); }), "7");
  units.release();
  EXPECT_EQ(work.resume(), progress::finished);
}

TEST(Resumer, GetsItWhileTheComputationIsInASystemCall) {  // C2, O3
  const enrollment here;
  witness at;
  resumable work([&] {
    at.here();
    sleep_for(1h);
  });
  std::jthread asking([&, self = here.get_target()] {
    at.await_asleep();
    self.interrupt(7);
  });
  EXPECT_EQ(raised_by([&] { work.resume(); }), "7");
}

TEST(Resumer, IsNotInterruptedInItsBlock) {  // C2
  const enrollment here;
  std::string got;
  resumable work([&] { got = raised_here(); });
  {
    const block_scope quiet;
    here.get_target().interrupt(7);
    EXPECT_EQ(work.resume(), progress::finished);
    EXPECT_EQ(got, "nothing");
    EXPECT_EQ(here.get_target().pending(), 1U);
    EXPECT_EQ(raised_by([] { unblock_scope open; }), "7");
  }
}

TEST(Resumer, WaitsWhileTheComputationHasBlockedPauses) {  // C2
  const enrollment here;
  int stage = 0;
  resumable work([&, self = here.get_target()] {
    {
      const block_scope<pause_request> whole;
      self.interrupt(7);
      safe_point();
      stage = 1;
    }
    stage = 2;
  });
  EXPECT_EQ(raised_by([&] { work.resume(); }), "7");
  EXPECT_EQ(stage, 1);
  EXPECT_EQ(work.resume(), progress::finished);
  EXPECT_EQ(stage, 2);
}

TEST(Resumer, LetsTheComputationGoOnWhenACallbackHasHandledIt) {  // C2, D3
  const enrollment here;
  int handled = 0;
  const auto kept = attach<int>([&](int by) { handled += by; });
  resumable work([self = here.get_target()] {
    for (int i = 0; i < 3; ++i) {
      self.interrupt(7);
      safe_point();
    }
  });
  EXPECT_EQ(work.resume(), progress::finished);
  EXPECT_EQ(handled, 21);
}

TEST(Resumer, KeepsWhatWouldNotBeSurvivedThere) {  // C2, R2, R3
  const enrollment here;
  resumable work([self = here.get_target()] {
    self.interrupt(7);
    for (int i = 0; i < 100; ++i) safe_point();
  });
  [&]() noexcept { EXPECT_EQ(work.resume(), progress::finished); }();
  EXPECT_EQ(raised_here(), "7");
}

TEST(Resumer, MayHaveADeadlineForTheComputation) {  // C2, T1
  const enrollment here;
  witness at;
  std::atomic<bool> is_over = false;
  resumable work([&] { run_until(is_over, at); });
  EXPECT_FALSE(timeout(10ms, [&] { work.resume(); }));
  EXPECT_FALSE(timeout(10ms, [&] { work.resume(); }));
  is_over = true;
  EXPECT_EQ(work.resume(), progress::finished);
}

TEST(Resumer, OfSeveralPausesAllFromTheInsideOut) {  // C2
  const enrollment here;
  std::atomic<bool> is_over = false;
  witness at;
  auto inner_made = progress::paused;
  resumable inner([&] { run_until(is_over, at); });
  resumable outer([&] { inner_made = inner.resume(); });
  std::jthread asking([&, self = here.get_target()] {
    static_cast<void>(at.tid());
    self.interrupt(7);
  });
  EXPECT_EQ(raised_by([&] { outer.resume(); }), "7");
  is_over = true;
  EXPECT_EQ(outer.resume(), progress::finished);
  EXPECT_EQ(inner_made, progress::finished);
}

TEST(Resumer, ThatIsAComputationIsInterruptedItself) {  // C2
  std::atomic<bool> is_over = false;
  witness at;
  std::string got;
  resumable inner([&] { run_until(is_over, at); });
  resumable outer([&] { got = raised_by([&] { inner.resume(); }); });
  std::jthread asking([&] {
    static_cast<void>(at.tid());
    outer.get_target().interrupt(7);
  });
  EXPECT_EQ(outer.resume(), progress::finished);
  EXPECT_EQ(got, "7");
  is_over = true;
  EXPECT_EQ(inner.resume(), progress::finished);
}

TEST(Resumer, ThatIsAComputationPausesWithTheOneItRuns) {  // C2
  std::atomic<bool> is_over = false;
  witness at;
  resumable inner([&] { run_until(is_over, at); });
  resumable outer([&] { inner.resume(); });
  std::jthread asking([&] {
    static_cast<void>(at.tid());
    outer.pause();
  });
  EXPECT_EQ(outer.resume(), progress::paused);
  is_over = true;
  auto made = progress::paused;
  std::thread([&] { made = outer.resume(); }).join();
  EXPECT_EQ(made, progress::finished);
}

TEST(Resumer, MustBeOne) {  // C2
  std::atomic<bool> is_over = false;
  witness at;
  resumable work([&] { run_until(is_over, at); });
  std::jthread first([&] { work.resume(); });
  static_cast<void>(at.tid());
  EXPECT_THROW(work.resume(), std::logic_error);
  EXPECT_THROW((void)work.result(), std::logic_error);
  is_over = true;
  first.join();
  EXPECT_EQ(raised_by([&] { work.resume(); }), "sigexc: resumable: it has finished");
}

TEST(Resumer, IsNotTheComputationItself) {  // C2
  resumable<std::string>* self = nullptr;
  resumable<std::string> work([&] { return raised_by([&] { self->resume(); }); });
  self = &work;
  EXPECT_EQ(work.resume(), progress::finished);
  EXPECT_NE(work.result().find("cannot resume itself"), std::string::npos);
}

TEST(Resumer, MayBeTerminatedAndThenUnwindsTheComputationToo) {  // C2, C5
  bool is_unwound = false;
  struct noting {
    bool& what;
    ~noting() { what = true; }
  };
  witness at;
  std::atomic<bool> is_over = false;
  {
    thread runner([&] {
      resumable work([&] {
        const noting end{is_unwound};
        run_until(is_over, at);
      });
      work.resume();
    });
    static_cast<void>(at.tid());
    runner.terminate();
  }
  EXPECT_TRUE(is_unwound);
}

TEST(Resumer, SeesAComputationAmongTheTargetsAndNoEnrollmentInIt) {  // C3
  resumable work([] { return raised_by([] { const enrollment twice; }); });
  const auto all = targets();
  EXPECT_EQ(std::count(all.begin(), all.end(), work.get_target()), 1);
  EXPECT_EQ(work.resume(), progress::finished);
  EXPECT_NE(work.result().find("computation"), std::string::npos);
}

}  // namespace
}  // namespace sigexc::test
