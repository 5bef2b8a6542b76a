// Results taken out of a thread that goes, and waits whose time was over long ago.
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>

#include "support/interrupts.hpp"
#include "support/order.hpp"

namespace sigexc::test {
namespace {

using namespace std::chrono_literals;

// Tells how often it was copied on the way.
struct counting {
  int copies = 0;
  counting() = default;
  counting(const counting& other) : copies(other.copies + 1) {}
  counting(counting&& other) noexcept : copies(other.copies) {}
  counting& operator=(const counting&) = delete;
  counting& operator=(counting&&) = delete;
  ~counting() = default;
};

TEST(TemporaryThread, GivesAResultThatCanOnlyBeMoved) {
  auto result = thread([] { return std::make_unique<int>(7); }).wait();
  static_assert(std::is_same_v<decltype(result), std::unique_ptr<int>>);
  EXPECT_EQ(*result, 7);
}

TEST(TemporaryThread, MovesItsResultAndNeverCopiesIt) {
  EXPECT_EQ(thread([] { return counting(); }).wait().copies, 0);
}

TEST(TemporaryThread, GivesReferencesValuesAndNothingAsTheyAre) {
  std::unique_ptr<int> object = std::make_unique<int>(7);
  thread referring([&]() -> std::unique_ptr<int>& { return object; });
  static_assert(std::is_same_v<decltype(std::move(referring).wait()), std::unique_ptr<int>&>);
  EXPECT_EQ(&std::move(referring).wait(), &object);
  EXPECT_EQ(*object, 7);
  EXPECT_EQ(thread([] { return std::string("seven"); }).wait(), "seven");
  static_assert(std::is_void_v<decltype(thread([] {}).wait())>);
  thread([] {}).wait();
}

TEST(TemporaryThread, ThrowsWhatEndedIt) {  // D6
  EXPECT_THROW(thread([]() -> std::unique_ptr<int> { throw 1; }).wait(), int);
}

// The difference to now has no room in the clock's type, whose arithmetic must not be used then.
TEST(ThreadWait, UntilTheBeginningOfTimeDoesNotWait) {
  const long_wait wait;
  thread other([&] { wait.wait(); });
  EXPECT_FALSE(other.wait_until(std::chrono::steady_clock::time_point::min()));
  EXPECT_FALSE(other.wait_until(std::chrono::system_clock::time_point::min()));
  EXPECT_FALSE(other.wait_until(std::chrono::steady_clock::time_point()));
  wait.end();
  other.wait();
  EXPECT_TRUE(other.wait_until(std::chrono::steady_clock::time_point::min()));
}

TEST(ThreadWait, UntilTheBeginningOfTimeIsASafePoint) {  // O1
  const enrollment self;
  const long_wait wait;
  thread other([&] { wait.wait(); });
  to_self(1);
  EXPECT_THROW(static_cast<void>(other.wait_until(std::chrono::steady_clock::time_point::min())),
               int);
}

}  // namespace
}  // namespace sigexc::test
