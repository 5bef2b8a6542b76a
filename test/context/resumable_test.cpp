// Resuming and pausing: the plain cases.
#include <gtest/gtest.h>
#include <sigexc/resumable.hpp>
#include <sigexc/sigexc.hpp>

#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

#include "support/interrupts.hpp"
#include "support/watchdog.hpp"

namespace sigexc::test {
namespace {

// Counts safe points, and pauses itself at each.
template <class Self>
[[gnu::noinline]] void count_and_pause(int& count, int until, Self& self) {
  while (count < until) {
    ++count;
    self->pause();
    safe_point();
  }
}

TEST(Resumable, PausesAtASafePointAndGoesOnBehindIt) {  // C1
  const enrollment here;
  int count = 0;
  resumable<int>* self = nullptr;
  resumable<int> work([&] {
    count_and_pause(count, 3, self);
    return count * 10;
  });
  self = &work;
  EXPECT_EQ(count, 0);
  for (int i = 1; i <= 3; ++i) {
    EXPECT_EQ(work.resume(), progress::paused);
    EXPECT_EQ(count, i);
  }
  EXPECT_EQ(work.resume(), progress::finished);
  EXPECT_EQ(work.result(), 30);
  EXPECT_TRUE(work.get_target().finished());
}

TEST(Resumable, OfNothingToCallIsAnInvalidArgument) {
  const auto alive = targets().size();
  void (*const none)() = nullptr;
  EXPECT_THROW(resumable<void>{none}, std::invalid_argument);
  EXPECT_THROW(resumable<void>{std::function<void()>()}, std::invalid_argument);
  EXPECT_EQ(targets().size(), alive);
  resumable work([] {
    return raised_by(
        [] { (void)attach_continuation<int>(std::function<continuation(int, continuation)>()); });
  });
  work.resume();
  EXPECT_NE(work.result().find("null pointer or an empty std::function"), std::string::npos);
}

TEST(Resumable, MovedFromIsALogicError) {
  resumable first([] { return 1; });
  resumable second = std::move(first);
  EXPECT_THROW(first.resume(), std::logic_error);  // NOLINT: what is tested
  EXPECT_THROW(first.pause(), std::logic_error);
  EXPECT_THROW((void)first.get_target(), std::logic_error);
  EXPECT_THROW((void)first.result(), std::logic_error);
  EXPECT_EQ(second.resume(), progress::finished);
  EXPECT_THROW(second.resume(), std::logic_error);
  second.pause();  // no effect
  resumable<int>& same = second;
  second = std::move(same);
  EXPECT_EQ(second.result(), 1);
}

TEST(Resumable, RunsOnAThreadThatIsNoTarget) {
  resumable work([] { return this_thread::get_target().name(); });
  EXPECT_EQ(work.resume(), progress::finished);
  EXPECT_EQ(work.result().substr(0, 12), "computation ");
  EXPECT_THROW((void)this_thread::get_target(), not_enrolled);
}

TEST(Resumable, PausesWhereAnotherThreadAsksIt) {  // C1
  std::atomic<bool> is_running = false;
  resumable work([&] {
    is_running = true;
    for (;;) safe_point();
  });
  for (int i = 0; i < 100; ++i) {
    is_running = false;
    std::jthread asking([&] {
      while (!is_running && i == 0) std::this_thread::yield();
      work.pause();
    });
    EXPECT_EQ(work.resume(), progress::paused);
  }
}

TEST(Resumable, RaisesInsideWhatIsSentToItWhilePausedOrNot) {  // C3
  std::string got;
  resumable<void>* self = nullptr;
  resumable work([&] {
    self->pause();
    got = raised_here();
  });
  self = &work;
  EXPECT_EQ(work.resume(), progress::paused);
  const receipt sent = work.get_target().interrupt(7);
  EXPECT_EQ(sent.state(), delivery::pending);
  EXPECT_EQ(work.resume(), progress::finished);
  EXPECT_EQ(sent.state(), delivery::raised);
  EXPECT_EQ(got, "7");
}

TEST(Resumable, PassesTheExceptionThatEndsItOutOfResume) {  // C4
  resumable work([] { throw std::runtime_error("over"); });
  EXPECT_EQ(raised_by([&] { work.resume(); }), "over");
  EXPECT_EQ(raised_by([&] { work.result(); }), "over");
  EXPECT_EQ(raised_by([&] { work.resume(); }), "sigexc: resumable: it has finished");
}

TEST(Resumable, UnwindsWhenItIsDestroyedWhilePaused) {  // C5
  bool is_unwound = false;
  struct noting {
    bool& what;
    ~noting() { what = true; }
  };
  {
    resumable<void>* self = nullptr;
    resumable work([&] {
      const noting at_end{is_unwound};
      self->pause();
      for (;;) safe_point();
    });
    self = &work;
    EXPECT_EQ(work.resume(), progress::paused);
    EXPECT_FALSE(is_unwound);
  }
  EXPECT_TRUE(is_unwound);
}

}  // namespace
}  // namespace sigexc::test
