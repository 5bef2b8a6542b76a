// Safe points without memory: what there is no memory to raise is raised later, and nothing is
// lost, doubled, or said to have been swallowed.
#include <gtest/gtest.h>

#include <exception>
#include <new>
#include <string>
#include <vector>

#include "support/failing_memory.hpp"
#include "support/interrupts.hpp"

namespace sigexc::test {
namespace {

// A target that has its place for what `last_interrupt` tells, which is made with the first raise:
// a failure of that allocation changes nothing else.
class noted_target {
 public:
  noted_target() {
    await(are_others_asleep);
    to_self(0);
    raised_here();
  }
  [[nodiscard]] target get_target() const { return self_.get_target(); }

 private:
  enrollment self_;
};

// What safe points raise one after the other, all of it kept alive, until one raises nothing.
class raised_in_turn {
 public:
  // The first safe point makes `succeed` allocations before one fails.
  explicit raised_in_turn(int succeed) {
    kept_.reserve(8);
    allocations_left = succeed;
    for (bool is_over = false; !is_over;) {
      try {
        safe_point();
        is_over = true;
      } catch (...) {
        has_failed_ = has_failed_ || allocations_left < 0;
        allocations_left = -1;
        kept_.push_back(std::current_exception());
      }
    }
    allocations_left = -1;
  }
  raised_in_turn(const raised_in_turn&) = delete;
  raised_in_turn& operator=(const raised_in_turn&) = delete;
  ~raised_in_turn() {
    for (const auto& each : kept_) acknowledge(each);
  }

  [[nodiscard]] bool has_failed() const { return has_failed_; }
  [[nodiscard]] std::string words() const {
    std::string all;
    for (const auto& each : kept_) all += (all.empty() ? "" : " ") + test::words(each);
    return all;
  }

 private:
  static void acknowledge(const std::exception_ptr& raised) {
    try {
      std::rethrow_exception(raised);
    } catch (const terminated& e) {
      e.acknowledge();
    } catch (const exception_group& group) {
      for (const auto& member : group.exceptions()) acknowledge(member);
    } catch (...) {
    }
  }

  bool has_failed_ = false;
  std::vector<std::exception_ptr> kept_;
};

// Sends what `send` sends and raises it with each of the allocations failing in turn. What is
// raised is `without_memory` then, and `with_memory` once all succeed.
template <class F>
void expect_raised(F send, const std::string& without_memory, const std::string& with_memory) {
  int failures = 0;
  for (bool has_failed = true; has_failed;) {
    const noted_target self;
    send();
    const raised_in_turn raised(failures);
    has_failed = raised.has_failed();
    failures += has_failed ? 1 : 0;
    ASSERT_EQ(raised.words(), has_failed ? without_memory : with_memory)
        << "allocation " << failures << " has failed";
    ASSERT_EQ(self.get_target().pending(), 0U);
    ASSERT_LT(failures, 100);
  }
  EXPECT_GT(failures, 0);
}

TEST(OutOfMemory, RaisesWhatCannotBeNoted) {  // S8
  const enrollment self;
  await(are_others_asleep);
  to_self(1);
  EXPECT_EQ(raised_in_turn(1).words(), "1");  // the first is for what is raised
  EXPECT_FALSE(last_interrupt().has_value());
  to_self(2);
  EXPECT_EQ(raised_here(), "2");
  EXPECT_TRUE(last_interrupt().has_value());
}

TEST(OutOfMemory, RaisesTheOldestAndTheRestAtTheNextSafePoint) {  // D2, S5, S8
  expect_raised(
      [] {
        to_self(1);
        to_self(std::string("two"));
        to_self(3);
      },
      "1 group(two, 3)", "group(1, two, 3)");
}

TEST(OutOfMemory, RaisesATerminationOnceWhileItIsAlive) {  // D5
  expect_raised(
      [] {
        this_thread::get_target().terminate();
        to_self(1);
      },
      "terminated 1", "group(terminated, 1)");
}

TEST(OutOfMemory, RaisesATerminationOnceBehindAnOlderInterrupt) {  // D5, S5
  expect_raised(
      [] {
        to_self(1);
        this_thread::get_target().terminate();
      },
      "1 terminated", "group(1, terminated)");
}

TEST(OutOfMemory, LeavesATerminationThatIsSwallowedPendingAgain) {  // D5: whichever fails
  int failures = 0;
  for (bool has_failed = true; has_failed;) {
    const noted_target self;
    const receipt sent = self.get_target().terminate();
    to_self(1);
    std::string raised;
    allocations_left = failures;
    try {
      safe_point();
    } catch (...) {
      has_failed = allocations_left < 0;
      allocations_left = -1;
      raised = words(std::current_exception());
    }
    EXPECT_EQ(raised, has_failed ? "terminated" : "group(terminated, 1)");
    EXPECT_EQ(sent.state(), delivery::raised);
    EXPECT_EQ(raised_here(), has_failed ? "group(1, terminated)" : "terminated");
    failures += has_failed ? 1 : 0;
    ASSERT_LT(failures, 100);
  }
  EXPECT_GT(failures, 0);
}

}  // namespace
}  // namespace sigexc::test
