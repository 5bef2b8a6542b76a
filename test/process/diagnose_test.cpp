// Why an interrupt is pending, and where the thread is: each answer, of threads in every state.
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <latch>
#include <mutex>
#include <string>
#include <thread>

#include "support/interrupts.hpp"
#include "support/order.hpp"
#include "support/watchdog.hpp"

// Where threads are to be found. Not `static`, nor inlined: their names are looked for.
namespace places {

std::atomic<bool> is_over{false};
std::atomic<bool> is_there{false};

[[gnu::noinline]] void computes_without_safe_points() {
  is_there = true;
  while (!is_over) sigexc::test::spin(10);
  asm volatile("");  // no tail call
}

[[gnu::noinline]] void computes_in_a_block() {
  const sigexc::block_scope<> everything;
  computes_without_safe_points();
}

[[gnu::noinline]] void is_noexcept() noexcept {
  is_there = true;
  while (!is_over) sigexc::safe_point();
  asm volatile("");
}

[[gnu::noinline]] void is_noexcept_behind_its_safe_point(
    const std::atomic<bool>& is_sent) noexcept {
  while (!is_sent) std::this_thread::yield();
  sigexc::safe_point();
  is_there = true;
  while (!is_over) std::atomic_signal_fence(std::memory_order_seq_cst);
}

[[gnu::noinline]] void waits_for_a_lock(std::mutex& mutex) {
  const std::lock_guard lock(mutex);
  asm volatile("");
}

[[gnu::noinline]] void reads(int from) {
  char byte = 0;
  sigexc::posix::read(from, &byte, 1);
  asm volatile("");
}

}  // namespace places

namespace sigexc {
namespace {

using namespace test;

struct obstacle {
  int distance;
};

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

// A target whose body is `body`, until the end of the test.
class subject {
 public:
  template <class F>
  explicit subject(F body)
      : thread_(thread_options{.name = "subject"}, [this, body] {
          who_.here();
          try {
            body();
          } catch (const obstacle&) {
          } catch (const exception_group&) {  // with the termination at the end of the test
          }
        }) {}
  ~subject() { places::is_over = true; }

  [[nodiscard]] target get() const { return thread_.get_target(); }
  receipt send() const { return thread_.interrupt(obstacle{1}); }
  void await_there() const {
    await([] { return places::is_there.load(); });
  }
  void await_asleep() const { who_.await_asleep(); }

