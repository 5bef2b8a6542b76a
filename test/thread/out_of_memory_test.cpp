// Everything that takes memory, with each of its allocations failing in turn: what could not be
// done is said by std::bad_alloc (or std::system_error, where it was the kernel's or pthreads' to
// give), what was begun is undone, nothing is lost or kept, and the runtime goes on. An executable
// of its own, as it replaces the global operator new and malloc.
//
// Safe points without memory are in deliver/out_of_memory_test.cpp.
#include <gtest/gtest.h>

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <exception>
#include <new>
#include <algorithm>
#include <optional>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include "support/child.hpp"
#include "support/failing_memory.hpp"
#include "support/interrupts.hpp"
#include "support/order.hpp"

namespace sigexc::test {
namespace {

using namespace std::chrono_literals;

// Longer than what a string keeps in itself.
const char* const long_name = "a thread with a name that does not fit into a string itself";

bool is_want_of_memory(const std::exception_ptr& thrown) {
  try {
    std::rethrow_exception(thrown);
  } catch (const std::bad_alloc&) {
    return true;
  } catch (const std::system_error& e) {
    return e.code().value() == EAGAIN || e.code().value() == ENOMEM;
  } catch (...) {
    return false;
  }
}

// Sends itself something, as a new target, and gets it.
void expect_all_works() {
  sigexc::thread other([] {
    to_self(1);
    return raised_here();
  });
  ASSERT_EQ(other.wait(), "1");
}

// Calls `body` with its first allocation failing, its second, ..., and each time `check(thrown)`
// with memory again; `thrown` is null if nothing was. @return how many allocations it has.
template <class Body, class Check>
int expect_clean_failures(Body body, Check check) {
  int most = 0;
  for (const bool with_malloc : {false, true}) {
    if (with_malloc && SIGEXC_TEST_HAS_OWN_MALLOC == 0) continue;
    for (int round = 0; round < 2; ++round) {  // the first one makes what is made once
      const int count = at_every_allocation(
          [&] {
            const long before = allocated;
            {
              std::exception_ptr thrown;
              bool has_failed = false;
              try {
                body();
              } catch (...) {
                has_failed = allocations_left < 0;
                thrown = std::current_exception();
              }
              const int left = allocations_left.exchange(-1);
              is_malloc_failing = false;
              if (thrown != nullptr) {
                EXPECT_TRUE(has_failed && is_want_of_memory(thrown)) << words(thrown);
              }
              check(thrown);
              if (left >= 0) allocations_left = left;  // for `at_every_allocation`
            }
            if (round == 1) {
              EXPECT_EQ(allocated, before) << "were not given back";
            }
          },
          with_malloc);
      EXPECT_LT(count, 300);
      most = std::max(most, count);
    }
  }
  expect_all_works();
  return most;
}

template <class Body>
int expect_clean_failures(Body body) {
  return expect_clean_failures(body, [](const std::exception_ptr&) {});
}

std::atomic<int> unobserved{0};
class counting_unobserved {
 public:
  counting_unobserved() {
    unobserved = 0;
    before_ = set_unobserved_handler([](const target&, std::exception_ptr) noexcept {
      ++unobserved;
    });
  }
  counting_unobserved(const counting_unobserved&) = delete;
  counting_unobserved& operator=(const counting_unobserved&) = delete;
  ~counting_unobserved() { set_unobserved_handler(before_); }

