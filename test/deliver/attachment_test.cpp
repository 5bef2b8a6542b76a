// Attachments: how long a callback is attached, also where another thread, or the callback itself,
// ends it.
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <optional>
#include <semaphore>
#include <string>
#include <thread>
#include <utility>

#include "support/interrupts.hpp"
#include "support/order.hpp"

namespace sigexc::test {
namespace {

TEST(Attachment, DetachesWhenItIsDestroyed) {  // D3
  const enrollment self;
  int calls = 0;
  {
    const auto handler = attach<int>([&](int) { ++calls; });
    to_self(1);
    safe_point();
  }
  to_self(2);
  EXPECT_EQ(raised_here(), "2");
  EXPECT_EQ(calls, 1);
}

TEST(Attachment, MovesWithItsCallback) {
  const enrollment self;
  int calls = 0;
  std::optional<attachment<int>> kept;
  {
    auto handler = attach<int>([&](int) { ++calls; });
    kept.emplace(std::move(handler));
  }
  to_self(1);
  EXPECT_EQ(raised_here(), "nothing");
  EXPECT_EQ(calls, 1);
  kept.reset();
  to_self(2);
  EXPECT_EQ(raised_here(), "2");
}

TEST(Attachment, AssignedDetachesWhatItHadBefore) {
  const enrollment self;
  std::string order;
  auto handler = attach<int>([&](int) { order += "first "; });
  handler = attach<int>([&](int) { order += "second "; });
  to_self(1);
  safe_point();
  EXPECT_EQ(order, "second ");
  { const auto taken = std::move(handler); }
  to_self(2);
  EXPECT_EQ(raised_here(), "2");
}

TEST(Attachment, NeedNotBeDestroyedInOrder) {  // D3
  const enrollment self;
  std::string order;
  std::optional outer = attach<int>([&](int) { order += "outer "; });
  std::optional inner = attach<int>([&](int) { order += "inner "; });
  outer.reset();
  to_self(1);
  safe_point();
  inner.reset();
  to_self(2);
  EXPECT_EQ(raised_here(), "2");
  EXPECT_EQ(order, "inner ");
}

TEST(Attachment, OutlivesItsTargetWithoutHarm) {
  auto self = std::make_unique<enrollment>();
  auto handler = std::make_unique<attachment<int>>(attach<int>([](int) {}));
  self.reset();
  handler.reset();
  const enrollment next;
  to_self(1);
  EXPECT_EQ(raised_here(), "1");
}

TEST(Attachment, IsOfItsTargetAlone) {  // D3
  const enrollment self;
  int calls = 0;
  const auto handler = attach<int>([&](int) { ++calls; });
  thread other([] {
    to_self(1);
    return raised_here();
  });
  EXPECT_EQ(other.wait(), "1");
  EXPECT_EQ(calls, 0);
}

TEST(Attachment, CanBeEndedByItsOwnCallback) {  // D3: which lives on until it returns
  const enrollment self;
  std::optional<attachment<int>> handler;
  const auto alive = std::make_shared<int>(0);
  int calls = 0;
  long uses_inside = 0;
  handler.emplace(attach<int>([&, alive](int) {
    handler.reset();
    ++calls;
    uses_inside = alive.use_count();
    to_self(2);
  }));
  to_self(1);
  EXPECT_EQ(raised_here(), "2");
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(uses_inside, 2);
  EXPECT_EQ(alive.use_count(), 1);  // and no longer
}

TEST(Attachment, CanBeEndedAndMadeByAnotherCallback) {  // D3, D4
  const enrollment self;
  std::string order;
  std::optional victim = attach<int>([&](int) { order += "victim "; });
  std::optional<attachment<double>> made;
  const auto handler = attach<std::string>([&](const std::string&) {
    victim.reset();
    made.emplace(attach<double>([&](double) { order += "made "; }));
    to_self(1.5);
  });
  to_self(std::string("go"));
  to_self(1);
  const std::string raised = raised_here();
  EXPECT_EQ(order, "made ");
  EXPECT_EQ(raised, "1");
}

// D3: the detaching thread returns only when the callback has.
TEST(Attachment, EndedElsewhereWaitsForItsRunningCallback) {
  std::optional<attachment<int>> handler;
  std::binary_semaphore is_inside(0);
  std::binary_semaphore go_on(0);
  std::atomic<bool> has_returned = false;
  thread target([&] {
    handler.emplace(attach<int>([&](int) {
      is_inside.release();
      go_on.acquire();
      has_returned = true;
    }));
    to_self(1);
    safe_point();
  });
  is_inside.acquire();
  witness where;
  std::atomic<bool> is_detached = false;
  bool returned_before = false;
  std::jthread detacher([&] {
    where.here();
    handler.reset();
    returned_before = has_returned;
    is_detached = true;
  });
  await([&] { return is_detached || kernel_state(where.tid()) == 'S'; });
  EXPECT_FALSE(is_detached);
  go_on.release();
  detacher.join();
  EXPECT_TRUE(returned_before);
  target.wait();
}

TEST(Attachment, EndedElsewhereWaitsForNothingElse) {  // D3: the thread itself is busy
  std::optional<attachment<int>> handler;
  std::binary_semaphore is_attached(0);
  std::binary_semaphore go_on(0);
  thread target([&] {
    handler.emplace(attach<int>([](int) {}));
    is_attached.release();
    go_on.acquire();
    return raised_here();
  });
  is_attached.acquire();
  target.interrupt(1);
  handler.reset();
  go_on.release();
  EXPECT_EQ(target.wait(), "1");
}

// D3: after it is ended the callback is never called. 100 rounds.
TEST(Attachment, EndedElsewhereIsNotCalledAnyMore) {
  for (int round = 0; round < 100; ++round) {
    std::optional<attachment<int>> handler;
    std::binary_semaphore is_attached(0);
    std::atomic<bool> is_over = false;
    std::atomic<bool> is_detached = false;
    std::atomic<int> late = 0;
    thread target([&] {
      handler.emplace(attach<int>([&](int) { late += is_detached ? 1 : 0; }));
      is_attached.release();
      while (!is_over) raised_here();
    });
    is_attached.acquire();
    for (int i = 0; i < 5; ++i) target.interrupt(i);
    spin(round % 128);
    handler.reset();
    is_detached = true;
    target.interrupt(5);
    is_over = true;
    target.wait();
    ASSERT_EQ(late, 0);
  }
}

TEST(ThreadAttach, PutsACallbackBehindTheThreadsOwn) {  // D3
  std::binary_semaphore is_attached(0);
  std::string order;
  thread target([&] {
    const auto own = attach<int>([&](int) { order += "own "; });
    is_attached.acquire();
    to_self(1);
    to_self(std::string("two"));
    safe_point();
  });
  target.attach<int>([&](int) { order += "outer "; });
  target.attach<std::string>([&](const std::string&) { order += "string "; });
  target.attach<std::string>([&](const std::string&) { order += "outermost "; });
  is_attached.release();
  target.wait();
  EXPECT_EQ(order, "own string ");
}

TEST(ThreadAttach, WorksWhileTheThreadWaits) {  // D3
  const long_wait wait;
  witness where;
  thread sleeper([&] {
    where.here();
    return wait.wait();
  });
  where.await_asleep();
  std::atomic<int> seen = 0;
  sleeper.attach<int>([&](int number) { seen = number; });
  EXPECT_EQ(sleeper.interrupt(7).wait(), delivery::handled);
  EXPECT_EQ(seen, 7);
  wait.end();
  EXPECT_EQ(sleeper.wait(), delivery::withdrawn);
}

TEST(ThreadAttach, LetsTheCallbackGoWithTheThread) {
  const auto alive = std::make_shared<int>(0);
  thread brief([] {});
  brief.attach<int>([alive](int) {});
  brief.wait();
  brief.attach<int>([alive](int) {});
  const target kept = brief.get_target();
  { const auto destroyed = std::move(brief); }
  EXPECT_EQ(alive.use_count(), 1);
}

}  // namespace
}  // namespace sigexc::test
