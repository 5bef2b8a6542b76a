// The ends of computations: by their bodies, by exceptions, and by being destroyed.
#include <gtest/gtest.h>
#include <sigexc/resumable.hpp>
#include <sigexc/sigexc.hpp>

#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include "context/at_end.hpp"
#include "support/interrupts.hpp"
#include "support/order.hpp"
#include "support/watchdog.hpp"

namespace sigexc::test {
namespace {

TEST(Ending, OfOneThatNeverBeganDestroysItsBodyOnly) {  // C5
  const auto held = std::make_shared<int>(0);
  bool has_run = false;
  std::optional<target> was;
  {
    resumable work([held, &has_run] { has_run = true; });
    was = work.get_target();
    EXPECT_EQ(held.use_count(), 2);
    EXPECT_FALSE(was->finished());
  }
  EXPECT_EQ(held.use_count(), 1);
  EXPECT_FALSE(has_run);
  EXPECT_TRUE(was->finished());
  EXPECT_EQ(was->interrupt(1).state(), delivery::discarded);  // S6
}

TEST(Ending, ByATerminationBeforeItBeginsDoesNotRunIt) {  // S7
  bool has_run = false;
  resumable work([&] { has_run = true; });
  work.get_target().terminate();
  EXPECT_EQ(raised_by([&] { work.resume(); }), "terminated");
  EXPECT_FALSE(has_run);
}

TEST(Ending, RaisesTheTerminationAgainWhileItIsSwallowed) {  // C5, D5
  int destroyed = 0;
  int swallowed = 0;
  {
    resumable<void>* self = nullptr;
    resumable<void> work([&] {
      const at_end end{[&] { ++destroyed; }};
      self->pause();
      while (swallowed < 3) {
        try {
          safe_point();
        } catch (...) {
          ++swallowed;
        }
      }
      for (;;) safe_point();
    });
    self = &work;
    EXPECT_EQ(work.resume(), progress::paused);
  }
  EXPECT_EQ(swallowed, 3);
  EXPECT_EQ(destroyed, 1);
}

TEST(Ending, RunsOnToWhereTheTerminationCanBeRaised) {  // C5, R4, M4
  int destroyed = 0;
  int passed = 0;
  {
    resumable<void>* self = nullptr;
    resumable<void> work([&] {
      const at_end end{[&] { ++destroyed; }};
      [&]() noexcept {
        self->pause();
        for (int i = 0; i < 10; ++i) {
          safe_point();
          ++passed;
        }
      }();
      for (;;) safe_point();
    });
    self = &work;
    EXPECT_EQ(work.resume(), progress::paused);
    EXPECT_EQ(passed, 0);
  }
  EXPECT_EQ(passed, 10);
  EXPECT_EQ(destroyed, 1);
}

TEST(Ending, PausesNoMoreOnceItIsDestroyed) {  // C5
  int destroyed = 0;
  {
    resumable<void>* self = nullptr;
    resumable<void> work([&] {
      const at_end end{[&] { ++destroyed; }};
      for (;;) {
        self->pause();
        try {
          safe_point();
        } catch (...) {
          this_thread::get_target().interrupt(pause_request());
          { const block_scope quiet; }
          throw;
        }
      }
    });
    self = &work;
    EXPECT_EQ(work.resume(), progress::paused);
    EXPECT_EQ(work.resume(), progress::paused);
  }
  EXPECT_EQ(destroyed, 1);
}

TEST(Ending, UnwindsTheOnesThatItHasResumedItself) {  // C5
  int destroyed = 0;
  {
    resumable<void>* self = nullptr;
    resumable<void> outer([&] {
      const at_end end{[&] { ++destroyed; }};
      resumable<void>* inside = nullptr;
      resumable<void> inner([&] {
        const at_end inner_end{[&] { ++destroyed; }};
        self->pause();
        for (;;) safe_point();
      });
      inside = &inner;
      inner.resume();
      static_cast<void>(inside);
    });
    self = &outer;
    EXPECT_EQ(outer.resume(), progress::paused);
    EXPECT_EQ(destroyed, 0);
  }
  EXPECT_EQ(destroyed, 2);
}

TEST(Ending, MayComeOnAnotherThread) {  // C5
  int destroyed = 0;
  auto work = std::make_unique<resumable<void>>([&] {
    const at_end end{[&] { ++destroyed; }};
    to_self(pause_request());
    try {
      safe_point();
    } catch (const terminated&) {
      EXPECT_EQ(std::uncaught_exceptions(), 0);
      throw;
    }
  });
  EXPECT_EQ(work->resume(), progress::paused);
  std::thread([&] { work.reset(); }).join();
  EXPECT_EQ(destroyed, 1);
}

TEST(Ending, DestroyedByItselfItUnwindsAtItsNextSafePoint) {  // C5
  int destroyed = 0;
  std::unique_ptr<resumable<void>> work;
  work = std::make_unique<resumable<void>>([&] {
    const at_end end{[&] { ++destroyed; }};
    work.reset();
    for (;;) safe_point();
  });
  resumable<void>& it = *work;
  EXPECT_EQ(raised_by([&] { it.resume(); }), "terminated");
  EXPECT_EQ(destroyed, 1);
}

TEST(Ending, DestroyedWhileAThreadRunsItTerminatesItAndWaits) {  // C5
  int destroyed = 0;
  witness at;
  auto work = std::make_unique<resumable<void>>([&] {
    const at_end end{[&] { ++destroyed; }};
    at.here();
    for (;;) safe_point();
  });
  std::string got;
  std::thread runner([&, it = work.get()] { got = raised_by([&] { it->resume(); }); });
  static_cast<void>(at.tid());
  work.reset();
  EXPECT_EQ(destroyed, 1);
  runner.join();
  EXPECT_EQ(got, "terminated");
}

TEST(Ending, DiscardsWhatIsStillPending) {  // S8
  resumable work([] {});
  const receipt held = work.get_target().interrupt(1);
  EXPECT_EQ(work.resume(), progress::finished);
  EXPECT_EQ(held.state(), delivery::discarded);
}

TEST(Ending, GivesResultsOfEveryKind) {  // C4
  int number = 3;
  resumable reference([&]() -> int& { return number; });
  reference.resume();
  EXPECT_EQ(&reference.result(), &number);
  resumable moved([] { return std::make_unique<int>(4); });
  moved.resume();
  EXPECT_EQ(*std::move(moved).result(), 4);
  resumable<void> other([] {});
  resumable<void> taken(std::move(other));
  EXPECT_THROW(other.resume(), std::logic_error);
  EXPECT_EQ(taken.resume(), progress::finished);
}

}  // namespace
}  // namespace sigexc::test
