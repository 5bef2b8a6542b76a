// What the signal does to a target: where system calls see it, where they do not, and what happens
// when the kernel does not take it.
//
// The tests that count interrupted system calls do so by the calls' own results; a call that may
// not be interrupted gets a timeout of its own and must end by it.
#include <sigexc/sigexc.hpp>

#include "support/order.hpp"
#include "support/watchdog.hpp"

#include <gtest/gtest.h>

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <thread>

namespace {

using namespace std::chrono_literals;
using sigexc::test::await;
using sigexc::test::witness;

struct nudge {};

// Waits in a raw poll() for at most `timeout`. True: it was interrupted.
bool poll_is_interrupted(std::chrono::milliseconds timeout) {
  return ::poll(nullptr, 0, static_cast<int>(timeout.count())) == -1 && errno == EINTR;
}

// A thread that sends interrupts to `to` as fast as it can while it lives.
class storm {
 public:
  explicit storm(sigexc::target to)
      : sender_([this, to] {
          while (!stop_) {
            to.interrupt(nudge{}).withdraw();
            ++sent_;
          }
        }) {
    await([this] { return sent_ > 0; });
  }
  ~storm() {
    stop_ = true;
    sender_.join();
  }
  [[nodiscard]] long sent() const { return sent_; }

 private:
  std::atomic<bool> stop_{false};
  std::atomic<long> sent_{0};
  std::thread sender_;
};

// S2: outside of blocks, the signal comes even to a thread that polls nothing of ours.
TEST(Signal, InterruptsARawPollOutsideOfBlocks) {
  witness polling;
  sigexc::thread target([&] {
    polling.here();
    return poll_is_interrupted(60s);
  });
  polling.await_asleep();
  target.interrupt(nudge{});
  EXPECT_TRUE(target.wait());
}

// S4: what can be restarted is.
TEST(Signal, LetsARawReadGoOn) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  witness reading;
  sigexc::thread target([&] {
    char byte = 0;
    reading.here();
    return ::read(ends[0], &byte, 1) == 1 ? byte : '\0';
  });
  reading.await_asleep();
  target.interrupt(nudge{});
  ASSERT_EQ(::write(ends[1], "x", 1), 1);
  EXPECT_EQ(target.wait(), 'x');
  ::close(ends[0]);
  ::close(ends[1]);
}

// S4
TEST(Block, KeepsTheSignalFromRawSystemCalls) {
  sigexc::thread target({.start_blocked = true}, [] {
    const storm from_outside(sigexc::this_thread::get_target());
    return poll_is_interrupted(250ms);
  });
  EXPECT_FALSE(target.wait());
}

// How many raw system calls see the signal, of many that a target under a storm of interrupts
// makes, each at the end of `enter_block(call)`.
template <class F>
int interrupted_calls(F enter_block) {
  constexpr int rounds = 5'000;
  sigexc::thread target([&] {
    // Delivery must not end the loop, but lower the flag, so that the next interrupt signals.
    const auto ignoring = sigexc::attach<nudge>([](const nudge&) {});
    int interrupted = 0;
    const storm from_outside(sigexc::this_thread::get_target());
    for (int i = 0; i < rounds; ++i) {
      enter_block([&] {
        const timespec instant{0, 1000};
        if (::ppoll(nullptr, 0, &instant, nullptr) == -1) ++interrupted;
      });
    }
    return interrupted;
  });
  return target.wait();
}

// S4: no signal that was on its way when the block was opened arrives inside it.
TEST(Block, KeepsOutASignalThatIsOnItsWayWhenItIsOpened) {
  EXPECT_EQ(interrupted_calls([](auto call) {
              sigexc::block_scope quiet;
              call();
            }),
            0);
}

// S4: nor one that was on its way when an opening inside the block ended.
TEST(Block, KeepsOutASignalThatIsOnItsWayWhenAnOpeningInsideItEnds) {
  EXPECT_EQ(interrupted_calls([](auto call) {
              sigexc::block_scope quiet;
              {
                sigexc::unblock_scope open;
                sigexc::test::spin(200);
              }
              call();
            }),
            0);
}

// S4: an inner scope that opens for one type makes the signal come again.
TEST(UnblockScope, LetsTheSignalComeInsideABlock) {
  witness polling;
  sigexc::thread target({.start_blocked = true}, [&] {
    sigexc::unblock_scope<int> open;
    polling.here();
    return poll_is_interrupted(60s);
  });
  polling.await_asleep();
  target.interrupt(nudge{});
  EXPECT_TRUE(target.wait());
}

// X2
TEST(Signal, FromOutsideTheLibraryDoesNoHarm) {
  sigexc::enrollment here;
  const int number = sigexc::signal_number();
  ASSERT_EQ(::kill(::getpid(), number), 0);
  ASSERT_EQ(::sigqueue(::getpid(), number, sigval{}), 0);
  ASSERT_EQ(::pthread_kill(::pthread_self(), number), 0);
  EXPECT_NO_THROW(sigexc::safe_point());
  EXPECT_FALSE(sigexc::interrupt_pending());
  std::thread([number] {  // a thread that is no target
    ::pthread_kill(::pthread_self(), number);
    EXPECT_NO_THROW(sigexc::safe_point());
  })
      .join();
  EXPECT_THROW(
      {
        here.get_target().interrupt(1);
        sigexc::safe_point();
      },
      int);
}

// X3
TEST(Signal, KeepsErrno) {
  sigexc::enrollment here;
  errno = 4711;
  ::pthread_kill(::pthread_self(), sigexc::signal_number());
  EXPECT_EQ(errno, 4711);
}

