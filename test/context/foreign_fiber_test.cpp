// Fibers of Boost.Context that are the program's own, in and around computations.
#include <gtest/gtest.h>
#include <sigexc/resumable.hpp>
#include <sigexc/sigexc.hpp>

#include <boost/context/fiber.hpp>

#include <string>
#include <utility>

#include "context/at_end.hpp"
#include "support/interrupts.hpp"
#include "support/watchdog.hpp"

namespace sigexc::test {
namespace {

using boost::context::fiber;

// Boost tells AddressSanitizer of its stacks only where it was built so.
class ForeignFiber : public testing::Test {
  void SetUp() override {
#if defined(__SANITIZE_ADDRESS__)
    GTEST_SKIP() << "the sanitizer does not know the stacks of these fibers";
#endif
  }
};

// A fiber that has switched back from within what `call` calls is destroyed there.
template <class Call>
bool unwinds_out_of(Call call) {
  bool is_unwound = false;
  bool has_returned = false;
  {
    fiber one([&](fiber&& caller) {
      const at_end end{[&] { is_unwound = true; }};
      fiber back = std::move(caller);
      call([&] { back = std::move(back).resume(); });
      has_returned = true;
      return back;
    });
    one = std::move(one).resume();
  }
  return is_unwound && !has_returned;
}

TEST_F(ForeignFiber, UnwindsOutOfACallback) {
  const enrollment here;
  EXPECT_TRUE(unwinds_out_of([](auto switch_back) {
    const auto kept = attach<int>([&](int) { switch_back(); });
    to_self(7);
    safe_point();
  }));
  EXPECT_EQ(raised_here(), "7");  // not handled: it was given back
}

TEST_F(ForeignFiber, UnwindsOutOfAHandler) {
  EXPECT_TRUE(unwinds_out_of([](auto switch_back) {
    try {
      throw 7;
    } catch (...) {
      handle_each([&](const int&) { switch_back(); });
    }
  }));
}

TEST_F(ForeignFiber, RunsAComputation) {
  int passed = 0;
  resumable work([&] {
    for (;; ++passed) {
      to_self(pause_request());
      safe_point();
    }
  });
  fiber one([&](fiber&& caller) {
    for (int i = 0; i < 3; ++i) work.resume();
    return std::move(caller);
  });
  one = std::move(one).resume();
  EXPECT_EQ(passed, 2);
}

TEST_F(ForeignFiber, RunsInAComputation) {
  resumable work([&] {
    int got = 0;
    fiber one([&](fiber&& caller) {
      for (;;) {
        to_self(pause_request());
        safe_point();
        ++got;
        caller = std::move(caller).resume();
      }
      return std::move(caller);
    });
    for (int i = 0; i < 3; ++i) one = std::move(one).resume();
    return got;
  });
  for (int i = 0; i < 3; ++i) EXPECT_EQ(work.resume(), progress::paused);
  EXPECT_EQ(work.resume(), progress::finished);
  EXPECT_EQ(work.result(), 3);
}

}  // namespace
}  // namespace sigexc::test
