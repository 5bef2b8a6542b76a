// Foreign code that blocks is made to return: once for each interrupt, not before it begins and not
// after it has ended.
#include <sigexc/sync.hpp>

#include <gtest/gtest.h>

#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <latch>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <semaphore>
#include <string>
#include <thread>
#include <vector>

#include "support/interrupts.hpp"
#include "support/order.hpp"
#include "support/rounds.hpp"

namespace sigexc::test {
namespace {

using namespace std::chrono_literals;

// A foreign wait: blocks until it is told to return, and knows nothing of interrupts.
class foreign {
 public:
  void wait() {
    where_.here();
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return is_told_; });
    is_told_ = false;
  }
  void tell() {
    const std::scoped_lock lock(mutex_);
    is_told_ = true;
    changed_.notify_all();
  }
  void await_asleep() const { where_.await_asleep(); }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool is_told_ = false;
  witness where_;
};

// Its `tell`, counted.
class waker {
 public:
  explicit waker(foreign& what) : what_(what) {}
  auto call() {
    return [this] {
      ++calls;
      by = std::this_thread::get_id();
      what_.tell();
    };
  }
  std::atomic<int> calls{0};
  std::atomic<std::thread::id> by{};

 private:
  foreign& what_;
};

TEST(WithWake, ReturnsWhatItsBodyReturns) {
  const enrollment here;
  int value = 1;
  EXPECT_EQ(with_wake([] {}, [] { return 2; }), 2);
  static_assert(std::is_same_v<decltype(with_wake([] {}, [&]() -> int& { return value; })), int&>);
  EXPECT_EQ(&with_wake([] {}, [&]() -> int& { return value; }), &value);
  EXPECT_EQ(*with_wake([] {}, [] { return std::make_unique<int>(3); }), 3);
  with_wake([] {}, [&] { value = 4; });
  EXPECT_EQ(value, 4);
  EXPECT_THROW(with_wake([] {}, [] { throw 'x'; }), char);
}

TEST(WithWake, OnAThreadThatIsNoTargetRunsItsBody) {
  std::thread([] { EXPECT_EQ(with_wake([] {}, [] { return 2; }), 2); }).join();
}

// The sender's thread calls, and the interrupt is raised when the body has returned nothing.
TEST(WithWake, IsEndedByAnInterrupt) {
  foreign blocking;
  waker wake(blocking);
  thread target([&] { with_wake(wake.call(), [&] { blocking.wait(); }); });
  blocking.await_asleep();
  target.interrupt(1);
  EXPECT_EQ(wake.calls, 1);  // `interrupt` has returned
  EXPECT_EQ(wake.by.load(), std::this_thread::get_id());
  EXPECT_EQ(raised_by([&] { target.wait(); }), "1");
  EXPECT_EQ(wake.calls, 1);
}

TEST(WithWake, IsEndedByTerminate) {
  foreign blocking;
  waker wake(blocking);
  thread target([&] { with_wake(wake.call(), [&] { blocking.wait(); }); });
  blocking.await_asleep();
  target.terminate();
  EXPECT_EQ(wake.calls, 1);
  EXPECT_EQ(raised_by([&] { target.wait(); }), "terminated");
}

TEST(WithWake, WithAnInterruptPendingRaisesAndDoesNotRunItsBody) {  // O1
  const enrollment here;
  bool is_run = false;
  int calls = 0;
  to_self(1);
  EXPECT_THROW(with_wake([&] { ++calls; }, [&] { is_run = true; }), int);
  EXPECT_FALSE(is_run);
  EXPECT_EQ(calls, 0);
  EXPECT_EQ(with_wake([&] { ++calls; }, [] { return 1; }), 1);
}

TEST(WithWake, WhoseBodyReturnsAValueLeavesTheInterruptForLater) {  // O3, M4
  foreign blocking;
  waker wake(blocking);
  thread target([&] {
    EXPECT_EQ(with_wake(wake.call(),
                        [&] {
                          blocking.wait();
                          return 5;
                        }),
              5);
    EXPECT_EQ(raised_here(), "1");
  });
  blocking.await_asleep();
  target.interrupt(1);
  target.wait();
}

