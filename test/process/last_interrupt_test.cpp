// What a thread is told of the interrupt it got last.
#include <chrono>
#include <string>

#include "support/interrupts.hpp"
#include "support/watchdog.hpp"

namespace places {

[[gnu::noinline]] void has_a_safe_point() {
  sigexc::safe_point();
  asm volatile("");  // no tail call
}

}  // namespace places

namespace sigexc {
namespace {

using namespace test;
using std::chrono::steady_clock;

TEST(LastInterrupt, IsNothingBeforeTheFirstAndOutsideOfTargets) {
  EXPECT_FALSE(last_interrupt().has_value());
  const enrollment self;
  EXPECT_FALSE(last_interrupt().has_value());
}

// D2
TEST(LastInterrupt, TellsSenderTimesAndPlace) {
  const enrollment self("self");
  const auto before = steady_clock::now();
  to_self(7);
  const auto sent = steady_clock::now();
  EXPECT_EQ(raised_by([] { places::has_a_safe_point(); }), "7");
  const auto info = last_interrupt();
  ASSERT_TRUE(info.has_value());
  EXPECT_EQ(info->sender, self.get_target());
  EXPECT_LE(before, info->queued);
  EXPECT_LE(info->queued, sent);
  EXPECT_LE(sent, info->raised);
  EXPECT_LE(info->raised, steady_clock::now());
  const std::string where = info->where.to_string();
  EXPECT_NE(where.find("places::has_a_safe_point()+"), std::string::npos) << where;
  EXPECT_NE(where.find("main+"), std::string::npos) << where;
}

// What is raised where a block is left in which `other` was waited for.
std::string raised_after(thread<void>& other) {
  return raised_by([&] {
    const block_scope<> held;
    other.wait();
  });
}

TEST(LastInterrupt, KnowsASenderThatHasEndedAndOneThatIsNoTarget) {
  const enrollment self("self");
  {
    thread<void> other(thread_options{.name = "other"}, [&] { self.get_target().interrupt(1); });
    EXPECT_EQ(raised_after(other), "1");
    EXPECT_EQ(last_interrupt()->sender, other.get_target());
  }
  EXPECT_EQ(last_interrupt()->sender.name(), "other");
  std::thread([&] { self.get_target().interrupt(2); }).join();
  EXPECT_EQ(raised_here(), "2");
  EXPECT_EQ(last_interrupt()->sender.name(), "no target");
  EXPECT_TRUE(last_interrupt()->sender.finished());
  EXPECT_EQ(targets().size(), 1U);
}

// D3
TEST(LastInterrupt, TellsOfHandledOnesToo) {
  const enrollment self("self");
  const auto handled = attach<int>([](int) {});
  to_self(1);
  places::has_a_safe_point();
  const auto info = last_interrupt();
  ASSERT_TRUE(info.has_value());
  EXPECT_EQ(info->sender, self.get_target());
  EXPECT_NE(info->where.to_string().find("places::has_a_safe_point()+"), std::string::npos);
}

// S10, D5
TEST(LastInterrupt, KnowsWhoFiredAndWhoTerminated) {
  const enrollment self("self");
  prepared_interrupt prepared(self.get_target(), 3);
  for (int i = 0; i < 3; ++i) {
    prepared.fire();
    EXPECT_EQ(raised_here(), "3");
    EXPECT_EQ(last_interrupt()->sender, self.get_target());
  }
  thread<void> other([&] { self.get_target().terminate(); });
  EXPECT_EQ(raised_after(other), "terminated");
  EXPECT_EQ(last_interrupt()->sender, other.get_target());
  try {
    safe_point();  // it comes again
    FAIL();
  } catch (const terminated& end) {
    end.acknowledge();
  }
  EXPECT_EQ(last_interrupt()->sender, other.get_target());
}

TEST(Backtrace, NamesTheFunctionsOfTheProgram) {
  const backtrace here = backtrace::current();
  const auto frames = here.frames();
  ASSERT_EQ(frames.size(), here.addresses().size());
  ASSERT_GE(frames.size(), 2U);
  EXPECT_NE(frames[0].symbol.find("NamesTheFunctionsOfTheProgram"), std::string::npos);
  EXPECT_NE(frames[0].object.find("test_process"), std::string::npos);
  EXPECT_TRUE(backtrace().empty());
  EXPECT_EQ(backtrace().to_string(), "");
}

}  // namespace
}  // namespace sigexc