 private:
  unobserved_handler before_;
};

TEST(WithoutMemory, AnEnrollmentIsMadeOrIsNot) {
  const auto alive = targets().size();
  EXPECT_GT(expect_clean_failures(
                [] {
                  const enrollment self(long_name);
                  if (current_policy() != policy::immediate) std::abort();
                },
                [&](const std::exception_ptr&) { EXPECT_EQ(targets().size(), alive); }),
            1);
}

TEST(WithoutMemory, TheFirstEnrollmentOfAProcessCanBeTriedAgain) {
  SIGEXC_TEST_STARTS_THREADS_IN_CHILDREN();
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(
      {
        expect_clean_failures([] { const enrollment self(long_name); });
        std::_Exit(testing::Test::HasFailure() ? 1 : 0);
      },
      testing::ExitedWithCode(0), "");
}

TEST(WithoutMemory, AThreadIsMadeAndHasItsResultOrIsNot) {  // D6
  const auto alive = targets().size();
  int results = 0;
  expect_clean_failures(
      [&] {
        sigexc::thread other({.name = long_name}, [] { return 7; });
        results += other.wait() == 7 ? 1 : 0;
      },
      [&](const std::exception_ptr& thrown) {
        EXPECT_EQ(results, thrown == nullptr ? 1 : 0);
        results = 0;
        EXPECT_EQ(targets().size(), alive);
      });
}

TEST(WithoutMemory, AThreadIsTerminatedAndJoined) {
  std::atomic<bool> has_ended = false;
  expect_clean_failures(
      [&] {
        has_ended = true;
        const sigexc::thread other([&] {
          has_ended = false;
          struct last {
            std::atomic<bool>& has_ended;
            ~last() { has_ended = true; }
          } const at_end{has_ended};
          sleep_for(1h);
        });
      },
      [&](const std::exception_ptr&) { EXPECT_TRUE(has_ended); });
}

TEST(WithoutMemory, WhatIsSentIsQueuedOrWasNot) {  // S1, S8
  const enrollment self;
  const auto here = this_thread::get_target();
  const std::string text(100, 'x');
  expect_clean_failures([&] { here.interrupt(text); },
                        [&](const std::exception_ptr& thrown) {
                          EXPECT_EQ(here.pending(), thrown == nullptr ? 1U : 0U);
                          EXPECT_EQ(raised_here(), thrown == nullptr ? text : "nothing");
                        });
  const auto exception = std::make_exception_ptr(1);
  expect_clean_failures([&] { here.interrupt(exception); },
                        [&](const std::exception_ptr& thrown) {
                          EXPECT_EQ(raised_here(), thrown == nullptr ? "1" : "nothing");
                        });
}

TEST(WithoutMemory, ATerminationIsQueuedAndRequestsStopOrNeither) {  // D5
  std::optional<enrollment> self;
  expect_clean_failures(
      [&] {
        self.emplace();
        this_thread::get_target().terminate();
      },
      [&](const std::exception_ptr& thrown) {
        if (self.has_value()) {
          EXPECT_EQ(self->get_stop_token().stop_requested(), thrown == nullptr);
          EXPECT_EQ(self->get_target().pending(), thrown == nullptr ? 1U : 0U);
        }
        self.reset();
      });
}

TEST(WithoutMemory, APreparedInterruptIsMadeOrIsNotAndFiringTakesNone) {  // S10
  const enrollment self;
  const auto here = this_thread::get_target();
  expect_clean_failures(
      [&] {
        prepared_interrupt bell(here, std::string(100, 'x'));
        const int left = allocations_left.exchange(0);
        bell.fire();
        if (allocations_left != 0) std::abort();
        allocations_left = left;
      },
      [&](const std::exception_ptr& thrown) {
        EXPECT_EQ(raised_here(), thrown == nullptr ? std::string(100, 'x') : "nothing");
      });
}

TEST(WithoutMemory, ACallbackIsAttachedOrIsNot) {  // D3
  const enrollment self;
  int handled = 0;
  std::optional<attachment<int>> attached;
  expect_clean_failures(
      [&] {
        attached.emplace(
            attach<int>([&handled, much = std::string(100, 'x')](int) { ++handled; }));
      },
      [&](const std::exception_ptr& thrown) {
        to_self(1);
        EXPECT_EQ(raised_here(), thrown == nullptr ? "nothing" : "1");
        EXPECT_EQ(handled, thrown == nullptr ? 1 : 0);
        handled = 0;
        attached.reset();
      });
}

TEST(WithoutMemory, ACallbackIsAttachedToAThreadOrIsNot) {
  expect_clean_failures([] {
    sigexc::thread other([] { sleep_for(1h); });
    other.attach<int>([much = std::string(100, 'x')](int) {});
    other.attach<int>([](int) {});
    other.terminate();
  });
}

// The exceptions that they are made of are made without `operator new`, and malloc has a reserve.
TEST(WithoutMemory, ADeadlineEndsItsBodyAllTheSame) {  // T1
  const enrollment self;
  bool has_returned = true;
  expect_clean_failures(
      [&] {
        has_returned = true;
        has_returned = timeout(0s, [] { safe_point(); });
      },
      [&](const std::exception_ptr& thrown) { EXPECT_EQ(has_returned, thrown != nullptr); });
  expect_clean_failures([&] {
    if (timeout(1ms, [] { sleep_for(1h); })) std::abort();
  });
}

TEST(WithoutMemory, TheFirstDeadlineCanBeTriedAgain) {
  SIGEXC_TEST_STARTS_THREADS_IN_CHILDREN();
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(
      {
        const enrollment self;
        expect_clean_failures([] { (void)timeout(1ms, [] { sleep_for(1h); }); });
        expect_clean_failures([] { with_wake([] {}, [] {}); });
        std::_Exit(testing::Test::HasFailure() ? 1 : 0);
      },
      testing::ExitedWithCode(0), "");
}

TEST(WithoutMemory, WaitsTakeNone) {
  const enrollment self;
  const auto before = to_self(1);  // raised
  EXPECT_EQ(raised_here(), "1");
  mutex lock;
  condition_variable changed;
  counting_semaphore units(1);
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  EXPECT_EQ(at_every_allocation(
                [&] {
                  lock.lock_interruptibly();
                  (void)changed.wait_for(lock, 1us);
                  lock.unlock();
                  units.acquire();
                  (void)units.try_acquire_for(1us);
                  units.release();
                  sleep_for(1us);
                  (void)before.wait();
                  pollfd watched{ends[0], POLLIN, 0};
                  (void)posix::poll(&watched, 1, 1);
                  (void)timeout(1h, [] {});
                  with_wake([] {}, [] {});
                  const block_scope quiet;
                  (void)this_thread::get_target();
                  (void)interrupt_pending();
                },
                true),
            0);
  ::close(ends[0]);
  ::close(ends[1]);
}

TEST(WithoutMemory, ForeignCodeIsCalledOff) {
  const counting_unobserved handler;  // of a sender that has no memory
  const enrollment self;
  expect_clean_failures(
      [&] {
        std::atomic<bool> is_over = false;
        const sigexc::thread sender([to = this_thread::get_target()] { to.interrupt(1); });
        try {
          with_wake([&] { is_over = true; },
                    [&] {
                      for (int i = 0; !is_over && i < 1'000; ++i) std::this_thread::sleep_for(1us);
                    });
          sleep_for(1ms);
        } catch (int) {
        }
      },
      [&](const std::exception_ptr&) { (void)raised_here(); });
}

TEST(WithoutMemory, RacesAndAllsEndAllThatTheyHaveStarted) {  // T3
  std::atomic<int> running = 0;
  const auto work = [&running](int result) {
    return [&running, result] {
      struct counted {
        std::atomic<int>& running;
        explicit counted(std::atomic<int>& of) : running(of) { ++running; }
        ~counted() { --running; }
        counted(const counted&) = delete;
        counted& operator=(const counted&) = delete;
      } const here(running);
      if (result == 0) sleep_for(1h);
      return std::string(static_cast<std::size_t>(result) * 100, 'x');
    };
  };
  const counting_unobserved handler;
  const auto check = [&](const std::exception_ptr&) {
    EXPECT_EQ(running, 0);
    // What failed in a task and was not thrown.
    unobserved = 0;
  };
  expect_clean_failures([&] { (void)race(work(0), work(1)); }, check);
  expect_clean_failures([&] { (void)all(work(1), work(2)); }, check);
}

TEST(WithoutMemory, AGroupThrowsOrTellsEveryFailureOfItsTasks) {  // T3, D6
  const counting_unobserved handler;
  std::atomic<int> failures = 0;
  int thrown_here = 0;
  for (const int tasks : {1, 2, 5}) {
    expect_clean_failures(
        [&] {
          failures = 0;
          thrown_here = 0;
          task_group group;
          for (int i = 0; i < tasks; ++i)
            group.spawn([&failures] {
              const block_scope all_fail;  // whoever is terminated by another's failure too
              ++failures;
              throw 1;
            });
          try {
            group.join();
          } catch (const std::bad_alloc&) {
            throw;
          } catch (const exception_group& several) {
            thrown_here = static_cast<int>(several.exceptions().size());
          } catch (int) {
            thrown_here = 1;
          }
        },
        [&](const std::exception_ptr&) {
          EXPECT_EQ(thrown_here + unobserved, failures);
          unobserved = 0;
        });
  }
}

TEST(WithoutMemory, AGroupGoesOnWithoutTheTaskThatCouldNotBeSpawned) {  // T3
  task_group group;
  std::atomic<int> ran = 0;
  int spawned = 0;
  expect_clean_failures(
      [&] {
        for (int i = 0; i < 8; ++i) {
          group.spawn(thread_options{.name = long_name}, [&ran] { ++ran; });
          ++spawned;
        }
      },
      [&](const std::exception_ptr&) {
        group.join();
        EXPECT_EQ(ran.exchange(0), std::exchange(spawned, 0));
        EXPECT_EQ(group.running(), 0U);
      });
}

TEST(WithoutMemory, HandlersHaveAllRunOrNone) {  // D2
  int seen = 0;
  const exception_group both({std::make_exception_ptr(1), std::make_exception_ptr('a'),
                              std::make_exception_ptr(2.0), std::make_exception_ptr(2.0F)});
  expect_clean_failures(
      [&] {
        try {
          throw both;
        } catch (...) {
          try {
            handle_each([&](int) { ++seen; }, [&](char) { ++seen; });
          } catch (const exception_group&) {  // the two that nobody takes
          }
        }
      },
      [&](const std::exception_ptr&) {
        EXPECT_TRUE(seen == 0 || seen == 2) << seen;
        seen = 0;
      });
}

TEST(WithoutMemory, DiagnosisIsGivenOrIsNot) {
  sigexc::thread sleeper({.name = long_name}, [] { sleep_for(1h); });
  const auto who = sleeper.get_target();
  {
    const enrollment self;
    to_self(1);
    EXPECT_EQ(raised_here(), "1");
    expect_clean_failures([&] {
      (void)targets();
      (void)who.name();
      (void)backtrace::current();
      (void)last_interrupt();
    });
  }
  // What libdw and the demangler do without memory is theirs: `operator new` alone fails here.
  at_every_allocation([&] {
    try {
      (void)diagnose(who);
    } catch (const std::bad_alloc&) {
    }
  });
  const int nowhere = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
  for (int left = 0, has_failed = true; has_failed; left += 50) {  // reading names takes its time
    allocations_left = left;
    dump(nowhere);  // throws nothing
    has_failed = allocations_left.exchange(-1) < 0;
  }
  ::close(nowhere);
  expect_all_works();
}

TEST(WithoutMemory, ABridgeIsMadeOrIsNot) {  // X4
  const enrollment self;
  struct sigaction before {};
  struct sigaction after {};
  ::sigaction(SIGUSR2, nullptr, &before);
  expect_clean_failures([] { const signal_bridge both({SIGUSR1, SIGUSR2}); },
                        [&](const std::exception_ptr&) {
                          ::sigaction(SIGUSR2, nullptr, &after);
                          EXPECT_EQ(after.sa_handler, before.sa_handler);
                        });
}

TEST(WithoutMemory, AnExplorationIsGivenOrIsNot) {
  expect_clean_failures([] {
    const exploration found = explore([] {
      safe_point();
      const block_scope quiet;
    });
    // What a body throws is what it throws: here there was no memory to send the probe.
    if (found.failed_at.has_value() && found.failure.empty()) std::abort();
  });
}

TEST(WithoutMemory, AThreadThatNobodyWaitedForIsTold) {  // D6
  testing::internal::CaptureStderr();
  expect_clean_failures([] {
    sigexc::thread other({.name = long_name}, [] { throw 1; });
    while (!other.wait_for(1h)) {
    }
  });
  const std::string said = testing::internal::GetCapturedStderr();
  EXPECT_NE(said.find(std::string("'") + long_name + "' ended by"), std::string::npos) << said;
}

TEST(WithoutMemory, AReleaseThatThrowsBesideAnotherExceptionIsTold) {  // T4
  const counting_unobserved handler;
  testing::internal::CaptureStderr();
  expect_clean_failures([] {
    try {
      bracket([] {}, [] { throw 1; }, [] { throw 2; });
    } catch (int) {
    }
  });
  EXPECT_GT(unobserved, 0);
  // Where there was no memory for the name of who is no target.
  EXPECT_NE(testing::internal::GetCapturedStderr().find("the release of a bracket"),
            std::string::npos);
}

TEST(WithoutMemory, PthreadExitEndsAThread) {  // D6
  expect_clean_failures(
      [] {
        sigexc::thread other([] { ::pthread_exit(nullptr); });
        try {
          other.wait();
        } catch (const std::runtime_error&) {
        }
      });
}

}  // namespace
}  // namespace sigexc::test
