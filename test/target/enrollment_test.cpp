// Enrollment: what makes a thread a target, for how long, and what holds on threads that are none.
#include <gtest/gtest.h>
#include <signal.h>

#include <atomic>
#include <fstream>
#include <memory>
#include <semaphore>
#include <stdexcept>
#include <string>
#include <thread>
#include <type_traits>
#include <vector>

#include "support/interrupts.hpp"
#include "support/order.hpp"

namespace sigexc::test {
namespace {

// Whether the kernel keeps SIGEXC from the calling thread.
bool is_signal_masked() {
  std::ifstream status("/proc/thread-self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with("SigBlk:"))
      return ((std::stoull(line.substr(7), nullptr, 16) >> (signal_number() - 1)) & 1) != 0;
  throw std::runtime_error("no SigBlk");
}

// Masks every signal in the calling thread, while it lives.
class all_masked {
 public:
  all_masked() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  all_masked(const all_masked&) = delete;
  all_masked& operator=(const all_masked&) = delete;
  ~all_masked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

 private:
  sigset_t before_{};
};

TEST(Enrollment, MakesTheCallingThreadATarget) {
  const enrollment self("me");
  EXPECT_EQ(self.get_target().name(), "me");
  EXPECT_FALSE(self.get_target().finished());
  EXPECT_EQ(this_thread::get_target(), self.get_target());
  to_self(1);
  EXPECT_EQ(raised_here(), "1");
}

TEST(Enrollment, OfAThreadThatIsATargetIsALogicError) {
  const enrollment self;
  EXPECT_THROW(enrollment(), std::logic_error);
  EXPECT_EQ(this_thread::get_target(), self.get_target());
  to_self(1);
  EXPECT_EQ(raised_here(), "1");
  thread other([] { return raised_by([] { const enrollment again; }); });
  EXPECT_NE(other.wait(), "nothing");
}

TEST(Enrollment, EndsTheTargetWhenItIsDestroyed) {  // S8
  auto self = std::make_unique<enrollment>("me");
  const target me = self->get_target();
  to_self(1);
  to_self(2);
  EXPECT_EQ(me.pending(), 2U);
  self.reset();
  EXPECT_TRUE(me.finished());
  EXPECT_EQ(me.pending(), 0U);
  EXPECT_EQ(me.name(), "me");
  EXPECT_FALSE(interrupt_pending());
  EXPECT_EQ(raised_here(), "nothing");
}

// Passes a safe point when it is destroyed for the last time.
struct passes_safe_point {
  explicit passes_safe_point(std::string& raised)
      : guard(&raised, [](std::string* r) { *r = raised_here(); }) {}
  std::shared_ptr<std::string> guard;
};

TEST(Enrollment, RaisesNothingInWhatItDiscards) {  // S8
  const block_scope<int> quiet;
  std::string raised;
  {
    const enrollment self;
    to_self(1);
    safe_point();  // it is held
    to_self(std::string("two"));
    to_self(passes_safe_point(raised));
  }
  EXPECT_EQ(raised, "nothing");
}

TEST(Enrollment, LeavesNothingOfWhatAScopeHeldToTheNext) {  // S6, S8, M1
  const block_scope<int> around;
  auto self = std::make_unique<enrollment>();
  const receipt sent = to_self(1);
  EXPECT_EQ(raised_here(), "nothing");  // it is held
  self.reset();
  EXPECT_EQ(sent.state(), delivery::discarded);
  const enrollment next;
  const unblock_scope open;
  EXPECT_FALSE(interrupt_pending());
  EXPECT_EQ(raised_here(), "nothing");
}

TEST(Enrollment, LeavesTheScopesAroundItAsTheyAre) {  // M1
  const block_scope around;
  {
    const enrollment self;
    EXPECT_EQ(current_policy(), policy::never);
    to_self(1);
    EXPECT_EQ(raised_here(), "nothing");
    EXPECT_EQ(raised_by([] { const unblock_scope open; }), "1");
  }
  EXPECT_EQ(current_policy(), policy::never);
}

TEST(Enrollment, CanBeRepeated) {
  std::vector<target> before;
  for (int round = 0; round < 100; ++round) {
    const enrollment self;
    for (const target& old : before) ASSERT_NE(old, self.get_target());
    before.push_back(self.get_target());
    to_self(round);
    ASSERT_EQ(raised_here(), std::to_string(round));
  }
}

TEST(Enrollment, LetsAThreadOfAnyMakeBeInterruptedInItsWaits) {  // O2
  const long_wait wait;
  witness where;
  std::string raised;
  std::atomic<const target*> sleeper = nullptr;
  std::jthread pooled([&] {
    const enrollment self;
    const target me = self.get_target();
    sleeper = &me;
    where.here();
    raised = raised_by([&] { wait.wait(); });
  });
  where.await_asleep();
  sleeper.load()->interrupt(1);
  pooled.join();
  EXPECT_EQ(raised, "1");
}

// S8: senders in a race with the end of the enrollment are told the truth. 300 rounds.
TEST(Enrollment, EndsInOneStepWhileOthersSend) {
  for (int round = 0; round < 300; ++round) {
    auto self = std::make_unique<enrollment>();
    const target me = self->get_target();
    std::vector<receipt> sent;
    std::atomic<bool> has_begun = false;
    std::jthread sender([&] {
      for (int i = 0; i < 50; ++i) {
        sent.push_back(me.interrupt(i));
        has_begun = true;
      }
    });
    await([&] { return has_begun.load(); });
    self.reset();
    sender.join();
    for (const receipt& each : sent) ASSERT_EQ(each.state(), delivery::discarded);
  }
}

TEST(Enrollment, OpensTheKernelsMaskForTheSignal) {  // M2
  const all_masked masked;
  thread inner([] { return is_signal_masked(); });
  EXPECT_FALSE(inner.wait());
  std::jthread foreign([] {
    EXPECT_TRUE(is_signal_masked());  // inherited
    const enrollment self;
    EXPECT_FALSE(is_signal_masked());
  });
}

TEST(NoTarget, HasNoTarget) {
  EXPECT_THROW(static_cast<void>(this_thread::get_target()), not_enrolled);
  EXPECT_THROW(static_cast<void>(attach<int>([](int) {})), not_enrolled);
  static_assert(std::is_base_of_v<std::logic_error, not_enrolled>);
}

TEST(NoTarget, PassesSafePointsAndScopes) {  // M1
  EXPECT_FALSE(interrupt_pending());
  EXPECT_NO_THROW(safe_point());
  EXPECT_EQ(current_policy(), policy::immediate);
  {
    const block_scope quiet;
    EXPECT_EQ(current_policy(), policy::never);
    const unblock_scope restored(quiet);
    EXPECT_EQ(current_policy(), policy::immediate);
  }
  EXPECT_EQ(current_policy(), policy::immediate);
}

TEST(NoTarget, CanSendAndWait) {
  thread other([] {
    for (;;) safe_point();
  });
  const receipt sent = other.interrupt(1);
  EXPECT_EQ(sent.wait(), delivery::raised);
  EXPECT_EQ(raised_by([&] { other.wait(); }), "1");
}

}  // namespace
}  // namespace sigexc::test