TEST(WithWake, PassesOnWhatItsBodyThrowsAndLeavesTheInterruptForLater) {
  foreign blocking;
  waker wake(blocking);
  thread target([&] {
    EXPECT_THROW(with_wake(wake.call(),
                           [&] {
                             blocking.wait();
                             throw 'x';
                           }),
                 char);
    EXPECT_EQ(raised_here(), "1");
  });
  blocking.await_asleep();
  target.interrupt(1);
  target.wait();
}

TEST(WithWake, CallsForEachInterruptAtMostOnce) {
  foreign blocking;
  waker wake(blocking);
  thread target([&] {
    with_wake(wake.call(), [&] {
      blocking.wait();
      blocking.wait();
      blocking.wait();
    });
  });
  blocking.await_asleep();
  for (int i = 1; i <= 3; ++i) {
    target.interrupt(i);
    EXPECT_EQ(wake.calls, i);
    if (i < 3) blocking.await_asleep();
  }
  EXPECT_EQ(raised_by([&] { target.wait(); }), "group(1, 2, 3)");
}

TEST(WithWake, InABlockIsNotCalled) {
  foreign blocking;
  waker wake(blocking);
  thread target([&] {
    {
      const block_scope quiet;
      with_wake(wake.call(), [&] { blocking.wait(); });
    }
  });
  blocking.await_asleep();
  target.interrupt(1);
  EXPECT_EQ(wake.calls, 0);
  blocking.tell();
  EXPECT_EQ(raised_by([&] { target.wait(); }), "1");
}

TEST(WithWake, IsCalledOnlyForWhatTheScopesLetThrough) {  // M1
  foreign blocking;
  waker wake(blocking);
  thread target([&] {
    const block_scope<std::string> no_text;
    with_wake(wake.call(), [&] { blocking.wait(); });
  });
  blocking.await_asleep();
  target.interrupt(std::string("text"));
  EXPECT_EQ(wake.calls, 0);
  target.interrupt(1);
  EXPECT_EQ(wake.calls, 1);
  EXPECT_EQ(raised_by([&] { target.wait(); }), "1");
}

TEST(WithWake, WithPolicyOnBlockingIsInterrupted) {  // M6
  foreign blocking;
  waker wake(blocking);
  thread target([&] {
    EXPECT_EQ(raised_by([&] {
                const mask_scope waits_only(policy::on_blocking);
                EXPECT_EQ(raised_by([&] { with_wake(wake.call(), [&] { blocking.wait(); }); }),
                          "1");
                to_self(2);
                EXPECT_EQ(raised_by([&] { with_wake([] {}, [&] { ADD_FAILURE(); }); }), "2");
              }),
              "nothing");
  });
  blocking.await_asleep();
  target.interrupt(1);
  target.wait();
}

TEST(WithWake, DuringUnwindingIsNotCalled) {
  foreign blocking;
  waker wake(blocking);
  struct waits_in_destructor {
    waker& wake;
    foreign& blocking;
    ~waits_in_destructor() {
      with_wake(wake.call(), [&] { blocking.wait(); });
    }
  };
  thread target([&] {
    try {
      const waits_in_destructor waits{wake, blocking};
      throw 'x';
    } catch (char) {
    }
    EXPECT_EQ(raised_here(), "1");
  });
  blocking.await_asleep();
  target.interrupt(1);
  EXPECT_EQ(wake.calls, 0);
  blocking.tell();
  target.wait();
}

// Where a handler of some types stands inside of what holds the others.
template <class F>
[[gnu::noinline]] void with_handler_of_numbers(F body) noexcept {
  [&] {
    try {
      body();
    } catch (int number) {
      EXPECT_EQ(number, 1);
    }
  }();
}

TEST(WithWake, IsNotCalledForWhatIsCaughtByNobody) {  // R3
  foreign blocking;
  waker wake(blocking);
  thread target([&] {
    with_handler_of_numbers([&] {
      with_wake(wake.call(), [&] { blocking.wait(); });
      ADD_FAILURE();
    });
    EXPECT_EQ(raised_here(), "text");
  });
  blocking.await_asleep();
  target.interrupt(std::string("text"));
  EXPECT_EQ(wake.calls, 0);
  target.interrupt(1);
  EXPECT_EQ(wake.calls, 1);
  target.wait();
}

