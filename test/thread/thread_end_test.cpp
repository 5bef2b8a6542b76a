// How threads begin and end: their options, their handle's destruction, stop tokens, and unusual
// ends.
#include <gtest/gtest.h>
#include <pthread.h>

#include <array>
#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <semaphore>
#include <stop_token>
#include <string>
#include <system_error>
#include <thread>
#include <utility>

#include "support/interrupts.hpp"
#include "support/order.hpp"

namespace sigexc::test {
namespace {

using namespace std::chrono_literals;

std::string kernel_name() {
  std::array<char, 32> name{};
  pthread_getname_np(pthread_self(), name.data(), name.size());
  return name.data();
}

TEST(ThreadOptions, NameTheThread) {
  const std::string name = "a name that is too long for the kernel";
  thread other({.name = name}, [] { return kernel_name(); });
  EXPECT_EQ(other.get_target().name(), name);
  EXPECT_EQ(other.wait(), name.substr(0, 15));
}

TEST(ThreadOptions, SizeTheStack) {
  const auto stack_size = [] {
    pthread_attr_t attributes;
    std::size_t size = 0;
    pthread_getattr_np(pthread_self(), &attributes);
    pthread_attr_getstacksize(&attributes, &size);
    pthread_attr_destroy(&attributes);
    return size;
  };
  constexpr std::size_t wanted = 48 * 1024 * 1024;
  thread large({.name = "large", .stack_size = wanted}, stack_size);
  EXPECT_GE(large.wait(), wanted);
}

TEST(ThreadOptions, ThatTheSystemCannotMeetAreASystemError) {
  const std::size_t before = targets().size();
  EXPECT_THROW(thread({.name = "huge", .stack_size = std::size_t{1} << 60}, [] {}),
               std::system_error);
  EXPECT_THROW(thread({.name = "tiny", .stack_size = 1}, [] {}), std::system_error);
  EXPECT_EQ(targets().size(), before);
}

TEST(ThreadOptions, StartBlocked) {  // S7, M2
  thread other({.name = "blocked", .start_blocked = true}, [] {
    const policy first = current_policy();
    await([] { return interrupt_pending(); });
    const std::string blocked_raised = raised_here();
    const std::string raised = raised_by([] { const unblock_scope open; });
    return std::to_string(static_cast<int>(first)) + " " + blocked_raised + ", " + raised;
  });
  other.interrupt(1);
  EXPECT_EQ(other.wait(), "2 nothing, 1");
}

TEST(ThreadOptions, StartBlockedLetsTheBodyEndByItsResult) {  // S7, S8
  for (int round = 0; round < 50; ++round) {
    thread other({.name = "blocked", .start_blocked = true}, [] { return 7; });
    const receipt sent = other.terminate();
    ASSERT_EQ(other.wait(), 7);
    ASSERT_EQ(sent.state(), delivery::discarded);
  }
}

TEST(ThreadDestructor, TerminatesAndJoins) {  // D6
  std::atomic<bool> runs = false;
  bool is_unwound = false;
  std::optional<target> kept;
  {
    const thread other([&] {
      const std::shared_ptr<int> guard(new int(0), [&](const int* number) {
        delete number;
        is_unwound = true;
      });
      runs = true;
      for (;;) safe_point();
    });
    kept = other.get_target();
    await([&] { return runs.load(); });
  }
  EXPECT_TRUE(is_unwound);
  EXPECT_TRUE(kept->finished());
}

TEST(ThreadDestructor, EndsAThreadThatWaits) {  // O2
  const long_wait wait;
  witness where;
  const auto other = std::make_unique<thread<void>>([&] {
    where.here();
    wait.wait();
  });
  where.await_asleep();
}

TEST(ThreadDestructor, IsNoSafePointAndIsNotInterrupted) {
  const enrollment self;
  bool has_ended = false;
  std::binary_semaphore go_on(0);
  std::atomic<bool> runs = false;
  {
    thread other([&] {
      runs = true;
      go_on.acquire();
      has_ended = true;
    });
    await([&] { return runs.load(); });
    to_self(1);
    go_on.release();
  }
  EXPECT_TRUE(has_ended);
  EXPECT_EQ(raised_here(), "1");
}

TEST(ThreadDestructor, OfAMovedFromHandleDoesNothingAndAssignmentEndsTheOld) {
  const long_wait wait;
  std::atomic<bool> runs = false;
  thread first([&] {
    runs = true;
    for (;;) safe_point();
  });
  const target old = first.get_target();
  await([&] { return runs.load(); });
  {
    thread<void> second([&] { wait.wait(); });
    const target next = second.get_target();
    first = std::move(second);
    EXPECT_TRUE(old.finished());
    EXPECT_EQ(first.get_target(), next);
  }
  EXPECT_FALSE(first.get_target().finished());
  auto& itself = first;
  first = std::move(itself);
  EXPECT_FALSE(first.get_target().finished());
}

TEST(ThreadDestructor, OnTheThreadItselfLetsItGo) {
  std::optional<target> kept;
  std::binary_semaphore is_moved(0);
  std::atomic<bool> is_destroyed = false;
  auto handle = std::make_unique<std::optional<thread<void>>>();
  auto* const inner = handle.get();
  inner->emplace([&is_moved, &is_destroyed, inner] {
    is_moved.acquire();
    inner->reset();
    is_destroyed = true;
    for (;;) safe_point();  // it has been terminated
  });
  kept = (*inner)->get_target();
  is_moved.release();
  await([&] { return kept->finished(); });
  EXPECT_TRUE(is_destroyed);
}

TEST(StopToken, IsStoppedByTerminate) {
  const long_wait wait;
  thread other([&] { raised_by([&] { wait.wait(); }); });
  const std::stop_token token = other.get_stop_token();
  EXPECT_TRUE(token.stop_possible());
  other.interrupt(1);
  EXPECT_FALSE(token.stop_requested());
  other.get_target().terminate();
  EXPECT_TRUE(token.stop_requested());
}

TEST(StopToken, IsStoppedByTheDestructor) {
  std::optional<std::stop_token> token;
  {
    const thread other([] {
      for (;;) safe_point();
    });
    token = other.get_stop_token();
    EXPECT_FALSE(token->stop_requested());
  }
  EXPECT_TRUE(token->stop_requested());
}

TEST(ThreadExit, ByPthreadExitUnwindsAndIsNoResult) {  // D6, S8
  bool is_unwound = false;
  std::optional<receipt> sent;
  thread other([&]() -> int {
    const std::shared_ptr<int> guard(new int(0), [&](const int* number) {
      delete number;
      is_unwound = true;
    });
    sent = to_self(1);
    pthread_exit(nullptr);
  });
  EXPECT_TRUE(other.wait_for(24h));
  EXPECT_TRUE(is_unwound);
  EXPECT_TRUE(other.get_target().finished());
  EXPECT_EQ(sent->state(), delivery::discarded);
  const std::string raised = raised_by([&] { other.wait(); });
  EXPECT_NE(raised, "nothing");
  EXPECT_EQ(raised_by([&] { other.wait(); }), raised);
}

TEST(ThreadExit, ByPthreadExitOfAnEnrolledThreadEndsItsTarget) {  // S8
  std::optional<receipt> sent;
  std::optional<target> kept;
  std::jthread foreign([&] {
    const enrollment self;
    kept = self.get_target();
    sent = to_self(1);
    pthread_exit(nullptr);
  });
  foreign.join();
  EXPECT_TRUE(kept->finished());
  EXPECT_EQ(sent->state(), delivery::discarded);
}

}  // namespace
}  // namespace sigexc::test
