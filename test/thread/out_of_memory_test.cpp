// Threads, tasks and time, with each of their allocations failing in turn: what was begun is undone
// or goes on, and what has ended a thread is told to somebody.
#include <gtest/gtest.h>

#include <poll.h>
#include <pthread.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <exception>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>

#include "support/child.hpp"
#include "support/clean_failures.hpp"

namespace sigexc::test {
namespace {

using namespace std::chrono_literals;

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
  timeout(1h, [] {});
  with_wake([] {}, [] {});  // these have made the library's threads

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
          safe_point();
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
  expect_clean_failures([] {
    sigexc::thread other([] { ::pthread_exit(nullptr); });
    try {
      other.wait();
    } catch (const std::runtime_error&) {
    }
  });
}

}  // namespace
}  // namespace sigexc::test
