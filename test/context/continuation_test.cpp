// Callbacks that get the interrupted computation itself.
#include <gtest/gtest.h>
#include <sigexc/resumable.hpp>
#include <sigexc/sigexc.hpp>

#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>

#include "context/at_end.hpp"
#include "support/interrupts.hpp"
#include "support/watchdog.hpp"

namespace sigexc::test {
namespace {

// Sends 7 to itself in a computation with such a callback, and tells what became of it.
template <class F>
auto interrupted(F callback, bool& is_unwound) {
  return [callback, &is_unwound] {
    const at_end at_end{[&] { is_unwound = true; }};
    const auto kept = attach_continuation<int>(callback);
    to_self(7);
    return raised_here();
  };
}

TEST(Continuation, ThatIsReturnedGoesOnAtOnce) {  // C6
  bool is_unwound = false;
  int got = 0;
  std::optional<target> on;
  resumable work(interrupted(
      [&](int what, continuation c) {
        got = what;
        EXPECT_TRUE(static_cast<bool>(c));
        return c;
      },
      is_unwound));
  EXPECT_EQ(work.resume(), progress::finished);
  EXPECT_EQ(work.result(), "nothing");
  EXPECT_EQ(got, 7);
}

TEST(Continuation, IsGivenOutOnTheStackOfTheResumer) {  // C6
  const enrollment here;
  bool is_unwound = false;
  std::optional<target> on;
  bool is_blocked = false;
  resumable work(interrupted(
      [&](int, continuation c) {
        on = this_thread::get_target();
        is_blocked = current_policy() == policy::never;
        return c;
      },
      is_unwound));
  work.resume();
  EXPECT_EQ(on, here.get_target());
  EXPECT_TRUE(is_blocked);
}

TEST(Continuation, ThatIsDroppedUnwinds) {  // C6
  bool is_unwound = false;
  bool is_unwound_in_callback = false;
  resumable work(interrupted(
      [&](int, continuation c) {
        c = continuation();
        is_unwound_in_callback = is_unwound;
        return c;
      },
      is_unwound));
  EXPECT_EQ(work.resume(), progress::finished);
  EXPECT_TRUE(is_unwound_in_callback);
  EXPECT_EQ(work.result(), "terminated");  // what the body has caught
}

TEST(Continuation, MayBeKeptAndResumedByAnotherThread) {  // C6
  bool is_unwound = false;
  continuation kept;
  resumable work(interrupted(
      [&](int, continuation c) {
        kept = std::move(c);
        return continuation();
      },
      is_unwound));
  EXPECT_EQ(work.resume(), progress::paused);
  EXPECT_THROW(work.resume(), std::logic_error);
  EXPECT_FALSE(is_unwound);
  auto made = progress::paused;
  std::thread([&] { made = kept.resume(); }).join();
  EXPECT_EQ(made, progress::finished);
  EXPECT_FALSE(static_cast<bool>(kept));
  EXPECT_THROW(kept.resume(), std::logic_error);
  EXPECT_EQ(work.result(), "nothing");
}

TEST(Continuation, ThatIsKeptAndThenDroppedUnwinds) {  // C6
  bool is_unwound = false;
  std::optional<resumable<std::string>> work;
  {
    continuation kept;
    work.emplace(interrupted(
        [&](int, continuation c) {
          kept = std::move(c);
          return continuation();
        },
        is_unwound));
    EXPECT_EQ(work->resume(), progress::paused);
    work.reset();  // it is not its any more
    EXPECT_FALSE(is_unwound);
  }
  EXPECT_TRUE(is_unwound);
}

TEST(Continuation, MayBeResumedByTheCallback) {  // C6
  bool is_unwound = false;
  resumable work(interrupted(
      [&](int, continuation c) {
        EXPECT_EQ(c.resume(), progress::finished);
        return c;
      },
      is_unwound));
  EXPECT_EQ(work.resume(), progress::finished);
  EXPECT_EQ(work.result(), "nothing");
}

TEST(Continuation, IsRaisedInWhatTheCallbackThrows) {  // C6, D3
  bool is_unwound = false;
  resumable work(interrupted([](int, continuation) -> continuation { throw std::string("other"); },
                             is_unwound));
  EXPECT_EQ(work.resume(), progress::finished);
  EXPECT_EQ(work.result(), "other");
}

TEST(Continuation, ThatWasGivenAwayLetsTheExceptionOfTheCallbackOut) {  // C6
  bool is_unwound = false;
  continuation kept;
  resumable work(interrupted(
      [&](int, continuation c) -> continuation {
        kept = std::move(c);
        throw std::string("other");
      },
      is_unwound));
  EXPECT_EQ(raised_by([&] { work.resume(); }), "other");
  EXPECT_THROW(work.resume(), std::logic_error);
  EXPECT_EQ(kept.resume(), progress::finished);
  EXPECT_EQ(work.result(), "nothing");
}

TEST(Continuation, CanBeGivenOutAgainAndAgain) {  // C6
  int given = 0;
  resumable work([&] {
    const auto kept = attach_continuation<int>([&](int, continuation c) {
      ++given;
      return c;
    });
    for (int i = 0; i < 100; ++i) {
      to_self(i);
      safe_point();
    }
  });
  EXPECT_EQ(work.resume(), progress::finished);
  EXPECT_EQ(given, 100);
}

TEST(Continuation, PausesAsTheComputationDoes) {  // C6
  resumable<void>* self = nullptr;
  continuation kept;
  resumable<void> work([&] {
    const auto attached = attach_continuation<int>([&](int, continuation c) {
      kept = std::move(c);
      return continuation();
    });
    to_self(1);
    safe_point();
    self->pause();
    safe_point();
    to_self(2);
    safe_point();
  });
  self = &work;
  EXPECT_EQ(work.resume(), progress::paused);
  continuation first = std::move(kept);
  EXPECT_EQ(first.resume(), progress::paused);  // it has paused itself
  EXPECT_TRUE(static_cast<bool>(first));
  EXPECT_EQ(first.resume(), progress::paused);  // and was given out again
  EXPECT_FALSE(static_cast<bool>(first));
  EXPECT_EQ(kept.resume(), progress::finished);
}

TEST(Continuation, OutsideOfAComputationIsAnError) {  // C6
  const enrollment here;
  const auto try_it = [] {
    static_cast<void>(attach_continuation<int>([](int, continuation c) { return c; }));
  };
  EXPECT_NE(raised_by(try_it).find("run the code in a sigexc::resumable"), std::string::npos);
}

}  // namespace
}  // namespace sigexc::test