TEST(WithWake, IsCalledForADeadlineThatIsReached) {  // T1: of the scope it is known who catches it
  foreign blocking;
  waker wake(blocking);
  thread target([&] {
    const auto has_waited = [&](std::chrono::milliseconds limit) noexcept {
      bool has_begun = false;
      EXPECT_FALSE(timeout(limit, [&] {
        with_wake(wake.call(), [&] {
          has_begun = true;
          blocking.wait();
        });
      }));
      return has_begun;
    };
    auto limit = 1ms;
    while (!has_waited(limit)) limit *= 2;  // it may pass before
  });
  target.wait();
  EXPECT_EQ(wake.calls, 1);
}

TEST(WithWake, OfNestedOnesTheInnermostIsCalled) {
  foreign outer;
  foreign inner;
  waker wake_outer(outer);
  waker wake_inner(inner);
  thread target([&] {
    with_wake(wake_outer.call(), [&] {
      EXPECT_EQ(raised_by([&] { with_wake(wake_inner.call(), [&] { inner.wait(); }); }), "1");
      outer.wait();
    });
  });
  inner.await_asleep();
  target.interrupt(1);
  EXPECT_EQ(wake_inner.calls, 1);
  outer.await_asleep();
  EXPECT_EQ(wake_outer.calls, 0);
  target.interrupt(2);
  EXPECT_EQ(wake_inner.calls, 1);
  EXPECT_EQ(wake_outer.calls, 1);
  EXPECT_EQ(raised_by([&] { target.wait(); }), "2");
}

// What the inner one was told of is still pending when it has returned a value: the outer body
// would wait for ever.
TEST(WithWake, OfNestedOnesTheOuterIsCalledForWhatTheInnerLeaves) {
  foreign outer;
  foreign inner;
  waker wake_outer(outer);
  waker wake_inner(inner);
  thread target([&] {
    with_wake(wake_outer.call(), [&] {
      with_wake(wake_inner.call(), [&] {
        inner.wait();
        return 0;
      });
      outer.wait();
    });
  });
  inner.await_asleep();
  target.interrupt(1);
  EXPECT_EQ(raised_by([&] { target.wait(); }), "1");
  EXPECT_EQ(wake_outer.calls, 1);
}

// The call lasts; the body has returned for another reason, and its end waits for the call.
TEST(WithWake, EndsOnlyWhenTheCallHasEnded) {
  foreign blocking;
  std::latch is_called(1);
  std::binary_semaphore may_return(0);
  std::atomic<bool> has_returned{false};
  std::atomic<bool> is_over{false};
  witness where;
  thread target([&] {
    raised_by([&] {
      with_wake(
          [&] {
            is_called.count_down();
            may_return.acquire();
            has_returned = true;
          },
          [&] {
            blocking.wait();
            where.here();
          });
    });
    EXPECT_TRUE(has_returned);
    is_over = true;
  });
  blocking.await_asleep();
  std::thread sender([&] { target.interrupt(1); });
  is_called.wait();
  blocking.tell();
  where.await_asleep();
  EXPECT_FALSE(is_over);
  // S1: nobody else who sends waits for that call.
  target.interrupt(2);
  may_return.release(2);
  sender.join();
  target.wait();
}

TEST(WithWake, IsCalledInsideABlockOfTheSender) {
  foreign blocking;
  const enrollment here;
  thread target([&] {
    with_wake(
        [&] {
          to_self(3);
          safe_point();
          sleep_for(1ms);
          blocking.tell();
        },
        [&] { blocking.wait(); });
  });
  blocking.await_asleep();
  target.interrupt(1);
  EXPECT_EQ(raised_here(), "3");
  EXPECT_EQ(raised_by([&] { target.wait(); }), "1");
}

TEST(WithWake, IsCalledForWhatItsBodySendsToItself) {
  const enrollment here;
  std::atomic<int> calls{0};
  EXPECT_EQ(with_wake([&] { ++calls; },
                      [&] {
                        to_self(1);
                        await([&] { return calls != 0; });
                        return calls.load();
                      }),
            1);
  EXPECT_EQ(raised_here(), "1");
}

