// Races, all-of and groups of tasks: who wins, who is told, what is thrown, and that nobody is
// left.
#include <gtest/gtest.h>

#include <atomic>
#include <barrier>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <latch>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>
#include <tuple>
#include <variant>
#include <vector>

#include "support/interrupts.hpp"
#include "support/order.hpp"
#include "support/unobserved.hpp"

namespace sigexc::test {
namespace {

using namespace std::chrono_literals;

[[gnu::noinline]] void compute() {
  for (;;) safe_point();
}
[[gnu::noinline]] int compute_forever() {
  compute();
  return 0;
}

// Says that it runs, then waits until it is ended.
[[gnu::noinline]] void run_until_ended(std::latch& runs) {
  runs.count_down();
  compute();
}

// How many threads this process has. Those of the library itself are made first.
std::size_t count_threads() {
  namespace fs = std::filesystem;
  return static_cast<std::size_t>(
      std::distance(fs::directory_iterator("/proc/self/task"), fs::directory_iterator()));
}

// A thread that was joined may be seen for a moment longer.
void await_threads(std::size_t count) {
  await([count] { return count_threads() == count; });
}

TEST(Race, GivesTheResultOfTheFirstToEndByItsPosition) {  // T3
  const enrollment self;
  const auto first = race([] { return 1; }, compute_forever, compute);
  static_assert(std::is_same_v<decltype(first), const std::variant<int, int, std::monostate>>);
  EXPECT_EQ(first.index(), 0U);
  EXPECT_EQ(std::get<0>(first), 1);
  EXPECT_EQ(race(compute, [] {}).index(), 1U);
  int here = 0;
  EXPECT_EQ(&std::get<0>(race([&]() -> int& { return here; })).get(), &here);
  const auto moved = race(compute, [] { return std::make_unique<int>(3); });
  EXPECT_EQ(*std::get<1>(moved), 3);
}

TEST(Race, ThrowsWhatEndedTheFirst) {  // T3
  const enrollment self;
  const told unobserved;
  EXPECT_EQ(raised_by([] { race(compute, []() -> int { throw 5; }); }), "5");
  EXPECT_EQ(unobserved.words(), "");
}

TEST(Race, JoinsItsLosersHoweverSlowlyTheyCleanUp) {  // T3
  const enrollment self;
  std::atomic<int> cleaned{0};
  const auto slow = [&cleaned] {
    struct cleaner {
      std::atomic<int>& count;
      ~cleaner() {
        std::this_thread::sleep_for(20ms);
        ++count;
      }
    };
    const cleaner last{cleaned};
    compute();
  };
  race(slow, slow, [] {});
  // A body that had not begun has nothing to clean up, so let both begin.
  cleaned = 0;
  std::latch both(2);
  const auto begun = [&] {
    const std::shared_ptr<void> last(nullptr, [&](void*) {
      std::this_thread::sleep_for(20ms);
      ++cleaned;
    });
    run_until_ended(both);
  };
  race(begun, begun, [&] { both.wait(); });
  EXPECT_EQ(cleaned, 2);
}

TEST(Race, TellsTheUnobservedHandlerWhatItsLosersThrow) {  // T3, D6
  const enrollment self;
  const told unobserved;
  std::latch runs(2);
  race(
      [&] {
        try {
          run_until_ended(runs);
        } catch (const terminated&) {
          throw 6;
        }
      },
      [&] { run_until_ended(runs); }, [&] { runs.wait(); });
  EXPECT_EQ(unobserved.words(), ": 6; ");
}

TEST(Race, OfThoseThatEndAtTheSameInstantHasOneWinner) {  // T3
  const enrollment self;
  const told unobserved;
  for (int round = 0; round < 200; ++round) {
    std::barrier together(3);
    const auto at_once = [&](int number) {
      return [&together, number] {
        blocked([&] { together.arrive_and_wait(); });
        return number;
      };
    };
    const auto failing = [&]() -> int {
      blocked([&] { together.arrive_and_wait(); });
      throw 3;
    };
    std::optional<std::variant<int, int, int>> won;
    const std::string thrown =
        raised_by([&] { won = race(at_once(0), at_once(1), std::cref(failing)); });
    if (won) {
      EXPECT_EQ(thrown, "nothing");
      EXPECT_EQ(std::visit([](int number) { return number; }, *won), int(won->index()));
    } else {
      EXPECT_EQ(thrown, "3");
    }
  }
}

TEST(All, GivesAllResults) {  // T3
  const enrollment self;
  const auto results = all([] { return 1; }, [] {}, [] { return std::string("three"); });
  EXPECT_EQ(results, std::tuple(1, std::monostate(), std::string("three")));
  EXPECT_EQ(all(), std::tuple());
}

TEST(All, TerminatesTheOthersWhereOneThrows) {  // T3
  const enrollment self;
  const told unobserved;
  EXPECT_EQ(raised_by([] {
              all(
                  compute, [] { throw 5; }, compute_forever);
            }),
            "5");
  EXPECT_EQ(unobserved.words(), "");
}

TEST(All, ThrowsAGroupInOrderWhereSeveralThrow) {  // T3
  const enrollment self;
  const told unobserved;
  std::latch runs(2);
  const auto failing = [&](int number) {
    return [&runs, number] {
      try {
        run_until_ended(runs);
      } catch (const terminated&) {
        throw number;
      }
    };
  };
  EXPECT_EQ(raised_by([&] {
              all(
                  failing(1), compute,
                  [&] {
                    blocked([&] { runs.wait(); });
                    throw 2;
                  },
                  failing(3));
            }),
            "group(1, 2, 3)");
  EXPECT_EQ(unobserved.words(), "");
}

TEST(All, TakesWhatIsThrownBesideItsTerminationForAnError) {  // T3: a group of both
  const enrollment self;
  std::latch runs(1);
  target who = this_thread::get_target();
  EXPECT_EQ(raised_by([&] {
              all(
                  [&] {
                    who = this_thread::get_target();
                    const block_scope quiet;
                    runs.count_down();
                    await([&] { return who.pending() == 2; });
                  },
                  [&] {
                    blocked([&] { runs.wait(); });
                    who.interrupt(7);
                    throw 8;
                  });
            }),
            "group(7, 8)");
}

TEST(All, WorksWithoutATarget) {
  EXPECT_EQ(all([] { return 1; }, [] { return 2; }), std::tuple(1, 2));
  EXPECT_EQ(raised_by([] { all(compute, [] { throw 5; }); }), "5");
}

TEST(All, StartsUnblockedWhereItsCallerIsBlocked) {  // M2
  const enrollment self;
  to_self(1);
  const block_scope quiet;
  EXPECT_EQ(raised_by([] { all(compute, [] { throw 5; }); }), "5");
  EXPECT_EQ(race(compute, [] { return 2; }).index(), 1U);
  EXPECT_TRUE(interrupt_pending());
  EXPECT_EQ(raised_by([] { const unblock_scope open; }), "1");
}

TEST(All, InterruptedTerminatesItsTasksAndRaisesTheInterrupt) {  // T3
  const told unobserved;
  std::latch runs(3);
  std::atomic<int> cleaned{0};
  const auto waiting = [&] {
    const std::shared_ptr<void> last(nullptr, [&](void*) { ++cleaned; });
    run_until_ended(runs);
  };
  int seen = 0;
  thread parent([&] {
    try {
      all(waiting, waiting, [&] {
        try {
          run_until_ended(runs);
        } catch (const terminated&) {
          throw 9;
        }
      });
    } catch (int number) {
      seen = cleaned;
      throw std::to_string(number);
    }
  });
  runs.wait();
  parent.interrupt(4);
  EXPECT_EQ(raised_by([&] { parent.wait(); }), "4");
  EXPECT_EQ(seen, 2);
  EXPECT_EQ(unobserved.words(), ": 9; ");
}

TEST(All, IsNotInterruptedTwice) {  // T3
  std::latch runs(1);
  std::latch told_to_end(1);
  std::latch may_end(1);
  std::string second;
  thread parent([&] {
    try {
      all([&] {
        try {
          run_until_ended(runs);
        } catch (const terminated&) {
          const block_scope quiet;
          told_to_end.count_down();
          may_end.wait();
          throw;
        }
      });
    } catch (int) {
      second = raised_here();
      throw;
    }
  });
  runs.wait();
  parent.interrupt(1);
  told_to_end.wait();
  const receipt sent = parent.interrupt(2);
  EXPECT_EQ(sent.wait_for(20ms), delivery::pending);
  may_end.count_down();
  EXPECT_EQ(raised_by([&] { parent.wait(); }), "1");
  EXPECT_EQ(second, "2");
}

TEST(All, EndedByADeadlineIsToldByItsIdentity) {  // T1, T3
  const enrollment self;
  EXPECT_FALSE(timeout(20ms, [] { all(compute, compute); }));
  EXPECT_FALSE(timeout(20ms, [] { return race(compute, compute); }));
  EXPECT_EQ(raised_here(), "nothing");
}

TEST(All, TreesOfTasksAreTakenDownFromTheRoot) {  // T3
  const enrollment self;
  const told unobserved;
  std::latch leaves(8);
  std::atomic<int> cleaned{0};
  const auto leaf = [&] {
    const std::shared_ptr<void> last(nullptr, [&](void*) { ++cleaned; });
    run_until_ended(leaves);
  };
  const auto twig = [&] { all(leaf, leaf); };
  const auto branch = [&] { race(twig, twig); };
  EXPECT_EQ(raised_by([&] {
              all(branch, branch, [&] {
                blocked([&] { leaves.wait(); });
                throw 5;
              });
            }),
            "5");
  EXPECT_EQ(cleaned, 8);
  EXPECT_EQ(unobserved.words(), "");
}

TEST(All, ThatCannotStartAThreadEndsThoseThatItHas) {  // T3
  const enrollment self;
  const std::size_t before = count_threads();
  task_group group;
  group.spawn(compute);
  EXPECT_THROW(group.spawn(thread_options{.stack_size = 1}, compute), std::system_error);
  EXPECT_EQ(group.running(), 1U);
  group.terminate();
  group.join();
  await_threads(before);
}

TEST(TaskGroup, JoinsAll) {  // T3
  const enrollment self;
  std::atomic<int> sum{0};
  task_group group;
  std::vector<task<int>> tasks;
  for (int i = 1; i <= 10; ++i)
    tasks.push_back(group.spawn(
        [&sum](int number) {
          sum += number;
          return number;
        },
        i));
  EXPECT_EQ(tasks[3].wait(), 4);
  group.join();
  EXPECT_EQ(sum, 55);
  EXPECT_EQ(group.running(), 0U);
  EXPECT_EQ(tasks[9].wait(), 10);
  EXPECT_TRUE(tasks[9].wait_for(0s));
  EXPECT_TRUE(tasks[9].get_target().finished());
  group.join();
}

TEST(TaskGroup, ThatFailedThrowsOnceAndCanBeUsedAnew) {  // T3
  const enrollment self;
  task_group group;
  group.spawn(compute);
  group.spawn([] { throw 5; });
  EXPECT_EQ(raised_by([&] { group.join(); }), "5");
  EXPECT_EQ(raised_by([&] { group.join(); }), "nothing");
  const auto next = group.spawn([] { return 6; });
  group.join();
  EXPECT_EQ(next.wait(), 6);
}

TEST(TaskGroup, TerminatedIsNoError) {  // T3
  const enrollment self;
  const told unobserved;
  std::latch runs(3);
  task_group group;
  for (int i = 0; i < 3; ++i) group.spawn(run_until_ended, std::ref(runs));
  runs.wait();
  group.terminate();
  group.terminate();
  EXPECT_EQ(raised_by([&] { group.join(); }), "nothing");
  EXPECT_EQ(unobserved.words(), "");
}

TEST(TaskGroup, TakesAStrangersTerminationForAFailure) {  // T3
  const enrollment self;
  std::latch runs(2);
  task_group group;
  const auto one = group.spawn(run_until_ended, std::ref(runs));
  group.spawn(run_until_ended, std::ref(runs));
  runs.wait();
  one.terminate();
  EXPECT_EQ(raised_by([&] { group.join(); }), "terminated");
}

TEST(TaskGroup, DestroyedTerminatesItsTasksAndReportsErrors) {  // T3, D6
  const enrollment self;
  const told unobserved;
  std::latch runs(2);
  {
    task_group group;
    group.spawn(thread_options{.name = "good"}, run_until_ended, std::ref(runs));
    group.spawn(thread_options{.name = "bad"}, [&] {
      try {
        run_until_ended(runs);
      } catch (const terminated&) {
        throw 5;
      }
    });
    runs.wait();
  }
  EXPECT_EQ(unobserved.words(), "bad: 5; ");
}

TEST(TaskGroup, LeftByAnExceptionTakesItsTasksWithIt) {  // T3
  const enrollment self;
  std::atomic<bool> is_over{false};
  EXPECT_EQ(raised_by([&] {
              std::latch runs(1);
              task_group group;
              group.spawn([&] {
                const std::shared_ptr<void> last(nullptr, [&](void*) { is_over = true; });
                run_until_ended(runs);
              });
              runs.wait();
              throw 5;
            }),
            "5");
  EXPECT_TRUE(is_over);
}

TEST(TaskGroup, DoesNotRunWhatIsSpawnedAfterItsEnd) {  // T3, S7
  const enrollment self;
  const told unobserved;
  task_group group;
  group.terminate();
  bool has_run = false;
  const auto late = group.spawn([&] { has_run = true; });
  EXPECT_EQ(raised_by([&] { late.wait(); }), "terminated");
  EXPECT_EQ(raised_by([&] { group.join(); }), "nothing");
  EXPECT_FALSE(has_run);
  group.spawn([] { throw 5; });
  await([&] { return group.running() == 0; });
  group.spawn([&] { has_run = true; });
  EXPECT_EQ(raised_by([&] { group.join(); }), "5");
  EXPECT_FALSE(has_run);
}

TEST(TaskGroup, IsSpawnedIntoByItsTasks) {  // T3
  const enrollment self;
  std::atomic<int> leaves{0};
  task_group group;
  const auto grow = [&](auto& again, int depth) -> void {
    if (depth == 0) {
      ++leaves;
      return;
    }
    for (int i = 0; i < 2; ++i) group.spawn([&again, depth] { again(again, depth - 1); });
  };
  group.spawn([&] { grow(grow, 5); });
  group.join();
  EXPECT_EQ(leaves, 32);
}

TEST(TaskGroup, TellsATaskThatWouldWaitForItself) {
  const enrollment self;
  task_group group;
  const auto one = group.spawn([&] { group.join(); });
  EXPECT_THROW(one.wait(), std::system_error);
  EXPECT_THROW(group.join(), std::system_error);
}

TEST(TaskGroup, TellsHundredsAtOnce) {  // T3
  const enrollment self;
  const std::size_t before = count_threads();
  const told unobserved;
  constexpr int many = 300;
  std::latch runs(many);
  counting_semaphore never(0);
  task_group group;
  for (int i = 0; i < many; ++i)
    group.spawn(thread_options{.stack_size = 256 * 1024}, [&] {
      runs.count_down();
      never.acquire();
    });
  runs.wait();
  group.spawn([] { throw 5; });
  EXPECT_EQ(raised_by([&] { group.join(); }), "5");
  EXPECT_EQ(unobserved.words(), "");
  await_threads(before);
}

TEST(TaskGroup, KeepsNoStacksOfTasksThatHaveEnded) {
  const enrollment self;
  const auto pages = [] {  // of address space
    std::size_t count = 0;
    std::ifstream("/proc/self/statm") >> count;
    return count;
  };
  constexpr std::size_t stack = 16U << 20;
  constexpr std::size_t many = 200;
  task_group group;
  const std::size_t before = pages();
  for (std::size_t i = 0; i < many; ++i)
    group.spawn(thread_options{.stack_size = stack}, [] {}).wait();
  EXPECT_LT((pages() - before) * 4096, many * stack / 2);
  group.join();
}

TEST(TaskGroup, InterruptedWhileItJoinsTerminatesItsTasks) {  // T3
  std::latch runs(1);
  thread parent([&] {
    task_group group;
    group.spawn(run_until_ended, std::ref(runs));
    try {
      group.join();
    } catch (const std::string& text) {
      EXPECT_EQ(group.running(), 0U);
      throw;
    }
  });
  runs.wait();
  parent.interrupt(std::string("stop"));
  EXPECT_EQ(raised_by([&] { parent.wait(); }), "stop");
}

}  // namespace
}  // namespace sigexc::test
