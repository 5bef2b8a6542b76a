// Computations and the process: fork(), diagnosis, the list of targets.
#include <gtest/gtest.h>
#include <sigexc/resumable.hpp>
#include <sigexc/sigexc.hpp>

#include <string>
#include <thread>

#include "support/child.hpp"
#include "support/interrupts.hpp"
#include "support/order.hpp"
#include "support/watchdog.hpp"

namespace sigexc::test {
namespace {

[[gnu::noinline]] void pause_once() {
  to_self(pause_request());
  safe_point();
}

// In a child ThreadSanitizer knows no more what came before what in a fiber.
#if defined(__SANITIZE_THREAD__)
#define SIGEXC_TEST_RESUMES_IN_CHILDREN() GTEST_SKIP() << "the sanitizer loses the order in a child"
#else
#define SIGEXC_TEST_RESUMES_IN_CHILDREN() static_cast<void>(0)
#endif

TEST(ComputationAndProcess, GoesOnInAChildFromWhereItHadPaused) {  // X1
  SIGEXC_TEST_RESUMES_IN_CHILDREN();
  std::string got;
  resumable work([&] {
    got += raised_by(pause_once);
    got += raised_by(pause_once);
  });
  ASSERT_EQ(work.resume(), progress::paused);
  const receipt sent = work.get_target().interrupt(7);
  EXPECT_EQ(in_child([&] {
              const auto first = work.resume();
              work.get_target().interrupt(8);
              const auto second = work.resume();
              return got +
                     (first == progress::paused && second == progress::finished ? " yes" : "");
            }),
            "nothing8 yes");
  // In the parent it is as it was.
  EXPECT_EQ(sent.state(), delivery::pending);
  EXPECT_EQ(work.resume(), progress::paused);
  EXPECT_EQ(work.resume(), progress::finished);
  EXPECT_EQ(got, "7nothing");
}

TEST(ComputationAndProcess, UnwindsInAChildToo) {  // X1
  SIGEXC_TEST_RESUMES_IN_CHILDREN();
  std::string said;
  struct noting {
    std::string& what;
    ~noting() { what += "unwound"; }
  };
  auto work = std::make_unique<resumable<void>>([&] {
    const noting end{said};
    pause_once();
    for (;;) safe_point();
  });
  ASSERT_EQ(work->resume(), progress::paused);
  EXPECT_EQ(in_child([&] {
              work.reset();
              return said;
            }),
            "unwound");
}

TEST(ComputationAndProcess, ForksItself) {  // X1
  const enrollment here;
  resumable work([self = here.get_target()] {
    return in_child([&] {
      const std::string own = raised_by([] {
        to_self(1);
        safe_point();
      });
      return own + (self.finished() ? "" : " resumer there");
    });
  });
  EXPECT_EQ(work.resume(), progress::finished);
  EXPECT_EQ(work.result(), "1 resumer there");
}

TEST(ComputationAndProcess, ThatAnotherThreadRanIsLeftInTheParent) {  // X1
  std::atomic<bool> is_over = false;
  witness at;
  auto work = std::make_unique<resumable<void>>([&] {
    at.here();
    while (!is_over) safe_point();
  });
  std::jthread runner([&] { work->resume(); });
  static_cast<void>(at.tid());
  EXPECT_NE(in_child([&] {
              const std::string said = raised_by([&] { work->resume(); });
              work.reset();
              return said;
            }).find("did not come along"),
            std::string::npos);
  is_over = true;
}

TEST(ComputationAndProcess, IsDiagnosedWherePausedAndWhereItRuns) {
  resumable paused([] { pause_once(); });
  paused.resume();
  paused.get_target().interrupt(7);
  const report at_rest = diagnose(paused.get_target());
  EXPECT_EQ(at_rest.why, hold::not_running);
  EXPECT_NE(at_rest.reason.find("the computation is paused"), std::string::npos) << at_rest.reason;

  const long_wait wait;
  std::optional<target> runner;
  witness at;
  resumable work([&] {
    const block_scope<int> quiet;
    at.here();
    wait.wait();
  });
  std::jthread other([&] {
    const enrollment here("the runner");
    const block_scope<int> quiet;
    runner = here.get_target();
    try {
      work.resume();
    } catch (int) {
    }
  });
  at.await_asleep();
  work.get_target().interrupt(7);
  at.await_asleep();  // again: it was woken
  const report of_work = diagnose(work.get_target());
  EXPECT_EQ(of_work.why, hold::blocked_by_scope) << of_work.reason;
  EXPECT_GT(of_work.stack.addresses().size(), 2U);
  runner->interrupt(8);
  at.await_asleep();
  const report of_runner = diagnose(*runner);
  EXPECT_NE(of_runner.reason.find("runs " + work.get_target().name()), std::string::npos)
      << of_runner.reason;
  wait.end();
}

TEST(ComputationAndProcess, HasABacktraceThatEnds) {
  resumable work([] { return backtrace::current().addresses().size(); });
  work.resume();
  EXPECT_GT(work.result(), 2U);
  EXPECT_LT(work.result(), 40U);
}

TEST(ComputationAndProcess, IsExploredInsideAndOutside) {
  // Inside: where it pauses is a point before the pause and after it.
  resumable work([] {
    const exploration found = explore([] {
      safe_point();
      pause_once();
    });
    return found.points;
  });
  while (work.resume() != progress::finished) {
  }
  EXPECT_EQ(work.result(), 3U);
  // Outside: a computation is a point where it is resumed, and not inside.
  const exploration found = explore([] {
    resumable inner([] {
      for (int i = 0; i < 10; ++i) safe_point();
    });
    inner.resume();
  });
  EXPECT_TRUE(found.is_complete) << found.to_string();
}

}  // namespace
}  // namespace sigexc::test
