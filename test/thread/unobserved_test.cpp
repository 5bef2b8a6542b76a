// Exceptions that ended a thread and that nobody waited for: who is told.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <optional>
#include <semaphore>
#include <stdexcept>
#include <string>
#include <vector>

#include "support/interrupts.hpp"
#include "support/order.hpp"

namespace sigexc::test {
namespace {

// Collects what nobody waited for, while it lives.
class unobserved {
 public:
  unobserved() : before_(set_unobserved_handler(collect)) { seen().clear(); }
  unobserved(const unobserved&) = delete;
  unobserved& operator=(const unobserved&) = delete;
  ~unobserved() { set_unobserved_handler(before_); }

  [[nodiscard]] std::string words() const {
    const std::lock_guard lock(mutex());
    std::string all;
    for (const std::string& each : seen()) all += (all.empty() ? "" : ", ") + each;
    return all;
  }

 private:
  static std::mutex& mutex() {
    static std::mutex m;
    return m;
  }
  static std::vector<std::string>& seen() {
    static std::vector<std::string> s;
    return s;
  }
  static void collect(const target& who, std::exception_ptr exception) noexcept {
    const std::lock_guard lock(mutex());
    seen().push_back(who.name() + ": " + test::words(exception));
  }

  unobserved_handler before_;
};

TEST(Unobserved, IsGivenWhatNobodyWaitedFor) {  // D6
  const unobserved handler;
  {
    const thread other({.name = "lonely"}, [] { throw std::out_of_range("far"); });
    await([&] { return other.get_target().finished(); });
  }
  EXPECT_EQ(handler.words(), "lonely: far");
}

TEST(Unobserved, IsNotGivenATermination) {  // D6
  const unobserved handler;
  std::atomic<bool> runs = false;
  {
    const thread other([&] {
      runs = true;
      for (;;) safe_point();
    });
    await([&] { return runs.load(); });
  }
  EXPECT_EQ(handler.words(), "");
}

TEST(Unobserved, IsNotGivenWhatAWaitHasThrown) {  // D6
  const unobserved handler;
  {
    thread other([] { throw std::out_of_range("far"); });
    EXPECT_THROW(other.wait(), std::out_of_range);
  }
  {
    thread fine([] { return 7; });
  }
  EXPECT_EQ(handler.words(), "");
}

TEST(Unobserved, IsGivenWhatReplacedTheTerminationOfTheDestructor) {  // D6
  const unobserved handler;
  std::atomic<bool> runs = false;
  {
    const thread other({.name = "other"}, [&] {
      try {
        runs = true;
        for (;;) safe_point();
      } catch (const terminated&) {
        throw std::out_of_range("far");
      }
    });
    await([&] { return runs.load(); });
  }
  EXPECT_EQ(handler.words(), "other: far");
}

TEST(Unobserved, IsGivenWhatEndedAThreadThatHadDestroyedItsHandle) {  // D6
  const unobserved handler;
  std::optional<thread<void>> handle;
  std::binary_semaphore is_made(0);
  handle.emplace(thread_options{.name = "alone"}, [&] {
    is_made.acquire();
    handle.reset();
    throw std::out_of_range("far");
  });
  const target kept = handle->get_target();
  is_made.release();
  await([&] { return kept.finished() && !handler.words().empty(); });
  EXPECT_EQ(handler.words(), "alone: far");
}

TEST(Unobserved, HandlersReturnThePreviousAndNullMeansALineOnStderr) {  // D6
  const auto quiet = [](const target&, std::exception_ptr) noexcept {};
  const unobserved_handler first = set_unobserved_handler(quiet);
  EXPECT_EQ(set_unobserved_handler(nullptr), +quiet);
  testing::internal::CaptureStderr();
  {
    const thread other({.name = "lonely"}, [] { throw std::out_of_range("too far"); });
    await([&] { return other.get_target().finished(); });
  }
  const std::string text = testing::internal::GetCapturedStderr();
  set_unobserved_handler(first);
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1) << text;
  EXPECT_NE(text.find("lonely"), std::string::npos) << text;
  EXPECT_NE(text.find("too far"), std::string::npos) << text;
}

}  // namespace
}  // namespace sigexc::test
