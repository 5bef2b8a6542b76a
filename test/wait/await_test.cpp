// The interruptible wait: nothing is lost between a result and an interrupt that race for it.
#include <sigexc/sigexc.hpp>

#include "support/order.hpp"
#include "support/watchdog.hpp"

#include <gtest/gtest.h>

#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <random>
#include <semaphore>
#include <thread>

namespace {

using namespace std::chrono_literals;
using sigexc::test::await;
using sigexc::test::spin;
using sigexc::test::witness;

struct wake_up {
  int round;
};

// Holds everything it gets, so that receipts of what is sent to it stay pending.
class deaf_thread {
 public:
  deaf_thread() : thread_({.start_blocked = true}, [this] { end_.acquire(); }) {}
  ~deaf_thread() { end_.release(); }
  sigexc::receipt send() { return thread_.interrupt(0); }

 private:
  std::binary_semaphore end_{0};
  sigexc::thread<void> thread_;
};

// O1
TEST(Wait, EnteredWithADeliverableInterruptRaisesAndDoesNotWait) {
  deaf_thread other;
  const sigexc::receipt never = other.send();
  sigexc::enrollment here;
  here.get_target().interrupt(1);
  EXPECT_THROW(never.wait(), int);
  EXPECT_EQ(never.wait_for(0s), sigexc::delivery::pending);
  EXPECT_TRUE(never.withdraw());
}

// O3: what is there is returned, blocked or not; it is a safe point all the same.
TEST(Wait, InABlockReturnsItsResultAndLeavesTheInterruptPending) {
  deaf_thread other;
  const sigexc::receipt withdrawn = other.send();
  withdrawn.withdraw();
  sigexc::enrollment here;
  sigexc::blocked([&] {
    here.get_target().interrupt(1);
    EXPECT_EQ(withdrawn.wait(), sigexc::delivery::withdrawn);
    return 0;
  });
  EXPECT_TRUE(sigexc::interrupt_pending());
  EXPECT_THROW(sigexc::safe_point(), int);
}

// M6
TEST(Wait, WithPolicyOnBlockingIsInterruptedOnlyIfItHasToWait) {
  deaf_thread other;
  const sigexc::receipt settled = other.send();
  settled.withdraw();
  const sigexc::receipt unsettled = other.send();
  sigexc::enrollment here;
  try {
    sigexc::mask_scope only_waits(sigexc::policy::on_blocking);
    here.get_target().interrupt(1);
    EXPECT_NO_THROW(sigexc::safe_point());
    EXPECT_EQ(settled.wait(), sigexc::delivery::withdrawn);
    EXPECT_THROW(unsettled.wait(), int);
  } catch (int) {
    ADD_FAILURE() << "raised twice";
  }
}

// D3: a wait resumes with the rest of its time.
TEST(Wait, GoesOnAfterACallbackHasHandledTheInterrupt) {
  deaf_thread other;
  const sigexc::receipt awaited = other.send();
  std::atomic<int> handled{0};
  witness waits;
  sigexc::thread waiting([&] {
    const auto counting = sigexc::attach<int>([&](int) { ++handled; });
    waits.here();
    return awaited.wait();
  });
  waits.await_asleep();
  EXPECT_EQ(waiting.interrupt(1).wait(), sigexc::delivery::handled);
  waits.await_asleep();
  EXPECT_EQ(handled, 1);
  awaited.withdraw();
  EXPECT_EQ(waiting.wait(), sigexc::delivery::withdrawn);
}

// While an exception is on its way nothing is raised, and a wait must neither fail nor spin.
TEST(Wait, DuringUnwindingSleepsAndLeavesTheInterruptForLater) {
  deaf_thread other;
  const sigexc::receipt awaited = other.send();
  struct waits_in_destructor {
    const sigexc::receipt& awaited;
    sigexc::delivery& seen;
    ~waits_in_destructor() { seen = awaited.wait(); }
  };
  witness waits;
  sigexc::thread waiting([&] {
    auto seen = sigexc::delivery::pending;
    try {
      waits.here();
      const waits_in_destructor waiter{awaited, seen};
      throw 'x';
    } catch (char) {
    }
    EXPECT_EQ(seen, sigexc::delivery::withdrawn);
    EXPECT_THROW(sigexc::safe_point(), int);
  });
  waits.await_asleep();
  const sigexc::receipt sent = waiting.interrupt(1);
  waits.await_asleep();
  EXPECT_EQ(sent.state(), sigexc::delivery::pending);
  awaited.withdraw();
  waiting.wait();
  EXPECT_EQ(sent.state(), sigexc::delivery::raised);
}

TEST(Wait, WhoseTimeEndsDuringUnwindingLeavesTheInterruptForLater) {
  deaf_thread other;
  const sigexc::receipt awaited = other.send();
  struct waits_in_destructor {
    const sigexc::receipt& awaited;
    ~waits_in_destructor() { EXPECT_EQ(awaited.wait_for(1ms), sigexc::delivery::pending); }
  };
  sigexc::enrollment here;
  try {
    const waits_in_destructor waiter{awaited};
    here.get_target().interrupt(1);
    throw 'x';
  } catch (char) {
  }
  EXPECT_THROW(sigexc::safe_point(), int);
}

// X2, O2: the signal makes the sleeper look and sleep again, not deaf.
TEST(Wait, IsStillInterruptedAfterASignalFromOutside) {
  deaf_thread other;
  const sigexc::receipt awaited = other.send();
  witness waits;
  sigexc::thread waiting([&] {
    waits.here();
    awaited.wait();
  });
  waits.await_asleep();
  for (int i = 0; i < 100; ++i) {
    ::tgkill(::getpid(), waits.tid(), sigexc::signal_number());
    waits.await_asleep();
  }
  waiting.interrupt(1);
  EXPECT_THROW(waiting.wait(), int);
}

constinit sigexc::prepared_interrupt* fired_by_signal = nullptr;

// S10, O2: a handler that runs on the sleeping target itself sends to it.
TEST(Wait, IsInterruptedByASignalHandlerOnTopOfIt) {
  deaf_thread other;
  const sigexc::receipt awaited = other.send();
  witness waits;
  sigexc::thread waiting([&] {
    sigexc::prepared_interrupt prepared(sigexc::this_thread::get_target(), 1);
    fired_by_signal = &prepared;
    ::signal(SIGUSR1, [](int) { fired_by_signal->fire(); });
    waits.here();
    awaited.wait();
  });
  waits.await_asleep();
  ::tgkill(::getpid(), waits.tid(), SIGUSR1);
  EXPECT_THROW(waiting.wait(), int);
  ::signal(SIGUSR1, SIG_DFL);
}

// O2, O3, O6, S9: in every round a result and an interrupt race for a thread that is about to
// wait, or waits. Whatever wins, both arrive, once each.
TEST(Wait, LosesNeitherTheResultNorTheInterruptWhateverTheTiming) {
  constexpr int rounds = 5'000;
  deaf_thread other;
  std::atomic<const sigexc::receipt*> awaited{nullptr};
  std::atomic<int> round{0};

  sigexc::thread waiting([&] {
    int raised = 0;
    for (int i = 1; i <= rounds; ++i) {
      const sigexc::receipt mine = other.send();
      awaited = &mine;
      round = i;
      bool is_raised = false;
      const auto expect_mine = [&](const wake_up& e) {
        EXPECT_EQ(e.round, i);
        EXPECT_FALSE(is_raised);
        is_raised = true;
        ++raised;
      };
      for (;;) {
        try {
          EXPECT_EQ(mine.wait(), sigexc::delivery::withdrawn);
          break;
        } catch (const wake_up& e) {
          expect_mine(e);
        }
      }
      while (!is_raised) {
        try {
          sigexc::safe_point();
        } catch (const wake_up& e) {
          expect_mine(e);
        }
      }
    }
    return raised;
  });

  std::thread result_sender([&] {
    std::minstd_rand random(1);
    for (int i = 1; i <= rounds; ++i) {
      await([&] { return round >= i; });
      spin(static_cast<int>(random() % 512));
      EXPECT_TRUE(awaited.load()->withdraw());
    }
  });
  std::minstd_rand random(2);
  for (int i = 1; i <= rounds; ++i) {
    await([&] { return round >= i; });
    spin(static_cast<int>(random() % 512));
    waiting.interrupt(wake_up{i});
  }
  EXPECT_EQ(waiting.wait(), rounds);
  result_sender.join();
}

}  // namespace