// D5: swallowed inside the body, a termination comes again, and calls again.
TEST(WithWake, IsCalledAgainForATerminationThatWasSwallowed) {
  const enrollment here;
  std::atomic<int> calls{0};
  const auto wake = [&] { ++calls; };
  EXPECT_EQ(raised_by([&] {
              with_wake(wake, [&] {
                this_thread::get_target().terminate();
                await([&] { return calls == 1; });
                EXPECT_EQ(raised_here(), "terminated");
                await([&] { return calls == 2; });
              });
            }),
            "terminated");
}

// What the target sends itself, or gets again, must not have its waker called by itself: the two
// may share a lock.
TEST(WithWake, IsNotCalledByTheTargetItself) {
  const enrollment here;
  std::mutex shared;
  bool is_told = false;
  EXPECT_EQ(raised_by([&] {
              with_wake(
                  [&] {
                    const std::scoped_lock lock(shared);
                    is_told = true;
                  },
                  [&] {
                    {
                      const std::scoped_lock lock(shared);
                      this_thread::get_target().terminate();
                      EXPECT_EQ(raised_here(), "terminated");
                    }
                    await([&] {
                      const std::scoped_lock lock(shared);
                      return is_told;
                    });
                  });
            }),
            "terminated");
}

// O2: what comes while the body is in a block calls when the block ends, however it ends.
TEST(WithWake, IsCalledForWhatCameInABlockWhenTheBlockEnds) {
  foreign blocking;
  waker wakes(blocking);
  std::latch is_inside(1);
  thread target([&] {
    return with_wake(wakes.call(), [&] {
      const int value = blocked([&] {
        is_inside.count_down();
        await([] { return interrupt_pending(); });
        EXPECT_EQ(wakes.calls, 0);
        return 1;
      });
      blocking.wait();
      return value;
    });
  });
  is_inside.wait();
  target.interrupt(1);
  EXPECT_EQ(target.wait(), 1);
  EXPECT_EQ(wakes.calls, 1);
}

// O2, O5: the same for the block in which a condition wait takes its lock again.
TEST(WithWake, IsCalledForWhatCameWhileAWaitTookItsLockAgain) {
  foreign blocking;
  waker wakes(blocking);
  mutex guarding;
  condition_variable changed;
  witness waits;
  thread target([&] {
    return with_wake(wakes.call(), [&] {
      std::unique_lock lock(guarding);
      waits.here();
      changed.wait(lock);
      lock.unlock();
      blocking.wait();
      return 1;
    });
  });
  waits.await_asleep();
  {
    const std::scoped_lock lock(guarding);
    changed.notify_one();
    target.interrupt(1);
  }
  EXPECT_EQ(target.wait(), 1);
}

// M1: it is called for what the scopes around it let through, wherever the body opens them.
TEST(WithWake, IsNotCalledForWhatOnlyAnInnerScopeLetsThrough) {
  std::atomic<int> outer{0};
  std::atomic<int> inner{0};
  std::latch is_inside(1);
  thread target([&] {
    const block_scope<int> around;
    return with_wake([&] { ++outer; },
                     [&] {
                       unblocked<int>([&] {
                         return with_wake([&] { ++inner; },
                                          [&] {
                                            is_inside.count_down();
                                            await([&] { return inner != 0; });
                                            return 0;
                                          });
                       });
                       // Errands are run in order: after this one nothing is left.
                       to_self(std::string("last"));
                       await([&] { return outer != 0; });
                       return outer.load();
                     });
  });
  is_inside.wait();
  target.interrupt(1);
  EXPECT_EQ(raised_by([&] { target.wait(); }), "group(1, last)");
  EXPECT_EQ(outer, 1);
}

// The end of an enrollment inside the body leaves nothing to be called.
TEST(WithWake, StandsTheEndOfTheEnrollmentInItsBody) {
  auto here = std::make_unique<enrollment>();
  const target self = here->get_target();
  int calls = 0;
  with_wake([&] { ++calls; }, [&] { here.reset(); });
  EXPECT_EQ(self.interrupt(1).state(), delivery::discarded);
  EXPECT_EQ(calls, 0);
}

constinit prepared_interrupt* fired_by_signal = nullptr;