 private:
  witness who_;
  thread<void> thread_;
};

class Diagnose : public testing::Test {
 protected:
  Diagnose() { places::is_over = places::is_there = false; }
};

// R2: the reason names what holds an interrupt.
TEST_F(Diagnose, NamesTheScopeThatHolds) {
  const subject one([] {
    const block_scope<obstacle> held;
    places::is_there = true;
    while (!places::is_over) safe_point();
  });
  one.await_there();
  one.send();
  await([&] { return contains(diagnose(one.get()).reason, "held by a scope"); });
  const report found = diagnose(one.get());
  EXPECT_EQ(found.why, hold::blocked_by_scope);
  EXPECT_EQ(found.who, one.get());
  EXPECT_TRUE(
      contains(found.reason, "an interrupt of type sigexc::(anonymous namespace)::obstacle"))
      << found.reason;
  EXPECT_TRUE(contains(found.reason, "policy::never for sigexc::(anonymous namespace)::obstacle;"))
      << found.reason;
  EXPECT_GT(found.oldest.count(), 0);
}

// S4, R2: also where nothing has been looked at yet.
TEST_F(Diagnose, NamesAFullBlockAroundAComputation) {
  const subject one([] { places::computes_in_a_block(); });
  one.await_there();
  one.send();
  const report found = diagnose(one.get());
  EXPECT_EQ(found.why, hold::blocked_by_scope) << found.reason;
  EXPECT_TRUE(contains(found.reason, "policy::never for every interrupt")) << found.reason;
  const std::string stack = found.stack.to_string();
  EXPECT_TRUE(contains(stack, "places::computes_without_safe_points()+")) << stack;
  EXPECT_TRUE(contains(stack, "places::computes_in_a_block()+")) << stack;
}

// M5: a scope that opens a block again.
TEST_F(Diagnose, SeesThroughAScopeThatRestores) {
  const subject one([] {
    const mask_scope<obstacle> patient(policy::on_blocking);
    const block_scope<obstacle> held;
    const unblock_scope<obstacle> restored(held);
    places::computes_without_safe_points();
  });
  one.await_there();
  one.send();
  const report found = diagnose(one.get());
  EXPECT_EQ(found.why, hold::blocked_by_scope) << found.reason;
  EXPECT_TRUE(contains(found.reason, "policy::on_blocking for")) << found.reason;
}

// R2
TEST_F(Diagnose, NamesTheFunctionThatWouldEndTheProcess) {
  const subject one([] { places::is_noexcept(); });
  one.await_there();
  one.send();
  report found{.who = one.get()};
  await([&] { return (found = diagnose(one.get())).why == hold::blocked_by_noexcept; });
  EXPECT_TRUE(contains(found.reason, "would end the process in places::is_noexcept()"))
      << found.reason;
}

// R2: it came to a safe point in that function, which held, and is elsewhere in it now.
TEST_F(Diagnose, NamesAFunctionThatHasHeldAndComputes) {
  std::atomic<bool> is_sent{false};
  const subject one([&is_sent] { places::is_noexcept_behind_its_safe_point(is_sent); });
  one.send();
  is_sent = true;
  one.await_there();
  const report found = diagnose(one.get());
  EXPECT_EQ(found.why, hold::blocked_by_noexcept) << found.reason;
}

TEST_F(Diagnose, ShowsAThreadThatComesToNoSafePoint) {
  const subject one([] { places::computes_without_safe_points(); });
  one.await_there();
  one.send();
  const report found = diagnose(one.get());
  EXPECT_EQ(found.why, hold::no_safe_point) << found.reason;
  EXPECT_TRUE(contains(found.stack.to_string(), "places::computes_without_safe_points()+"))
      << found.stack.to_string();
}

TEST_F(Diagnose, ShowsAThreadThatSleepsInForeignCode) {
  std::mutex mutex;
  std::unique_lock lock(mutex);
  const subject one([&] { places::waits_for_a_lock(mutex); });
  one.await_asleep();
  one.send();
  one.await_asleep();  // again: SIGEXC has woken it
  const report found = diagnose(one.get());
  EXPECT_EQ(found.why, hold::not_running) << found.reason;
  EXPECT_TRUE(contains(found.reason, "sleeps in the kernel")) << found.reason;
  EXPECT_TRUE(contains(found.stack.to_string(), "places::waits_for_a_lock(std::mutex&)+"))
      << found.stack.to_string();
  lock.unlock();
}

TEST_F(Diagnose, SeesThroughAnotherSignalsHandler) {
#if defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "ThreadSanitizer puts the handler off until the thread has the lock";
#endif
  struct sigaction computing {};
  computing.sa_handler = [](int) { places::computes_without_safe_points(); };
  ::sigaction(SIGUSR1, &computing, nullptr);
  std::atomic<pthread_t> handle{};
  std::mutex mutex;
  std::unique_lock lock(mutex);
  const subject one([&] {
    handle = pthread_self();
    places::waits_for_a_lock(mutex);
  });
  one.await_asleep();
  await([&] { return handle != pthread_t{}; });
  ::pthread_kill(handle, SIGUSR1);
  one.await_there();
  const std::string stack = diagnose(one.get()).stack.to_string();
  EXPECT_TRUE(contains(stack, "places::computes_without_safe_points()+")) << stack;
  EXPECT_TRUE(contains(stack, "places::waits_for_a_lock(std::mutex&)+")) << stack;
  places::is_over = true;
  lock.unlock();
}

// O4: the read goes on.
TEST_F(Diagnose, ShowsAThreadInAnOperationAndDoesNotDisturbIt) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe(ends.data()), 0);
  {
    const subject one([&] { places::reads(ends[0]); });
    one.await_asleep();
    for (int i = 0; i < 10; ++i) {
      one.await_asleep();
      const report found = diagnose(one.get());
      EXPECT_EQ(found.why, hold::nothing_pending) << found.reason;
      EXPECT_EQ(found.oldest.count(), 0);
      EXPECT_TRUE(contains(found.stack.to_string(), "places::reads(int)+"))
          << found.stack.to_string();
    }
    one.await_asleep();
    EXPECT_EQ(one.send().wait(), delivery::raised);
  }
  ::close(ends[0]);
  ::close(ends[1]);
}

TEST_F(Diagnose, SaysThatAThreadHasEnded) {
  thread<void> ended([] {});
  ended.wait();
  const report found = diagnose(ended.get_target());
  EXPECT_EQ(found.why, hold::not_running);
  EXPECT_TRUE(contains(found.reason, "has ended")) << found.reason;
  EXPECT_TRUE(found.stack.empty());
}

TEST_F(Diagnose, ShowsTheCallerItself) {
  const enrollment self("self");
  const block_scope<int> held;
  to_self(1);
  safe_point();
  const report found = diagnose(self.get_target());
  EXPECT_EQ(found.why, hold::blocked_by_scope) << found.reason;
  EXPECT_TRUE(contains(found.reason, "type int is held by a scope: policy::never for int"));
  EXPECT_TRUE(contains(found.stack.to_string(), "ShowsTheCallerItself")) << found.stack.to_string();
  EXPECT_EQ(raised_by([] { unblock_scope<int> opened; }), "1");
}

// M2: what a thread may have done to its own mask.
TEST_F(Diagnose, SaysThatAThreadBlocksSignals) {
  std::mutex mutex;
  std::unique_lock lock(mutex);
  const subject one([&] {
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    places::is_there = true;
    places::waits_for_a_lock(mutex);
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
  });
  one.await_there();
  one.await_asleep();
  one.send();
  const report found = diagnose(one.get());
  EXPECT_EQ(found.why, hold::not_running) << found.reason;
  EXPECT_TRUE(contains(found.reason, "blocks SIGEXC (signal " + std::to_string(signal_number())))
      << found.reason;
  EXPECT_TRUE(found.stack.empty());
  lock.unlock();
}

TEST_F(Diagnose, ToleratesSeveralThreadsThatDoSo) {
  const subject one([] { places::computes_in_a_block(); });
  one.await_there();
  one.send();
  constexpr int rounds = 50;
  std::atomic<int> wrong{0};
  const auto ask = [&] {
    for (int i = 0; i < rounds; ++i)
      if (diagnose(one.get()).why != hold::blocked_by_scope) ++wrong;
  };
  {
    const std::jthread second(ask);
    const std::jthread third(ask);
    ask();
  }
  EXPECT_EQ(wrong, 0);
}

}  // namespace
}  // namespace sigexc
