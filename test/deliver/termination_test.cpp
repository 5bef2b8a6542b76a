// Termination is level-triggered: it comes back as long as it is swallowed, and not before it has
// been let go.
#include <gtest/gtest.h>

#include <exception>
#include <memory>
#include <optional>
#include <semaphore>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "support/interrupts.hpp"
#include "support/order.hpp"

namespace sigexc::test {
namespace {

// Takes the pending termination out of the library's hands.
std::exception_ptr take() {
  try {
    safe_point();
  } catch (const terminated&) {
    return std::current_exception();
  }
  return nullptr;
}

void acknowledge(const std::exception_ptr& exception) {
  try {
    std::rethrow_exception(exception);
  } catch (const terminated& t) {
    t.acknowledge();
  }
}

TEST(Termination, ComesBackAsLongAsItIsSwallowed) {  // D5
  const enrollment self;
  const receipt sent = terminate_self();
  for (int i = 0; i < 10; ++i) {
    ASSERT_EQ(raised_here(), "terminated");
    ASSERT_EQ(sent.state(), delivery::raised);  // S8: it has ended once and for all
    ASSERT_TRUE(interrupt_pending());
    ASSERT_EQ(self.get_target().pending(), 1U);
  }
  EXPECT_FALSE(sent.withdraw());
}

TEST(Termination, AcknowledgedIsOver) {  // D5
  const enrollment self;
  terminate_self();
  try {
    safe_point();
    FAIL() << "nothing was raised";
  } catch (const terminated& t) {
    t.acknowledge();
    t.acknowledge();
  }
  EXPECT_FALSE(interrupt_pending());
  EXPECT_EQ(raised_here(), "nothing");
}

TEST(Termination, IsNotRaisedAgainWhileItIsHandled) {  // D5
  const enrollment self;
  terminate_self();
  std::string inside = "not raised";
  try {
    safe_point();
  } catch (const interruption& i) {
    EXPECT_STRNE(i.what(), "");
    EXPECT_FALSE(interrupt_pending());
    inside = raised_here();
    EXPECT_EQ(raised_by([] { blocked([] {}); }), "nothing");
  }
  EXPECT_EQ(inside, "nothing");
  EXPECT_EQ(raised_here(), "terminated");
}

TEST(Termination, LeavesOtherInterruptsAloneWhileItIsHandled) {  // D5, D7
  const enrollment self;
  terminate_self();
  std::string inside;
  try {
    safe_point();
  } catch (const terminated&) {
    to_self(1);
    inside = raised_here();
  }
  EXPECT_EQ(inside, "1");
}

TEST(Termination, IsKeptAliveByAnExceptionPointer) {  // D5
  const enrollment self;
  terminate_self();
  std::exception_ptr kept = take();
  ASSERT_NE(kept, nullptr);
  EXPECT_EQ(raised_here(), "nothing");
  std::exception_ptr other = kept;
  kept = nullptr;
  EXPECT_EQ(raised_here(), "nothing");
  other = nullptr;
  EXPECT_EQ(raised_here(), "terminated");
}

TEST(Termination, IsKeptAliveByACopy) {  // D5
  const enrollment self;
  terminate_self();
  std::optional<terminated> copy;
  std::optional<terminated> second;
  try {
    safe_point();
  } catch (const terminated& t) {
    copy = t;
    second.emplace(*copy);
  }
  EXPECT_EQ(raised_here(), "nothing");
  copy.reset();
  EXPECT_EQ(raised_here(), "nothing");
  *second = terminated();  // gives up the last one
  EXPECT_EQ(raised_here(), "terminated");
}

TEST(Termination, CanBeAcknowledgedByACopy) {  // D5
  const enrollment self;
  terminate_self();
  std::optional<terminated> copy;
  try {
    safe_point();
  } catch (const terminated& t) {
    copy = t;
  }
  copy->acknowledge();
  copy.reset();
  EXPECT_EQ(raised_here(), "nothing");
}

TEST(Termination, RethrownIsStillTheSame) {  // D5
  const enrollment self;
  terminate_self();
  EXPECT_EQ(raised_by([] {
              try {
                safe_point();
              } catch (...) {
                EXPECT_EQ(raised_here(), "nothing");
                throw;
              }
            }),
            "terminated");
  EXPECT_EQ(raised_here(), "terminated");
}

TEST(Termination, DroppedByAnotherThreadComesBackToItsTarget) {  // D5
  const enrollment self;
  terminate_self();
  std::exception_ptr kept = take();
  std::jthread([dropped = std::exchange(kept, nullptr)]() mutable { dropped = nullptr; }).join();
  EXPECT_EQ(raised_here(), "terminated");
}

TEST(Termination, DroppedWhileItsTargetWaitsEndsTheWait) {  // D5, O2
  const long_wait wait;
  witness where;
  std::exception_ptr kept;
  thread sleeper([&] {
    terminate_self();
    kept = take();
    where.here();
    return raised_by([&] { wait.wait(); });
  });
  where.await_asleep();
  kept = nullptr;
  EXPECT_EQ(sleeper.wait(), "terminated");
}

TEST(Termination, OutlivesItsTargetWithoutHarm) {  // D5, S6
  auto self = std::make_unique<enrollment>();
  terminate_self();
  std::exception_ptr kept = take();
  std::exception_ptr other = kept;
  self.reset();
  const enrollment next;
  acknowledge(kept);
  kept = nullptr;
  other = nullptr;
  EXPECT_EQ(raised_here(), "nothing");
}

TEST(Termination, SwallowedWithItsTargetIsOver) {  // D5, S8
  auto self = std::make_unique<enrollment>();
  terminate_self();
  EXPECT_EQ(raised_here(), "terminated");
  self.reset();
  const enrollment next;
  EXPECT_EQ(raised_here(), "nothing");
}

TEST(Termination, IsHeldByScopesAsOthersAre) {  // M1, D5
  const enrollment self;
  EXPECT_EQ(raised_by([] {
              const block_scope<interruption> quiet;
              terminate_self();
              to_self(1);
              EXPECT_EQ(raised_here(), "1");
            }),
            "terminated");
  const block_scope quiet;  // now it is pending again, and blocked
  EXPECT_EQ(raised_here(), "nothing");
  EXPECT_TRUE(interrupt_pending());
  acknowledge([] {
    try {
      const unblock_scope open;
    } catch (const terminated&) {
      return std::current_exception();
    }
    throw std::logic_error("nothing was raised");
  }());
}

TEST(Termination, TwiceIsRaisedOnce) {  // D5, S8
  const enrollment self;
  const receipt first = terminate_self();
  const receipt second = terminate_self();
  const std::exception_ptr kept = take();
  ASSERT_NE(kept, nullptr) << "not one `terminated`";
  EXPECT_EQ(first.state(), delivery::raised);
  EXPECT_EQ(second.state(), delivery::raised);
  acknowledge(kept);
  EXPECT_FALSE(interrupt_pending());
  EXPECT_EQ(raised_here(), "nothing");
}

TEST(Termination, WithdrawnIsNotRaised) {  // S9
  const enrollment self;
  const receipt first = terminate_self();
  EXPECT_TRUE(first.withdraw());
  EXPECT_EQ(raised_here(), "nothing");
  const receipt second = terminate_self();
  const receipt third = terminate_self();
  EXPECT_TRUE(second.withdraw());
  EXPECT_EQ(raised_here(), "terminated");
  EXPECT_EQ(third.state(), delivery::raised);
}

TEST(Termination, MadeByHandIsAnExceptionLikeAnyOther) {  // D5: edge-triggered
  const enrollment self;
  to_self(terminated());
  EXPECT_EQ(raised_here(), "terminated");
  EXPECT_FALSE(interrupt_pending());
  EXPECT_EQ(raised_here(), "nothing");
  EXPECT_NO_THROW(terminated().acknowledge());
}

}  // namespace
}  // namespace sigexc::test
