// What takes a std::stop_token ends with terminate().
#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <semaphore>
#include <stop_token>
#include <string>
#include <thread>

#include "support/interrupts.hpp"
#include "support/order.hpp"
#include "support/rounds.hpp"

namespace sigexc::test {
namespace {

// A wait of the standard library, which knows nothing of ours. @return whether it was stopped.
class standard_wait {
 public:
  bool operator()(const std::stop_token& token) {
    std::unique_lock lock(mutex_);
    waiter.here();
    return !changed_.wait(lock, token, [] { return false; });
  }
  witness waiter;

 private:
  std::mutex mutex_;
  std::condition_variable_any changed_;
};

TEST(StopToken, EndsAWaitOfTheStandardLibrary) {  // D5
  standard_wait wait;
  std::atomic<bool> is_stopped = false;
  thread waiting([&] {
    is_stopped = wait(this_thread::get_stop_token());
    safe_point();
  });
  wait.waiter.await_asleep();
  EXPECT_FALSE(waiting.get_stop_token().stop_requested());
  const receipt sent = waiting.terminate();
  EXPECT_EQ(raised_by([&] { waiting.wait(); }), "terminated");
  EXPECT_TRUE(is_stopped);
  EXPECT_TRUE(waiting.get_stop_token().stop_requested());
  EXPECT_EQ(sent.state(), delivery::raised);
}

TEST(StopToken, EndsAWaitInABlock) {  // M1
  standard_wait wait;
  thread waiting([&] {
    bool is_stopped = false;
    const std::string raised = raised_by([&] {
      const block_scope quiet;
      is_stopped = wait(this_thread::get_stop_token());
    });
    return is_stopped ? raised : "not stopped";
  });
  wait.waiter.await_asleep();
  waiting.terminate();
  EXPECT_EQ(raised_by([&] { waiting.wait(); }), "nothing");
  EXPECT_EQ(waiting.wait(), "terminated");
}

TEST(StopToken, EndsAWaitOfAThreadThatIsEnrolled) {
  standard_wait wait;
  std::optional<target> who;
  std::binary_semaphore is_enrolled(0);
  std::string raised;
  std::jthread other([&] {
    const enrollment self;
    EXPECT_EQ(self.get_stop_token(), this_thread::get_stop_token());
    who = self.get_target();
    is_enrolled.release();
    wait(self.get_stop_token());
    raised = raised_here();
  });
  is_enrolled.acquire();
  wait.waiter.await_asleep();
  who->terminate();
  other.join();
  EXPECT_EQ(raised, "terminated");
}

TEST(StopToken, CallsTheCallbacksOfOthersCode) {
  std::binary_semaphore is_ready(0);
  std::binary_semaphore is_over(0);
  thread third_party([&] {
    const std::stop_callback stopped(this_thread::get_stop_token(), [&] { is_over.release(); });
    is_ready.release();
    is_over.acquire();
    return raised_here();
  });
  is_ready.acquire();
  third_party.terminate();
  EXPECT_EQ(third_party.wait(), "terminated");
}

TEST(StopToken, IsRequestedByNothingElse) {
  const enrollment self;
  const auto token = this_thread::get_stop_token();
  to_self(1);
  to_self(terminated());  // an exception as any other
  EXPECT_FALSE(token.stop_requested());
  self.get_target().terminate().withdraw();
  EXPECT_TRUE(token.stop_requested());  // a request cannot be taken back
  raised_here();
  thread<void> other([] { sleep_for(std::chrono::hours(1)); });
  other.interrupt(1);
  EXPECT_EQ(raised_by([&] { other.wait(); }), "1");
  EXPECT_FALSE(other.get_stop_token().stop_requested());
}

TEST(StopToken, IsForTargetsOnly) {
  EXPECT_THROW(static_cast<void>(this_thread::get_stop_token()), not_enrolled);
}

TEST(StopToken, FindsTheTerminationPendingWheneverItComes) {  // D5
  const int rounds = stress_rounds(2000);
  for (int round = 0; round < rounds; ++round) {
    standard_wait wait;
    std::binary_semaphore is_running(0);
    thread waiting(thread_options{.start_blocked = true}, [&] {
      const block_scope quiet;
      is_running.release();
      return wait(this_thread::get_stop_token()) && interrupt_pending();
    });
    is_running.acquire();
    spin(round % 500);
    waiting.terminate();
    ASSERT_TRUE(waiting.wait()) << "in round " << round;
  }
}

}  // namespace
}  // namespace sigexc::test
