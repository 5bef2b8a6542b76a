// What is pending where a raise could not be survived waits, and is raised at the first safe point
// where it can.
#include <sigexc/sigexc.hpp>

#include <gtest/gtest.h>
#include <pthread.h>

#include <chrono>
#include <cstdlib>
#include <string>
#include <thread>

#include "support/interrupts.hpp"
#include "support/order.hpp"

namespace sigexc::test {
namespace {

using namespace std::chrono_literals;

// What `body` does in a function that lets nothing out.
template <class F>
[[gnu::noinline]] void in_noexcept(F&& body) noexcept {
  body();
}

TEST(Survival, HoldsInANoexceptFunctionAndRaisesBehindIt) {  // R1, R2
  const enrollment self;
  to_self(1);
  in_noexcept([] {
    safe_point();
    EXPECT_TRUE(interrupt_pending());
    safe_point();
  });
  EXPECT_EQ(raised_here(), "1");
  EXPECT_EQ(raised_here(), "nothing");
}

TEST(Survival, RaisesWhereAHandlerIsNearerThanTheNoexceptFunction) {  // R1
  const enrollment self;
  to_self(1);
  std::string inside;
  in_noexcept([&] { inside = raised_here(); });
  EXPECT_EQ(inside, "1");
}

TEST(Survival, DependsOnTheType) {  // R1
  const enrollment self;
  to_self(std::string("text"));
  to_self(1);
  int caught = 0;
  in_noexcept([&] {
    try {
      safe_point();
    } catch (int number) {
      caught = number;
    }
    safe_point();  // the text has to wait
  });
  EXPECT_EQ(caught, 1);
  EXPECT_EQ(raised_here(), "text");
}

TEST(Survival, OfAGroupIsItsOwn) {  // R1, D2: where a group would kill, they come one by one
  const enrollment self;
  to_self(1);
  to_self(2);
  std::string caught;
  in_noexcept([&] {
    for (int i = 0; i < 2; ++i) try {
        safe_point();
      } catch (int number) {
        caught += std::to_string(number);
      }
  });
  EXPECT_EQ(caught, "12");
  EXPECT_FALSE(interrupt_pending());
}

// S5, R1: what had to wait since a group would kill, goes back to its place.
TEST(Survival, KeepsTheOrderOfArrivalWhereAGroupIsNotRaised) {
  const enrollment self;
  in_noexcept([] {
    const block_scope<std::string> quiet;
    to_self(std::string("one"));
    to_self(2);
    to_self(3);
    try {
      safe_point();
      ADD_FAILURE();
    } catch (int number) {
      EXPECT_EQ(number, 2);
    }
  });
  EXPECT_EQ(raised_here(), "group(one, 3)");
}

TEST(Survival, OfTwoTerminationsIsThatOfOne) {  // D5, R1: they are no group
  const enrollment self;
  const receipt first = terminate_self();
  const receipt second = terminate_self();
  in_noexcept([] {
    try {
      safe_point();
      ADD_FAILURE();
    } catch (const terminated& it) {
      it.acknowledge();
    }
  });
  EXPECT_EQ(first.state(), delivery::raised);
  EXPECT_EQ(second.state(), delivery::raised);
  EXPECT_FALSE(interrupt_pending());
}

TEST(Survival, HoldsInADestructorThatRunsInNormalFlow) {  // R2
  struct looking {
    ~looking() { safe_point(); }
  };
  const enrollment self;
  to_self(1);
  { const looking one; }
  EXPECT_EQ(raised_here(), "1");
}

TEST(Survival, HoldsOnAThreadThatWouldNotCatchIt) {  // R1
  bool has_returned = false;
  std::thread([&] {
    const enrollment self;
    to_self(1);
    safe_point();
    has_returned = interrupt_pending();
  }).join();
  EXPECT_TRUE(has_returned);
}

TEST(Survival, IsGivenByTheEndOfATargetsBody) {  // R1, D6
  thread one([] {
    to_self(1);
    safe_point();
  });
  EXPECT_EQ(raised_by([&] { one.wait(); }), "1");
}

TEST(Survival, IsNotNeededByCallbacks) {  // D3
  const enrollment self;
  int handled = 0;
  const auto attached = attach<int>([&](int) { ++handled; });
  to_self(1);
  in_noexcept([] { safe_point(); });
  EXPECT_EQ(handled, 1);
  EXPECT_FALSE(interrupt_pending());
}

TEST(Survival, IsAskedAgainForATerminationThatACallbackThrewOn) {  // D3, D5, R1
  const enrollment self;
  int calls = 0;
  const auto attached = attach<terminated>([&](const terminated& it) {
    ++calls;
    throw it;
  });
  self.get_target().terminate();
  in_noexcept([&] {
    for (int i = 0; i < 3; ++i) safe_point();
  });
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(raised_here(), "terminated");
}

// R1, R4: what is held for its type does not hold what comes later.
TEST(Survival, IsAskedForWhatHasArrivedSince) {
  const enrollment self;
  in_noexcept([] {
    try {
      to_self(1);
      for (int i = 0; i < 3; ++i) safe_point();
      to_self(std::string("two"));
      safe_point();
      ADD_FAILURE();
    } catch (const std::string& raised) {
      EXPECT_EQ(raised, "two");
    }
  });
  EXPECT_EQ(raised_here(), "1");
}

// R4, D3: also if somebody else than a safe point has taken it out of the mailbox.
TEST(Survival, IsAskedForWhatHasArrivedSinceAndWasLookedAt) {
  const enrollment self;
  int handled = 0;
  const auto attached = attach<int>([&](int) { ++handled; });
  in_noexcept([]() __attribute__((noinline)) {  // so the frame that holds is around all of it
    to_self(std::string("one"));
    for (int i = 0; i < 3; ++i) safe_point();
    to_self(2);
    EXPECT_TRUE(interrupt_pending());
    safe_point();
  });
  EXPECT_EQ(handled, 1);
  EXPECT_EQ(raised_here(), "one");
}

// Two of these in a row have their scopes at the same address.
template <class E>
[[gnu::noinline]] void open_for() {
  const mask_scope<E> open(policy::immediate);
  safe_point();
}

TEST(Survival, IsAskedInAScopeThatLiesWhereAnotherOneWas) {  // R4, M3, D3
  const enrollment self;
  int handled = 0;
  const auto attached = attach<int>([&](int) { ++handled; });
  in_noexcept([&]() __attribute__((noinline)) {
    const block_scope<int> quiet;
    to_self(std::string("one"));
    to_self(2);
    open_for<double>();
    open_for<int>();
    EXPECT_EQ(handled, 1);
  });
  EXPECT_EQ(raised_here(), "one");
}

TEST(Survival, IsNotNeededByACallbackThatIsAttachedLater) {  // D3, R4
  const enrollment self;
  int handled = 0;
  in_noexcept([&] {
    to_self(1);
    for (int i = 0; i < 3; ++i) safe_point();
    const auto attached = attach<int>([&](int) { ++handled; });
    safe_point();
  });
  EXPECT_EQ(handled, 1);
}

TEST(Survival, IsAskedAgainForWhatACallbackThrew) {  // D3, R1
  const enrollment self;
  int calls = 0;
  const auto attached = attach<int>([&](int) {
    ++calls;
    throw std::string("instead");
  });
  to_self(1);
  in_noexcept([&] {
    for (int i = 0; i < 3; ++i) try {
        safe_point();
      } catch (int) {
        ADD_FAILURE();
      }
    EXPECT_EQ(calls, 1);
    EXPECT_TRUE(interrupt_pending());
  });
  EXPECT_EQ(raised_here(), "instead");
  EXPECT_EQ(calls, 1);
}

TEST(Survival, IsAwaitedByWhatACallbackThrewWhichCannotBeWithdrawn) {  // S8, D3, R1
  receipt discarded = [] {
    const enrollment self;
    const auto attached = attach<int>([](int) { throw std::string("instead"); });
    const receipt sent = to_self(1);
    in_noexcept([] { safe_point(); });
    EXPECT_FALSE(sent.withdraw());
    EXPECT_EQ(raised_here(), "instead");
    EXPECT_EQ(sent.state(), delivery::raised);
    receipt last = to_self(2);
    in_noexcept([] { safe_point(); });
    EXPECT_EQ(last.state(), delivery::pending);
    return last;
  }();
  EXPECT_EQ(discarded.state(), delivery::discarded);
}

// R3: here Boost.Thread 1.74 terminates the process, as its join raises in the destructor.
TEST(Survival, IsNotNeededToInterruptAndJoinAThreadInADestructor) {
  struct joins_at_the_end {
    thread<void>& worker;
    receipt& second;
    [[gnu::noinline]] ~joins_at_the_end() {  // inlined it may be more than the check can read
      second = to_self(2);
      worker.interrupt(3);
      worker.wait();
      EXPECT_EQ(second.state(), delivery::pending);
    }
  };
  receipt second = [] {
    const enrollment self;
    return to_self(0);
  }();
  thread outer([&] {
    thread worker([] {
      try {
        for (;;) safe_point();
      } catch (int) {
      }
    });
    const joins_at_the_end guard{worker, second};
    for (;;) safe_point();
  });
  outer.interrupt(1);
  EXPECT_EQ(raised_by([&] { outer.wait(); }), "1");
  EXPECT_EQ(second.state(), delivery::discarded);
}

TEST(Survival, MakesLeavingABlockNoSafePointWhereItIsNotGiven) {  // M4
  const enrollment self;
  in_noexcept([] {
    const block_scope block;
    to_self(1);
  });
  EXPECT_EQ(raised_here(), "1");
}

TEST(Survival, IsNotGivenWhileAThreadIsUnwoundToExit) {  // M4, R2
  bool has_left = false;
  const auto body = [](void* left) -> void* {
    const enrollment self;
    const block_scope block;
    to_self(1);
    *static_cast<bool*>(left) = true;
    pthread_exit(nullptr);
  };
  pthread_t one{};
  ASSERT_EQ(pthread_create(&one, nullptr, body, &has_left), 0);
  pthread_join(one, nullptr);
  EXPECT_TRUE(has_left);
}

TEST(Survival, IsFoundAgainAfterManyHeldSafePoints) {  // R2, R4: what is remembered does no harm
  const enrollment self;
  to_self(1);
  std::string inside;
  in_noexcept([&] {
    for (int i = 0; i < 10'000; ++i) safe_point();
    // A try block that was not there when the holding frame was remembered.
    for (int i = 0; i < 10'000 && inside.empty(); ++i) {
      const std::string now = raised_here();
      if (now != "nothing") inside = now;
    }
  });
  EXPECT_EQ(inside, "1");
}

// R3: sleeps, though something is pending; the flag would otherwise make it spin.
TEST(Survival, LetsAWaitCompleteAsIfBlocked) {
  const long_wait wait;
  witness where;
  thread sleeper([&] {
    in_noexcept([&] {
      to_self(1);
      safe_point();
      where.here();
      EXPECT_EQ(wait.wait(), delivery::withdrawn);
    });
    return raised_here();
  });
  where.await_asleep();
  const receipt sent = sleeper.interrupt(2);
  where.await_asleep();
  EXPECT_EQ(sent.state(), delivery::pending);
  wait.end();
  EXPECT_EQ(sleeper.wait(), "group(1, 2)");
}

// R2, R3: the wait that takes one of them is not the end of the other.
TEST(Survival, IsFoundBehindAWaitThatHasRaisedSomethingElse) {
  const enrollment self;
  counting_semaphore none(0);
  in_noexcept([&] {
    to_self(std::string("one"));
    to_self(2);
    try {
      none.acquire();
      ADD_FAILURE();
    } catch (int number) {
      EXPECT_EQ(number, 2);
    }
    safe_point();
  });
  EXPECT_EQ(raised_here(), "one");
}

// R4: a wait asks anew, whatever is remembered: it might sleep on the answer for ever.
TEST(Survival, IsAskedAnewByAWait) {
  const long_wait wait;
  thread one([&] {
    std::string inside;
    in_noexcept([&] {
      to_self(1);
      safe_point();
      inside = raised_by([&] { wait.wait(); });
    });
    return inside;
  });
  EXPECT_EQ(one.wait(), "1");
}

// The first thing raised in a try block at the given depth, after a safe point in front of it.
[[gnu::noinline]] std::string raised_in(int depth) {
  if (depth > 0) {
    std::string inside = raised_in(depth - 1);
    return inside + "!";  // not the same frame
  }
  safe_point();
  std::string inside = "nothing";
  for (int i = 0; i < 100'000 && inside == "nothing"; ++i) inside = raised_here();
  return inside;
}

TEST(Survival, IsJudgedAtAnyDepth) {  // R1, R4
  thread one({.stack_size = 64U << 20}, [] {
    std::string inside;
    in_noexcept([&] {
      to_self(1);
      inside = raised_in(10'000);
    });
    return inside;
  });
  EXPECT_EQ(one.wait(), "1" + std::string(10'000, '!'));
}

}  // namespace
}  // namespace sigexc::test
