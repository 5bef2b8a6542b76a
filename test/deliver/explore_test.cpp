// Exploring code: a probe at each of its safe points.
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "support/interrupts.hpp"

namespace sigexc::test {

// The example: a class that loses what it is given, if it is interrupted in the wrong place.
class basket {
 public:
  struct apple {
    static inline std::set<const apple*> alive;
    apple() { alive.insert(this); }
    apple(const apple&) = delete;
    apple& operator=(const apple&) = delete;
    ~apple() { alive.erase(this); }
  };
  basket() = default;
  basket(const basket&) = delete;
  basket& operator=(const basket&) = delete;
  ~basket() {
    for (const apple* one : apples_) delete one;
  }

  void wash() const;
  void put_in(apple* given);

 private:
  std::vector<apple*> apples_;
};

// Exported, so that they can be told by their names.
[[gnu::noinline]] void basket::wash() const { safe_point(); }
[[gnu::noinline]] void basket::put_in(apple* given) {
  safe_point();  // before the basket owns it: this is the bug
  apples_.push_back(given);
}

namespace {

using namespace std::chrono_literals;

// A body with so many safe points.
auto passing(int count) {
  return [count] {
    for (int i = 0; i < count; ++i) safe_point();
  };
}

TEST(Explore, FindsALeakAndNamesTheSafePoint) {
  const exploration found = explore(
      [] {
        basket full;
        full.wash();
        full.put_in(new basket::apple);
        full.wash();
      },
      [] { return basket::apple::alive.empty(); });
  EXPECT_FALSE(found);
  EXPECT_EQ(found.failed_at, 2U);
  ASSERT_FALSE(found.stack.empty());
  EXPECT_NE(found.stack.front().find("basket::put_in"), std::string::npos) << found.to_string();
  EXPECT_NE(found.to_string().find("the check failed, after a probe at point 2"), std::string::npos)
      << found.to_string();
  ASSERT_EQ(basket::apple::alive.size(), 1U);
  delete *basket::apple::alive.begin();
}

TEST(Explore, FindsNothingWrongWhereNothingIs) {
  const exploration found = explore(
      [] {
        basket full;
        full.wash();
        auto one = std::make_unique<basket::apple>();
        full.wash();
      },
      [] { EXPECT_TRUE(basket::apple::alive.empty()); });
  EXPECT_TRUE(found) << found.to_string();
  EXPECT_EQ(found.points, 2U);
}

TEST(Explore, CountsThePointsAndRaisesAtEach) {  // D1
  for (int count = 0; count < 5; ++count) {
    std::vector<int> passed;
    const exploration found = explore([&] {
      passed.push_back(0);
      for (int i = 0; i < count; ++i) {
        safe_point();
        ++passed.back();
      }
    });
    EXPECT_TRUE(found) << found.to_string();
    EXPECT_EQ(found.points, static_cast<std::size_t>(count));
    ASSERT_EQ(passed.size(), static_cast<std::size_t>(count) + 1);
    for (int i = 0; i <= count; ++i) EXPECT_EQ(passed[static_cast<std::size_t>(i)], i);
  }
}

TEST(Explore, LeavesTheThreadAsItWas) {
  EXPECT_TRUE(explore(passing(3)));
  EXPECT_THROW(static_cast<void>(this_thread::get_target()), not_enrolled);
  const enrollment self;
  EXPECT_TRUE(explore(passing(3)));
  EXPECT_EQ(raised_here(), "nothing");
  EXPECT_FALSE(interrupt_pending());
  EXPECT_EQ(self.get_target().pending(), 0U);
}

TEST(Explore, CountsTheEndsOfBlocksAndTheOpeningsOfScopes) {  // M3, M4
  const exploration found = explore([] {
    {
      const block_scope quiet;
      safe_point();  // held: no point
      const unblock_scope open{quiet};
    }
    const mask_scope<std::string> others(policy::never);
    safe_point();
    const block_scope<interruption> no_probes;
    safe_point();
  });
  EXPECT_TRUE(found) << found.to_string();
  // The opening; the end of the block; the safe point behind it; the ends of the last two scopes.
  EXPECT_EQ(found.points, 5U);
}

TEST(Explore, TakesEachOperationForAPoint) {  // O1
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  int written = 0;
  int read = 0;
  mutex guard;
  condition_variable changed;
  const exploration found = explore(
      [&] {
        char byte = 0;
        written += static_cast<int>(posix::write(ends[1], "x", 1));
        read += static_cast<int>(posix::read(ends[0], &byte, 1));
        guard.lock_interruptibly();
        guard.unlock();
        sleep_for(1ms);
        std::unique_lock lock(guard);
        changed.wait_for(lock, 1ms);
        with_wake([] {}, [] {});
        thread([] {}).wait();
      },
      [&] {
        char byte = 0;
        for (; read < written; ++read) EXPECT_EQ(::read(ends[0], &byte, 1), 1);
        return guard.try_lock() ? (guard.unlock(), true) : false;
      });
  EXPECT_TRUE(found) << found.to_string();
  EXPECT_GE(found.points, 8U);
  EXPECT_TRUE(found.held_at.empty()) << found.to_string();
  EXPECT_EQ(written, read);
  ::close(ends[0]);
  ::close(ends[1]);
}

TEST(Explore, TakesOnlyWaitsForPointsWhereOnlyTheyDeliver) {  // M6
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  ASSERT_EQ(::write(ends[1], "abc", 3), 3);
  bool is_read = false;
  const exploration found = explore([&] {
    const mask_scope only_waits(policy::on_blocking);
    char byte = 0;
    is_read = false;
    safe_point();
    if (posix::read(ends[0], &byte, 1) == 1) is_read = true;  // it need not wait
    if (::write(ends[1], "d", 1) != 1) throw std::runtime_error("not written");
    sleep_for(1ms);  // it has to
  });
  EXPECT_TRUE(found) << found.to_string();
  EXPECT_TRUE(is_read);
  EXPECT_EQ(found.points, 2U);  // the sleep, and the end of the scope
  ::close(ends[0]);
  ::close(ends[1]);
}

TEST(Explore, TellsWhatTheBodyThrows) {
  const exploration at_once = explore([] { throw std::runtime_error("always"); });
  EXPECT_EQ(at_once.failed_at, 0U);
  EXPECT_EQ(at_once.failure, "the body threw std::runtime_error: always");
  const exploration after_probe = explore([] {
    safe_point();
    try {
      safe_point();
    } catch (const probe&) {
      throw std::runtime_error("turned");
    }
  });
  EXPECT_EQ(after_probe.failed_at, 2U);
  EXPECT_NE(after_probe.to_string().find("turned, after a probe at point 2"), std::string::npos);
}

TEST(Explore, TellsWhatTheCheckThrows) {
  const exploration found = explore(passing(2), [] { throw std::runtime_error("out of order"); });
  EXPECT_EQ(found.failed_at, 1U);
  EXPECT_EQ(found.failure, "the check threw std::runtime_error: out of order");
}

TEST(Explore, TellsWhereTheProbeIsSwallowed) {
  const exploration found = explore([] {
    safe_point();
    try {
      safe_point();
    } catch (...) {
      return;
    }
    safe_point();
  });
  EXPECT_TRUE(found) << found.to_string();
  EXPECT_EQ(found.points, 3U);
  EXPECT_EQ(found.swallowed_at, std::vector<std::size_t>{2});
}

TEST(Explore, HoldsTheProbeWhereARaiseWouldNotBeSurvived) {  // R1
  struct guard {
    ~guard() { safe_point(); }
  };
  const exploration found = explore([] {
    {
      const guard leaving;
      []() noexcept { safe_point(); }();
    }
    safe_point();
  });
  EXPECT_TRUE(found) << found.to_string();
  EXPECT_EQ(found.points, 3U);
  EXPECT_EQ(found.held_at, (std::vector<std::size_t>{1, 2}));
}

TEST(Explore, LetsCallbacksHandleTheProbe) {  // D3
  const exploration found = explore([] {
    safe_point();
    const auto handled = attach<interruption>([](const interruption&) {});
    safe_point();
    safe_point();
  });
  EXPECT_TRUE(found) << found.to_string();
  EXPECT_EQ(found.handled_at, (std::vector<std::size_t>{2, 3}));
}

TEST(Explore, EndsABodyThatDoesNotEnd) {
  const exploration found = explore(
      [] {
        for (;;) safe_point();
      },
      [] { return true; }, 50);
  EXPECT_FALSE(found);
  EXPECT_FALSE(found.is_complete);
  EXPECT_EQ(found.points, 50U);
  EXPECT_FALSE(found.failed_at);
  EXPECT_NE(found.to_string().find("has not ended by itself"), std::string::npos);
}

TEST(Explore, DeliversWhatOthersSendToo) {  // D2
  const enrollment self;
  int caught = 0;
  const exploration found = explore([&] {
    to_self(7);
    try {
      safe_point();
    } catch (int) {
      ++caught;
    }
    safe_point();
  });
  EXPECT_TRUE(found) << found.to_string();
  EXPECT_EQ(found.points, 2U);
  EXPECT_EQ(caught, 2);  // at point 1 it comes in a group, with the probe
}

TEST(Explore, IsNotForWhatIsBeingExplored) {
  const exploration found = explore([] { static_cast<void>(explore(passing(1))); });
  EXPECT_EQ(found.failed_at, 0U);
  EXPECT_NE(found.failure.find("explored already"), std::string::npos);
}

TEST(Explore, DoesNotTellThatSomethingIsPending) {
  const enrollment self;
  EXPECT_TRUE(explore([] {
    if (interrupt_pending()) throw std::runtime_error("pending");
    safe_point();
    if (interrupt_pending()) throw std::runtime_error("pending");
  }));
}

}  // namespace
}  // namespace sigexc::test
