// The gate with and without what it does for the returns behind it, whatever this machine's kernel
// makes of them (lib/signal/gate_x86_64.S).
#include "signal/gate.hpp"

#include <sigexc/posix.hpp>
#include <sigexc/sigexc.hpp>

#include "support/order.hpp"
#include "support/watchdog.hpp"

#include <gtest/gtest.h>

#include <unistd.h>

#include <array>
#include <cerrno>

namespace sigexc::test {
namespace {

struct pipe_ends {
  std::array<int, 2> ends{};
  pipe_ends() { EXPECT_EQ(::pipe(ends.data()), 0); }
  ~pipe_ends() {
    for (const int one : ends) ::close(one);
  }
};

class Gate : public testing::TestWithParam<bool> {
 protected:
  Gate() { detail::sigexc_gate_refills = GetParam(); }
  ~Gate() override { detail::sigexc_gate_refills = before_; }

 private:
  const enrollment here_;  // sets it, if it is the first
  const bool before_ = detail::sigexc_gate_refills;
};

// O3, O7
TEST_P(Gate, ReturnsResultsAndErrors) {
  const pipe_ends pipe;
  for (int i = 0; i < 1000; ++i) {
    char byte = 'x';
    ASSERT_EQ(posix::write(pipe.ends[1], &byte, 1), 1);
    byte = 0;
    ASSERT_EQ(posix::read(pipe.ends[0], &byte, 1), 1);
    ASSERT_EQ(byte, 'x');
    ASSERT_EQ(posix::read(-1, &byte, 1), -1);
    ASSERT_EQ(errno, EBADF);
  }
}

// O2
TEST_P(Gate, LetsAWaitBeInterrupted) {
  const pipe_ends pipe;
  witness waits;
  thread reader([&] {
    char byte = 0;
    waits.here();
    posix::read(pipe.ends[0], &byte, 1);
  });
  waits.await_asleep();
  reader.interrupt(1);
  EXPECT_THROW(reader.wait(), int);
}

INSTANTIATE_TEST_SUITE_P(Refilling, Gate, testing::Bool(), [](const auto& chosen) {
  return chosen.param ? "ReturnsForeseen" : "ReturnsLeftAlone";
});

}  // namespace
}  // namespace sigexc::test
