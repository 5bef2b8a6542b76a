// Bad input to threads, tasks and callbacks: nothing to call, what cannot be copied or moved,
// handles that were moved from. Each is an error at once, and leaves no thread behind.
#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <stdexcept>
#include <string>
#include <utility>

#include "support/interrupts.hpp"
#include "support/watchdog.hpp"

namespace sigexc::test {
namespace {

using namespace std::chrono_literals;

void (*const null_function)() = nullptr;
const std::function<void()> empty_function;

TEST(NothingToCall, IsAnInvalidArgumentOfAThread) {
  const auto alive = targets().size();
  EXPECT_THROW(sigexc::thread{null_function}, std::invalid_argument);
  EXPECT_THROW(sigexc::thread{empty_function}, std::invalid_argument);
  struct some {
    int member() { return 1; }
  };
  int (some::*const none)() = nullptr;
  EXPECT_THROW(sigexc::thread(none, some()), std::invalid_argument);
  EXPECT_EQ(targets().size(), alive);
  EXPECT_EQ(sigexc::thread(&some::member, some()).wait(), 1);
}

TEST(NothingToCall, IsAnInvalidArgumentOfTasks) {  // T3
  const auto work = [] { sleep_for(1h); };
  EXPECT_THROW(race(work, null_function), std::invalid_argument);
  EXPECT_THROW(all(work, empty_function), std::invalid_argument);
  task_group group;
  EXPECT_THROW(group.spawn(empty_function), std::invalid_argument);
  EXPECT_EQ(group.running(), 0U);
  EXPECT_EQ(group.spawn([] { return 1; }).wait(), 1);
  group.join();
}

TEST(NothingToCall, IsAnInvalidArgumentOfCallbacks) {  // D3
  const enrollment self;
  void (*const none)(const int&) = nullptr;
  EXPECT_THROW((void)attach<int>(none), std::invalid_argument);
  EXPECT_THROW((void)attach<int>(std::function<void(int)>()), std::invalid_argument);
  sigexc::thread other([] { sleep_for(1h); });
  EXPECT_THROW(other.attach<int>(none), std::invalid_argument);
  to_self(1);
  EXPECT_EQ(raised_here(), "1");
}

TEST(NothingToCall, IsAnInvalidArgumentOfWithWake) {
  const enrollment self;
  bool is_called = false;
  EXPECT_THROW(with_wake(empty_function, [&] { is_called = true; }), std::invalid_argument);
  EXPECT_THROW(with_wake(null_function, [&] { is_called = true; }), std::invalid_argument);
  EXPECT_FALSE(is_called);
  EXPECT_THROW(with_wake([] {}, empty_function), std::bad_function_call);  // as every call of it
  EXPECT_THROW(timeout(1h, empty_function), std::bad_function_call);
  EXPECT_THROW(blocked(empty_function), std::bad_function_call);
}

// A thread, or a task.
template <class Handle>
void expect_nobody(Handle& moved_from) {
  EXPECT_THROW(moved_from.wait(), std::logic_error);
  EXPECT_THROW(static_cast<void>(moved_from.wait_for(1s)), std::logic_error);
  EXPECT_THROW(moved_from.interrupt(1), std::logic_error);
  EXPECT_THROW(moved_from.terminate(), std::logic_error);
  EXPECT_THROW(static_cast<void>(moved_from.get_target()), std::logic_error);
  EXPECT_THROW(static_cast<void>(moved_from.get_stop_token()), std::logic_error);
}

TEST(MovedFrom, AThreadIsALogicError) {
  sigexc::thread first([] { return 7; });
  sigexc::thread second(std::move(first));
  expect_nobody(first);  // NOLINT: what is tested
  EXPECT_THROW(first.attach<int>([](int) {}), std::logic_error);
  EXPECT_EQ(second.wait(), 7);
}

TEST(MovedFrom, ATaskIsALogicError) {
  task_group group;
  auto first = group.spawn([] { return 1; });
  auto second = std::move(first);
  expect_nobody(first);  // NOLINT: what is tested
  EXPECT_EQ(second.wait(), 1);
}

// Throws when it is copied or moved for the n-th time.
class moved_seldom {
 public:
  explicit moved_seldom(int& left) : left_(&left) {}
  moved_seldom(const moved_seldom& other) : left_(other.left_) {
    if (--*left_ < 0) throw std::runtime_error("moved too often");
  }
  moved_seldom& operator=(const moved_seldom&) = delete;
  ~moved_seldom() = default;
  void operator()() const {}

 private:
  int* left_;
};

TEST(Callable, ThatThrowsWhenItIsCopiedLeavesNoThread) {
  const auto alive = targets().size();
  int left = 0;
  const moved_seldom body(left);
  EXPECT_THROW(sigexc::thread{body}, std::runtime_error);
  EXPECT_THROW(sigexc::thread([](const moved_seldom&) {}, body), std::runtime_error);
  task_group group;
  EXPECT_THROW(group.spawn(body), std::runtime_error);
  EXPECT_EQ(group.running(), 0U);
  const enrollment self;
  EXPECT_THROW((void)attach<int>([body](int) {}), std::runtime_error);
  EXPECT_EQ(targets().size(), alive + 1);
}

TEST(Result, ThatThrowsWhenItIsMovedEndsItsThread) {  // D6
  for (int moves = 0, has_result = 0; has_result == 0; ++moves) {
    ASSERT_LT(moves, 10);
    int left = moves;
    const auto give = [&left] {
      const moved_seldom made(left);
      return moved_seldom(made);
    };
    has_result = raised_by([&] { sigexc::thread(give).wait(); }) == "nothing" ? 1 : 0;
  }
  int left = 0;
  EXPECT_EQ(raised_by([&] { all([&left] { return moved_seldom(left); }); }), "moved too often");
  left = 0;
  EXPECT_EQ(raised_by([&] { race([&left] { return moved_seldom(left); }); }), "moved too often");
}

#if !defined(__SANITIZE_THREAD__)  // which does not like children that die
TEST(Callable, ThatThrowsWhenItIsDestroyedEndsTheProcess) {
  struct throws_at_last {
    bool throws = true;
    throws_at_last() = default;
    throws_at_last(throws_at_last&& other) noexcept : throws(std::exchange(other.throws, false)) {}
    throws_at_last(const throws_at_last&) = default;
    throws_at_last& operator=(const throws_at_last&) = delete;
    ~throws_at_last() noexcept(false) {
      if (throws) throw std::runtime_error("at last");
    }
    void operator()() const {}
  };
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(sigexc::thread(throws_at_last()).wait(), "at last");
  const enrollment self;
  EXPECT_DEATH((void)attach<int>([last = throws_at_last()](int) {}), "at last");
}
#endif

}  // namespace
}  // namespace sigexc::test
