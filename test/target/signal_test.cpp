// The signal that wakes a target: how many are sent, that none is needed, and what system calls
// outside the library see of them.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "support/interrupts.hpp"
#include "support/order.hpp"

namespace sigexc::test {
namespace {

// Keeps SIGEXC from the calling thread, and counts what the kernel has for it.
class held_signals {
 public:
  held_signals() {
    sigemptyset(&set_);
    sigaddset(&set_, signal_number());
    pthread_sigmask(SIG_BLOCK, &set_, &before_);
  }
  held_signals(const held_signals&) = delete;
  held_signals& operator=(const held_signals&) = delete;
  ~held_signals() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

  [[nodiscard]] int count() const {
    int n = 0;
    for (const timespec at_once{}; sigtimedwait(&set_, nullptr, &at_once) > 0;) ++n;
    return n;
  }

 private:
  sigset_t set_{};
  sigset_t before_{};
};

struct pipe_ends {
  pipe_ends() { EXPECT_EQ(pipe2(ends.data(), O_CLOEXEC), 0); }
  pipe_ends(const pipe_ends&) = delete;
  pipe_ends& operator=(const pipe_ends&) = delete;
  ~pipe_ends() {
    close(ends[0]);
    close(ends[1]);
  }
  void put() const { EXPECT_EQ(write(ends[1], "x", 1), 1); }
  std::array<int, 2> ends{};
};

// While it lives the kernel takes no real-time signal that would have to be queued.
class full_signal_queue {
 public:
  full_signal_queue() {
    getrlimit(RLIMIT_SIGPENDING, &before_);
    const rlimit none{0, before_.rlim_max};
    setrlimit(RLIMIT_SIGPENDING, &none);
  }
  full_signal_queue(const full_signal_queue&) = delete;
  full_signal_queue& operator=(const full_signal_queue&) = delete;
  ~full_signal_queue() { setrlimit(RLIMIT_SIGPENDING, &before_); }

  // Whether the kernel does as it is told.
  static bool is_full() {
    const held_signals keep;
    return pthread_kill(pthread_self(), signal_number()) == EAGAIN;
  }

 private:
  rlimit before_{};
};

TEST(Signal, IsSentOnceForAStormOfSenders) {  // S2
  const enrollment self;
  const target me = self.get_target();
  safe_point();
  const held_signals signals;
  {
    std::vector<std::jthread> senders;
    for (int sender = 0; sender < 4; ++sender)
      senders.emplace_back([&] {
        for (int i = 0; i < 250; ++i) me.interrupt(i);
      });
  }
  EXPECT_EQ(signals.count(), 1);
  try {
    safe_point();
    FAIL() << "nothing was raised";
  } catch (const exception_group& group) {
    EXPECT_EQ(group.exceptions().size(), 1000U);
  }
  std::jthread([&] { me.interrupt(1); }).join();  // the mailbox was empty again
  EXPECT_EQ(raised_here(), "1");
  EXPECT_EQ(signals.count(), 1);
}

TEST(Signal, IsSentToATargetThatHasNotPassedASafePointYet) {  // S2
  const enrollment self;
  const target me = self.get_target();
  const held_signals signals;
  std::jthread([&] { me.interrupt(1); }).join();
  EXPECT_EQ(signals.count(), 1);
  EXPECT_EQ(raised_here(), "1");
}

TEST(Signal, CarriesNothingThatWouldBeMissed) {  // S2
  const enrollment self;
  const target me = self.get_target();
  safe_point();
  const held_signals signals;
  std::jthread([&] { me.interrupt(1); }).join();
  EXPECT_EQ(signals.count(), 1);  // takes it away
  EXPECT_EQ(raised_here(), "1");
}

TEST(Signal, IsNotNeededWhereItsQueueIsFull) {  // S3: enrolled before it was
  const long_wait wait;
  witness where;
  thread sleeper([&] {
    where.here();
    return raised_by([&] { wait.wait(); });
  });
  where.await_asleep();
  const full_signal_queue full;
  ASSERT_TRUE(full_signal_queue::is_full());
  sleeper.interrupt(1);
  EXPECT_EQ(sleeper.wait(), "1");
}

TEST(Signal, IsNotNeededByOneThatBeginsWhileItsQueueIsFull) {  // S3
  const full_signal_queue full;
  ASSERT_TRUE(full_signal_queue::is_full());
  const long_wait wait;
  witness where;
  thread sleeper([&] {
    where.here();
    std::string all = raised_by([&] { wait.wait(); });
    return all + ", " + raised_by([&] { wait.wait(); });
  });
  where.await_asleep();
  const receipt sent = sleeper.interrupt(1);
  EXPECT_EQ(sent.wait(), delivery::raised);
  sleeper.interrupt(2);
  EXPECT_EQ(sleeper.wait(), "1, 2");
}

TEST(Signal, IsNotSentIntoABlockOfEverything) {  // S4
  const enrollment self;
  const target me = self.get_target();
  const held_signals signals;
  {
    const block_scope quiet;
    std::jthread([&] { me.interrupt(1).withdraw(); }).join();
    std::jthread([&] { me.interrupt(2).withdraw(); }).join();
    EXPECT_EQ(signals.count(), 0);
  }
}

TEST(Signal, LetsASystemCallInABlockBe) {  // S4: no EINTR, where the kernel would not restart it
  const pipe_ends pipe;
  witness where;
  thread blocked_one([&] {
    int ready = 0;
    const std::string raised = raised_by([&] {
      const block_scope quiet;
      pollfd in{pipe.ends[0], POLLIN, 0};
      where.here();
      ready = poll(&in, 1, -1);
    });
    return std::to_string(ready) + ", " + raised;
  });
  where.await_asleep();
  for (int i = 0; i < 100; ++i) blocked_one.interrupt(std::string("early")).withdraw();
  blocked_one.interrupt(7);
  where.await_asleep();
  pipe.put();
  EXPECT_EQ(blocked_one.wait(), "1, 7");
}

TEST(Signal, LeavesASystemCallThatRestartsInItsPlace) {  // S4
  const pipe_ends pipe;
  witness where;
  thread open([&] {
    char byte = 0;
    where.here();
    const ssize_t length = read(pipe.ends[0], &byte, 1);
    return std::to_string(length) + byte + ", " + raised_here();
  });
  where.await_asleep();
  open.interrupt(7);
  where.await_asleep();
  pipe.put();
  EXPECT_EQ(open.wait(), "1x, 7");
}

TEST(Signal, OfSomeoneElseDoesNoHarm) {  // X2: here from the program itself
  const enrollment self;
  EXPECT_EQ(pthread_kill(pthread_self(), signal_number()), 0);
  EXPECT_EQ(kill(getpid(), signal_number()), 0);
  EXPECT_EQ(raised_here(), "nothing");
  std::jthread no_target([] {
    EXPECT_EQ(pthread_kill(pthread_self(), signal_number()), 0);
    EXPECT_EQ(raised_here(), "nothing");
  });
}

TEST(Signal, OfSomeoneElseDoesNotKeepASleeperFromItsInterrupts) {  // X2, O2
  const long_wait wait;
  witness where;
  pthread_t handle{};
  thread sleeper([&] {
    handle = pthread_self();
    where.here();
    return raised_by([&] { wait.wait(); });
  });
  where.await_asleep();
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(pthread_kill(handle, signal_number()), 0);
    where.await_asleep();
  }
  sleeper.interrupt(1);
  EXPECT_EQ(sleeper.wait(), "1");
}

}  // namespace
}  // namespace sigexc::test
