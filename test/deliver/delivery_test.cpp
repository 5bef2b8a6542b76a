// Safe points: what they raise, and that nothing is raised into the unwinding of something else.
#include <gtest/gtest.h>

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

#include "support/interrupts.hpp"
#include "support/order.hpp"

namespace sigexc::test {
namespace {

// Runs a function when it is destroyed.
template <class F>
class at_exit {
 public:
  explicit at_exit(F function) : function_(std::move(function)) {}
  at_exit(const at_exit&) = delete;
  at_exit& operator=(const at_exit&) = delete;
  ~at_exit() { function_(); }

 private:
  F function_;
};

// Throws an exception of the work through the destructor of something that calls `function`.
template <class F>
void unwind_through(F function) {
  const at_exit destroyed(std::move(function));
  throw std::runtime_error("of the work");
}

TEST(SafePoint, ReturnsWhereNothingIsPending) {  // D1
  const enrollment self;
  for (int i = 0; i < 1000; ++i) ASSERT_NO_THROW(safe_point());
  EXPECT_FALSE(interrupt_pending());
}

TEST(SafePoint, KeepsErrno) {
  const enrollment self;
  const auto handler = attach<int>([](int) { errno = ENOENT; });
  to_self(std::string("two"));
  errno = EXDEV;
  EXPECT_EQ(raised_here(), "two");
  EXPECT_EQ(errno, EXDEV);
}

TEST(SafePoint, RaisesOneInterruptAsItself) {  // D2
  const enrollment self;
  to_self(1);
  EXPECT_TRUE(interrupt_pending());
  EXPECT_THROW(safe_point(), int);
  EXPECT_FALSE(interrupt_pending());
  EXPECT_NO_THROW(safe_point());  // caught is consumed
}

TEST(SafePoint, RaisesSeveralAsOneGroupInOrderOfArrival) {  // D2, S5
  const enrollment self;
  to_self(3);
  to_self(std::string("two"));
  to_self(1);
  EXPECT_EQ(raised_here(), "group(3, two, 1)");
  EXPECT_EQ(raised_here(), "nothing");
}

TEST(SafePoint, RaisesOnlyWhatIsNotBlocked) {  // D2, M1
  const enrollment self;
  EXPECT_EQ(raised_by([] {
              const block_scope<int> quiet;
              to_self(1);
              to_self(std::string("two"));
              to_self(3);
              EXPECT_EQ(raised_here(), "two");
            }),
            "group(1, 3)");
}

// If each were looked for from the front on, that would take half a minute.
TEST(SafePoint, PassesOverWhatIsBlockedOnce) {  // R4, S5
  constexpr int many = 60'000;
  const block_scope<int> not_these;
  const enrollment self;
  for (int i = 0; i < many; ++i) to_self(i);
  for (long i = 0; i < many; ++i) to_self(i);
  const auto begin = std::chrono::steady_clock::now();
  try {
    safe_point();
    ADD_FAILURE();
  } catch (const exception_group& all) {
    EXPECT_EQ(all.exceptions().size(), many);
  }
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(10));
}

TEST(SafePoint, RaisesTheVeryObjectThatWasSent) {  // D2
  const enrollment self;
  const auto sent = std::make_exception_ptr(std::out_of_range("far"));
  self.get_target().interrupt(sent);
  try {
    safe_point();
    FAIL() << "nothing was raised";
  } catch (const std::logic_error&) {
    EXPECT_EQ(std::current_exception(), sent);
  }
  self.get_target().interrupt(sent);  // again, and with another
  to_self(2);
  try {
    safe_point();
    FAIL() << "nothing was raised";
  } catch (const exception_group& group) {
    EXPECT_EQ(group.exceptions().front(), sent);
  }
}

TEST(SafePoint, RaisesAGroupThatWasSentAsItIs) {  // D2
  const enrollment self;
  to_self(exception_group({std::make_exception_ptr(1)}));
  EXPECT_EQ(raised_here(), "group(1)");
  to_self(exception_group({std::make_exception_ptr(1), std::make_exception_ptr(2)}));
  to_self(3);
  EXPECT_EQ(raised_here(), "group(group(1, 2), 3)");
}

TEST(SafePoint, OfTheTargetOnlyRaises) {  // D1: other threads are left alone
  const enrollment self;
  to_self(1);
  thread other([] { return raised_here(); });
  EXPECT_NE(other.get_target(), self.get_target());
  std::string foreign;
  std::jthread([&] { foreign = raised_here(); }).join();
  EXPECT_EQ(foreign, "nothing");
  EXPECT_EQ(raised_here(), "1");
  EXPECT_EQ(other.wait(), "nothing");
}

TEST(SafePoint, SeesWhatAnotherThreadSentWithoutWaiting) {  // S2, D1: a loop with nothing else
  thread busy([] {
    for (;;) safe_point();
  });
  for (int i = 0; i < 100; ++i) std::this_thread::yield();
  busy.interrupt(7);
  EXPECT_EQ(raised_by([&] { busy.wait(); }), "7");
}

TEST(Unwinding, HoldsWhatIsPendingUntilItIsOver) {  // M4, R2
  const enrollment self;
  EXPECT_THROW(unwind_through([&] {
                 to_self(1);
                 safe_point();
               }),
               std::runtime_error);
  EXPECT_TRUE(interrupt_pending());
  EXPECT_EQ(raised_here(), "1");
}

TEST(Unwinding, RaisesWhatIsCaughtBeforeItGetsThere) {  // R1
  const enrollment self;
  std::string during;
  EXPECT_THROW(unwind_through([&] {
                 to_self(1);
                 during = raised_here();
               }),
               std::runtime_error);
  EXPECT_EQ(during, "1");
  EXPECT_FALSE(interrupt_pending());
}

TEST(Unwinding, HoldsItInScopesToo) {  // M3, M4
  const enrollment self;
  EXPECT_THROW(unwind_through([&] {
                 {
                   const block_scope quiet;
                   to_self(1);
                 }
                 const unblock_scope open;
                 blocked([] { to_self(2); });
                 const mask_scope again(policy::immediate);
               }),
               std::runtime_error);
  EXPECT_EQ(raised_here(), "group(1, 2)");
}

TEST(Unwinding, LetsWaitsCompleteAsIfBlocked) {  // R3
  const long_wait wait;
  witness where;
  thread sleeper([&] {
    std::string raised = raised_by([&] {
      unwind_through([&] {
        to_self(1);  // one before the wait, and one during it
        where.here();
        EXPECT_EQ(wait.wait(), delivery::withdrawn);
      });
    });
    return raised + ", " + raised_here();
  });
  where.await_asleep();
  const receipt sent = sleeper.interrupt(2);
  where.await_asleep();
  EXPECT_EQ(sent.state(), delivery::pending);
  wait.end();
  EXPECT_EQ(sleeper.wait(), "of the work, group(1, 2)");
}

TEST(Unwinding, HoldsItInAWaitWhoseTimeEndsToo) {  // R3, D1
  const enrollment self;
  const long_wait wait;
  EXPECT_THROW(unwind_through([&] {
                 to_self(1);
                 EXPECT_EQ(wait.sent().wait_for(std::chrono::milliseconds(1)), delivery::pending);
               }),
               std::runtime_error);
  EXPECT_EQ(raised_here(), "1");
}

TEST(Unwinding, CallsCallbacks) {  // D3
  const enrollment self;
  int handled = 0;
  const auto handler = attach<int>([&](int) { ++handled; });
  int during = -1;
  EXPECT_THROW(unwind_through([&] {
                 to_self(1);
                 safe_point();
                 during = handled;
               }),
               std::runtime_error);
  EXPECT_EQ(during, 1);
}

TEST(Unwinding, IsOverInACatchClause) {  // D7
  const enrollment self;
  std::string inside;
  try {
    throw std::runtime_error("of the work");
  } catch (const std::runtime_error&) {
    to_self(1);
    inside = raised_here();
  }
  EXPECT_EQ(inside, "1");
}

TEST(Unwinding, OfAnotherThreadHoldsNothing) {
  std::optional<receipt> sent;
  thread other([] {
    for (;;) safe_point();
  });
  EXPECT_THROW(unwind_through([&] {
                 sent = other.interrupt(1);
                 EXPECT_EQ(sent->wait(), delivery::raised);
               }),
               std::runtime_error);
  EXPECT_EQ(raised_by([&] { other.wait(); }), "1");
}

// D2 without groups. In a process of its own: the options are set before the first target.
TEST(Configuration, WithoutGroupsRaisesOneAtATimeOldestFirst) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const auto run = [] {
    options chosen;
    chosen.group = false;
    configure(chosen);
    const enrollment self;
    to_self(1);
    to_self(std::string("two"));
    const receipt last = to_self(3);
    std::string all = raised_here();
    if (last.state() != delivery::pending || self.get_target().pending() != 2) all += " at once";
    all += ", " + raised_here();
    all += ", " + raised_here();
    all += ", " + raised_here();
    std::fprintf(stderr, "%s\n", all.c_str());
    std::_Exit(0);
  };
  EXPECT_EXIT(run(), testing::ExitedWithCode(0), "^1, two, 3, nothing");
}

}  // namespace
}  // namespace sigexc::test
