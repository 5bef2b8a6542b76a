// Sending: what is queued, for whom, in which order, and with how many signals.
#include <gtest/gtest.h>
#include <pthread.h>
#include <signal.h>

#include <atomic>
#include <cstdlib>
#include <memory>
#include <new>
#include <semaphore>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "support/interrupts.hpp"
#include "support/order.hpp"

namespace {
// How many allocations of this thread succeed before one fails; negative: all.
thread_local int allocations_left = -1;
// Threads that are named wait for it before they begin.
std::atomic<bool> may_take_name{true};
}  // namespace

// Replaces that of the C library.
extern "C" int pthread_setname_np(pthread_t /*thread*/, const char* /*name*/) {
  while (!may_take_name) std::this_thread::yield();
  return 0;
}

// Not inlined, or gcc takes the pairs for mismatched.
[[gnu::noinline]] void* operator new(std::size_t size) {
  if (allocations_left == 0) throw std::bad_alloc();
  if (allocations_left > 0) --allocations_left;
  if (void* const memory = std::malloc(size == 0 ? 1 : size)) return memory;
  throw std::bad_alloc();
}
[[gnu::noinline]] void* operator new(std::size_t size, const std::nothrow_t& /*tag*/) noexcept {
  try {
    return operator new(size);
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t /*size*/) noexcept {
  std::free(memory);
}

namespace sigexc::test {
namespace {

// Cannot be copied when told so.
struct uncopyable_at_times {
  static inline bool throws = false;
  uncopyable_at_times() = default;
  uncopyable_at_times(const uncopyable_at_times& /*other*/) {
    if (throws) throw std::runtime_error("no copy");
  }
};

TEST(Sending, IsNoSafePoint) {  // S1, S6
  const enrollment self;
  const long_wait other;
  EXPECT_NO_THROW(to_self(1));
  EXPECT_NO_THROW(to_self(2));
  EXPECT_NO_THROW(self.get_target().terminate().withdraw());
  const thread<void> third([&] { other.wait(); });
  EXPECT_NO_THROW(third.interrupt(3).withdraw());
  EXPECT_EQ(self.get_target().pending(), 2U);
  EXPECT_EQ(raised_here(), "group(1, 2)");
}

TEST(Sending, DoesNotWaitForATargetThatIsBusy) {  // S1
  std::binary_semaphore is_sent(0);
  thread busy([&] {
    is_sent.acquire();  // this wait can't be interrupted
    return raised_here();
  });
  busy.interrupt(1);
  busy.interrupt(2);
  is_sent.release();
  EXPECT_EQ(busy.wait(), "group(1, 2)");
}

TEST(Sending, ThatRunsOutOfMemoryHasSentNothing) {  // S1: whichever allocation fails
  const enrollment self;
  const target me = self.get_target();
  bool is_sent = false;
  int failures = 0;
  for (int succeed = 0; !is_sent; ++succeed) {
    allocations_left = succeed;
    try {
      me.interrupt(1);
      is_sent = true;
    } catch (const std::bad_alloc&) {
      ++failures;
    }
    allocations_left = -1;
    ASSERT_EQ(me.pending(), is_sent ? 1U : 0U);
    ASSERT_EQ(interrupt_pending(), is_sent);
  }
  EXPECT_GT(failures, 0);
  EXPECT_EQ(raised_here(), "1");
  EXPECT_EQ(raised_here(), "nothing");
}

TEST(Sending, WhatCannotBeCopiedThrowsAndHasSentNothing) {  // S1
  const enrollment self;
  uncopyable_at_times exception;
  uncopyable_at_times::throws = true;
  EXPECT_THROW(self.get_target().interrupt(exception), std::runtime_error);
  uncopyable_at_times::throws = false;
  EXPECT_EQ(self.get_target().pending(), 0U);
  EXPECT_NO_THROW(safe_point());
}

TEST(Sending, ANullPointerIsAnInvalidArgument) {
  const enrollment self;
  EXPECT_THROW(self.get_target().interrupt(std::exception_ptr()), std::invalid_argument);
  EXPECT_THROW(self.get_target().interrupt(nullptr), std::invalid_argument);
  EXPECT_FALSE(interrupt_pending());
}

TEST(Sending, KeepsTheOrderOfASender) {  // S5
  const enrollment self;
  std::string expected;
  for (int i = 0; i < 100; ++i) {
    to_self(i);
    expected += (i == 0 ? "group(" : ", ") + std::to_string(i);
  }
  EXPECT_EQ(raised_here(), expected + ")");
}

TEST(Sending, KeepsTheOrderAcrossSendersThatKnowOfEachOther) {  // S5
  const enrollment self;
  const target me = self.get_target();
  std::binary_semaphore is_sent(0);
  std::jthread first([&] {
    me.interrupt(1);
    is_sent.release();
  });
  std::jthread second([&] {
    is_sent.acquire();
    me.interrupt(2);
  });
  second.join();
  me.interrupt(3);
  EXPECT_EQ(raised_here(), "group(1, 2, 3)");
}

TEST(Sending, KeepsTheOrderOfWhatAScopeHeldAndWhatCameAfterIt) {  // S5, M1
  const enrollment self;
  EXPECT_EQ(raised_by([] {
              const block_scope<int> quiet;
              to_self(1);
              EXPECT_EQ(raised_here(), "nothing");
              to_self(std::string("two"));
              EXPECT_EQ(raised_here(), "two");
              to_self(3);
              EXPECT_EQ(raised_here(), "nothing");
              to_self(std::string("four"));
            }),
            "group(1, 3, four)");
}

// S5: four senders in a race, each of which stays in its own order. 4 x 2,000 interrupts.
TEST(Sending, NeverLetsAnInterruptOvertakeAnotherOfItsSender) {
  constexpr int senders = 4;
  constexpr int each = 2000;
  thread receiver([] {
    std::vector<int> arrived;
    while (arrived.size() < senders * each) {
      try {
        safe_point();
      } catch (...) {
        handle_each([&](int number) { arrived.push_back(number); });
      }
    }
    return arrived;
  });
  {
    std::vector<std::jthread> threads;
    for (int sender = 0; sender < senders; ++sender)
      threads.emplace_back([&receiver, sender] {
        for (int i = 0; i < each; ++i) receiver.interrupt(sender * each + i);
      });
  }
  std::vector<int> next{0, each, 2 * each, 3 * each};
  for (const int number : receiver.wait())
    ASSERT_EQ(number, next.at(static_cast<std::size_t>(number / each))++);
}

TEST(Sending, ToAFinishedThreadHasNoEffect) {  // S6
  thread finished({.name = "brief"}, [] {});
  finished.wait();
  const target gone = finished.get_target();
  EXPECT_TRUE(gone.finished());
  EXPECT_EQ(gone.interrupt(1).state(), delivery::discarded);
  EXPECT_EQ(gone.terminate().state(), delivery::discarded);
  EXPECT_EQ(gone.interrupt(1).wait(), delivery::discarded);
  EXPECT_FALSE(gone.interrupt(1).withdraw());
  EXPECT_EQ(gone.pending(), 0U);
  EXPECT_EQ(gone.name(), "brief");
}

TEST(Sending, ToAFinishedTargetDoesNotReachItsThreadsNextEnrollment) {  // S6
  auto first = std::make_unique<enrollment>();
  const target old = first->get_target();
  first.reset();
  const enrollment second;
  EXPECT_EQ(old.interrupt(1).state(), delivery::discarded);
  EXPECT_FALSE(interrupt_pending());
  EXPECT_EQ(raised_here(), "nothing");
  EXPECT_NE(old, second.get_target());
}

TEST(Sending, NeverReachesAStrangerWithTheSameThreadHandle) {  // S6
  bool met_the_handle_again = false;
  for (int round = 0; round < 100 && !met_the_handle_again; ++round) {
    pthread_t handle{};
    thread first([&handle] { handle = pthread_self(); });
    first.wait();
    const target old = first.get_target();
    { const auto joined = std::move(first); }
    std::binary_semaphore is_sent(0);
    thread second([&] {
      met_the_handle_again = pthread_equal(pthread_self(), handle) != 0;
      is_sent.acquire();
      return raised_here();
    });
    old.interrupt(1);
    is_sent.release();
    ASSERT_EQ(second.wait(), "nothing");
  }
  EXPECT_TRUE(met_the_handle_again);
}

TEST(Sending, BeforeTheBodyBeginsIsKeptForItsFirstSafePoint) {  // S7
  for (int round = 0; round < 200; ++round) {
    std::string order;
    thread early([&] {
      order += "body, ";
      while (!interrupt_pending()) std::this_thread::yield();
      order += "safe point, ";
      safe_point();
      order += "behind it";
    });
    early.interrupt(round);
    EXPECT_THROW(early.wait(), int);
    ASSERT_EQ(order, "body, safe point, ");
  }
}

// S7: a thread that has been made and is not yet a target takes its name first.
TEST(Sending, ATerminateBeforeTheBodyBeginsKeepsItFromRunning) {
  for (int round = 0; round < 20; ++round) {
    bool has_run = false;
    may_take_name = false;
    thread open({.name = "open"}, [&] { has_run = true; });
    const receipt sent = open.terminate();
    may_take_name = true;
    EXPECT_THROW(open.wait(), terminated);
    EXPECT_EQ(sent.state(), delivery::raised);
    EXPECT_FALSE(has_run);

    may_take_name = false;
    thread blocked_one({.name = "blocked", .start_blocked = true}, [&] { return 7; });
    blocked_one.terminate();
    may_take_name = true;
    EXPECT_EQ(blocked_one.wait(), 7);
  }
}

}  // namespace
}  // namespace sigexc::test