// S10: a handler calls nothing of the user's; a thread of the library does.
TEST(WithWake, IsEndedByAFiredInterrupt) {
  std::vector<foreign> blocking(3);
  std::atomic<int> calls{0};
  std::atomic<std::thread::id> by{};
  std::atomic<pid_t> tid{0};
  std::optional<prepared_interrupt> prepared;
  thread target([&] {
    prepared.emplace(this_thread::get_target(), 1);
    fired_by_signal = &*prepared;
    tid = ::gettid();
    for (foreign& one : blocking) {
      const auto wake = [&] {
        ++calls;
        by = std::this_thread::get_id();
        one.tell();
      };
      EXPECT_EQ(raised_by([&] { with_wake(wake, [&] { one.wait(); }); }), "1");
    }
  });
  await([&] { return tid != 0; });
  ::signal(SIGUSR1, [](int) { fired_by_signal->fire(); });
  blocking[0].await_asleep();
  prepared->fire();
  for (std::size_t i = 1; i < blocking.size(); ++i) {
    blocking[i].await_asleep();
    ::tgkill(::getpid(), tid, SIGUSR1);  // on top of the foreign wait itself
  }
  target.wait();
  EXPECT_EQ(calls, 3);
  EXPECT_NE(by.load(), std::this_thread::get_id());
  ::signal(SIGUSR1, SIG_DFL);
}

// O2: whenever the interrupt comes, before, at or after the begin of the body, nothing is lost, no
// call comes twice, and none comes after the end.
TEST(WithWake, LosesNothingWhateverTheTiming) {
  const int rounds = stress_rounds(20'000);
  std::atomic<int> round{0};
  std::atomic<int> done{0};
  thread target([&] {
    for (int i = 1; i <= rounds; ++i) {
      round = i;
      {
        foreign blocking;
        auto calls = std::make_unique<std::atomic<int>>(0);  // gone when it has ended
        const std::string raised = raised_by([&] {
          with_wake(
              [&] {
                ++*calls;
                blocking.tell();
              },
              [&] { blocking.wait(); });
        });
        EXPECT_TRUE(raised == std::to_string(i) || raised == "fired") << raised;
        EXPECT_LE(*calls, 1);
      }
      done = i;
    }
  });
  prepared_interrupt prepared(target.get_target(), std::string("fired"));
  std::minstd_rand random(8);
  for (int i = 1; i <= rounds; ++i) {
    await([&] { return round == i; });
    spin(static_cast<int>(random() % 1024));
    if (random() % 4 == 0) {
      prepared.fire();
    } else {
      target.interrupt(i);
    }
    await([&] { return done == i; });
  }
  target.wait();
}

// Many senders, some of which take back what they sent: calls never overlap, and the body returns
// at least as long as something is pending.
TEST(WithWake, CallsDoNotOverlapWhoeverSends) {
  const int rounds = stress_rounds(5'000);
  std::atomic<bool> is_over{false};
  std::atomic<long> handled{0};
  thread target([&] {
    const auto counting = attach<int>([&](int) { ++handled; });
    while (!is_over) {
      foreign blocking;
      std::atomic<int> inside{0};
      with_wake(
          [&] {
            EXPECT_EQ(++inside, 1);
            blocking.tell();
            --inside;
          },
          [&] { blocking.wait(); });
    }
  });
  std::atomic<long> withdrawn{0};
  std::vector<std::thread> senders;
  for (unsigned s = 0; s < 3; ++s) {
    senders.emplace_back([&, s] {
      std::minstd_rand random(s + 1);
      for (int i = 0; i < rounds; ++i) {
        const receipt sent = target.interrupt(i);
        if (random() % 4 == 0 && sent.withdraw()) ++withdrawn;
        spin(static_cast<int>(random() % 512));
      }
    });
  }
  for (auto& one : senders) one.join();
  await([&] { return handled + withdrawn == 3L * rounds; });
  is_over = true;
  // One may be handled before the last body begins, and then the body waits for another.
  while (!target.get_target().finished()) {
    interrupt_gently(target.get_target());
    std::this_thread::yield();
  }
  target.wait();
}

}  // namespace
}  // namespace sigexc::test