// M2: a creator's kernel mask does not keep SIGEXC from a target, and is restored afterwards.
TEST(Enrollment, UnblocksTheSignalInTheKernelMaskWhileItLasts) {
  const auto is_masked = [] {
    sigset_t mask;
    ::pthread_sigmask(SIG_BLOCK, nullptr, &mask);
    return ::sigismember(&mask, sigexc::signal_number()) == 1;
  };
  std::thread([&] {
    sigset_t all;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_BLOCK, &all, nullptr);
    {
      sigexc::enrollment here;
      EXPECT_FALSE(is_masked());
      sigexc::thread child([&] { return is_masked(); });
      EXPECT_FALSE(child.wait());
    }
    EXPECT_TRUE(is_masked());
  }).join();
}

// The kernel refuses every real-time signal of this user.
bool fill_signal_queue() {
  const rlimit none{0, 0};
  if (::setrlimit(RLIMIT_SIGPENDING, &none) != 0) return false;
  return ::pthread_kill(::pthread_self(), sigexc::signal_number()) == EAGAIN;
}

// S2
TEST(WakeWhenWaiting, SendsNoSignalToAThreadThatIsInNoOperation) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(
      {
        sigexc::configure({.signal = sigexc::wake::when_waiting});
        sigexc::thread target([] {
          const storm from_outside(sigexc::this_thread::get_target());
          return poll_is_interrupted(250ms);
        });
        std::_Exit(target.wait() ? 1 : 0);
      },
      testing::ExitedWithCode(0), "");
}

// S2: also after one that has raised, and with a sender that is slow to signal.
TEST(WakeWhenWaiting, SendsNoSignalAfterAnOperation) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(
      {
        sigexc::configure({.signal = sigexc::wake::when_waiting});
        sigexc::thread target([] {
          const sigexc::target self = sigexc::this_thread::get_target();
          std::atomic<bool> stop{false};
          std::jthread sender([&] {
            while (!stop)
              if (self.pending() == 0) self.interrupt(nudge{});
          });
          int failed = 0;
          for (const auto policy : {sigexc::policy::immediate, sigexc::policy::on_blocking})
            for (int round = 0; round < 2'000; ++round) {
              try {
                const sigexc::mask_scope here(policy);
                sigexc::posix::poll(nullptr, 0, 1);
              } catch (...) {
              }
              if (::poll(nullptr, 0, 0) == -1 || poll_is_interrupted(1ms)) ++failed;
            }
          stop = true;
          sender.join();
          sigexc::blocked([] { return 0; });
          return failed;
        });
        try {
          std::_Exit(target.wait() != 0 ? 1 : 0);
        } catch (...) {
          std::_Exit(2);
        }
      },
      testing::ExitedWithCode(0), "");
}

// S3, O2: with SIGSTKFLT in other hands there is another spare, and the remedy on top of another
// handler works as well.
TEST(TakenSpareSignal, LosesNoInterrupt) {
#if defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "ThreadSanitizer holds other handlers back until the system call has returned";
#endif
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(
      {
        ::alarm(60);  // a child is no business of the watchdog's
        ::signal(SIGSTKFLT, SIG_IGN);
        static std::atomic<bool> is_on_top{false};
        static std::atomic<bool> is_sent{false};
        struct sigaction busy {};
        busy.sa_flags = SA_RESTART;
        busy.sa_handler = [](int) {
          is_on_top = true;
          while (!is_sent) {
          }
        };
        ::sigaction(SIGUSR1, &busy, nullptr);
        int ends[2];
        if (::pipe(ends) != 0) std::_Exit(9);
        const auto is_interrupted = [&](witness& waits) {
          char byte = 0;
          waits.here();
          try {
            sigexc::posix::read(ends[0], &byte, 1);
          } catch (nudge) {
            return true;
          }
          return false;
        };
        witness waits;
        sigexc::thread disturbed([&] { return is_interrupted(waits); });
        waits.await_asleep();
        ::tgkill(::getpid(), waits.tid(), SIGUSR1);
        await([&] { return is_on_top.load(); });
        disturbed.interrupt(nudge{});
        is_sent = true;
        if (!disturbed.wait()) std::_Exit(1);
        if (!fill_signal_queue()) std::_Exit(2);
        witness waits_again;
        sigexc::thread starved([&] { return is_interrupted(waits_again); });
        waits_again.await_asleep();
        starved.interrupt(nudge{});
        std::_Exit(starved.wait() ? 0 : 3);
      },
      testing::ExitedWithCode(0), "");
}

// S3
TEST(FullSignalQueue, LosesNoInterrupt) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(
      {
        if (!fill_signal_queue()) std::_Exit(2);
        // A wait of ours wakes,
        sigexc::thread busy([] {
          for (;;) sigexc::safe_point();
        });
        witness waits;
        sigexc::thread waiting([&] {
          try {
            waits.here();
            busy.wait();
          } catch (nudge) {
            return true;
          }
          return false;
        });
        waits.await_asleep();
        waiting.interrupt(nudge{});
        if (!waiting.wait()) std::_Exit(3);
        // a running thread sees it,
        const auto sent = busy.interrupt(nudge{});
        if (sent.wait() != sigexc::delivery::raised) std::_Exit(4);
        // and so does one in a foreign system call, by the spare signal.
        witness polls;
        sigexc::thread foreign([&] {
          polls.here();
          return poll_is_interrupted(60s);
        });
        polls.await_asleep();
        foreign.interrupt(nudge{});
        std::_Exit(foreign.wait() ? 0 : 5);
      },
      testing::ExitedWithCode(0), "");
}

}  // namespace
