// Trees of races, groups and deadlines, at random, with interrupts to random tasks of them, and
// with tasks that fail at random. Afterwards no thread is left, and each exception that was thrown
// or raised has arrived exactly once: where it left the tree, or at the unobserved handler. Only
// terminations and deadlines vanish, which the trees themselves have sent.
//
// Why none is lost: an exception leaves a task once; its set, which is joined before its owner goes
// on, throws it to the owner, who is a task again, or reports it.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <iostream>
#include <iterator>
#include <mutex>
#include <random>
#include <thread>
#include <vector>

#include "support/interrupts.hpp"
#include "support/order.hpp"
#include "support/rounds.hpp"

namespace sigexc::test {
namespace {

using std::chrono::microseconds;

std::size_t count_threads() {
  namespace fs = std::filesystem;
  return static_cast<std::size_t>(
      std::distance(fs::directory_iterator("/proc/self/task"), fs::directory_iterator()));
}

// How often each exception has arrived, and how often it should have.
class ledger {
 public:
  struct entry {
    std::size_t number;
  };

  entry open() {
    const std::lock_guard lock(mutex_);
    arrivals_.push_back(0);
    return {arrivals_.size() - 1};
  }
  void expect_nothing_of(const entry& one) { arrive(one); }
  void arrive(const entry& one) {
    const std::lock_guard lock(mutex_);
    ++arrivals_.at(one.number);
  }
  // Any other exception than those that vanish is a fault.
  void arrive(const std::exception_ptr& exception) {
    try {
      std::rethrow_exception(exception);
    } catch (const entry& one) {
      arrive(one);
    } catch (const exception_group& group) {
      for (const auto& member : group.exceptions()) arrive(member);
    } catch (const terminated&) {
    } catch (...) {
      ++strangers_;
    }
  }
  void check() {
    const std::lock_guard lock(mutex_);
    total += arrivals_.size();
    EXPECT_EQ(std::count(arrivals_.begin(), arrivals_.end(), 0), 0) << "were lost";
    EXPECT_EQ(std::count(arrivals_.begin(), arrivals_.end(), 1), std::ssize(arrivals_));
    EXPECT_EQ(strangers_, 0);
    arrivals_.clear();
  }

  std::size_t total = 0;

 private:
  std::mutex mutex_;
  std::vector<int> arrivals_;
  std::atomic<int> strangers_{0};
};

ledger book;

void arrive_unobserved(const target& /*ended*/, std::exception_ptr exception) noexcept {
  book.arrive(exception);
}

class tree {
 public:
  explicit tree(unsigned seed)
      : random_(seed * 2654435761U + 1) {}  // seeds that are near each other grow other trees

  int pick(int below) { return static_cast<int>(random_() % static_cast<unsigned>(below)); }

  auto branch(int depth) {
    return [depth, seed = static_cast<unsigned>(random_())] { tree(seed).run(depth - 1); };
  }

  // Grows as it runs: every branch has a generator of its own.
  void run(int depth) {
    switch (depth == 0 ? pick(4) : 4 + pick(5)) {
      case 0:
        for (int i = pick(2'000); i > 0; --i) safe_point();
        return;
      case 1:
        sleep_for(microseconds(pick(300)));
        return;
      case 2:
        if (pick(3) == 0) throw book.open();
        return;
      case 3:
        clean_up_slowly();
        return;
      case 4:
        race(branch(depth), branch(depth), branch(depth));
        return;
      case 5:
        all(branch(depth), branch(depth));
        return;
      case 6:
        group(depth);
        return;
      case 7:
        timeout(microseconds(pick(500)), branch(depth));
        return;
      default:
        blocked(branch(depth));
    }
  }

 private:
  void clean_up_slowly() {
    struct cleaner {
      int turns;
      ~cleaner() { spin(turns); }
    };
    const cleaner last{pick(50'000)};
    for (int i = pick(500); i > 0; --i) safe_point();
  }

  void group(int depth) {
    task_group tasks;
    for (int i = pick(5); i > 0; --i) {
      tasks.spawn([&tasks, mine = branch(depth), other = branch(depth), is_parent = pick(2) == 0] {
        if (is_parent) tasks.spawn(other);
        mine();
      });
    }
    if (pick(4) == 0) tasks.terminate();
    if (pick(4) != 0) tasks.join();
  }

  std::minstd_rand random_;
};

TEST(StructuredStress, LosesNoThreadAndNoException) {  // T1, T2, T3, S8
  {
    const enrollment self;
    timeout(std::chrono::hours(1), [] {});
  }  // the library's own thread
  const unobserved_handler before = set_unobserved_handler(arrive_unobserved);
  const std::size_t threads = count_threads();
  std::atomic<bool> is_over{false};
  std::atomic<int> delivered{0};
  for (int round = stress_rounds(2'000); round > 0; --round) {
    is_over = false;
    std::jthread interrupter([&is_over, &delivered, round] {
      std::minstd_rand random(static_cast<unsigned>(round));
      std::vector<std::pair<ledger::entry, receipt>> sent;
      while (!is_over) {
        const std::vector<target> alive = targets();
        if (alive.empty() || random() % 8 != 0) {
          std::this_thread::yield();
          continue;
        }
        const ledger::entry one = book.open();
        sent.emplace_back(one, alive[random() % alive.size()].interrupt(one));
      }
      for (const auto& [one, fate] : sent) {
        if (fate.state() == delivery::raised)
          ++delivered;
        else
          book.expect_nothing_of(one);
        EXPECT_NE(fate.state(), delivery::pending);  // S8
      }
    });
    thread root([round] { tree(static_cast<unsigned>(round)).run(4); });
    try {
      root.wait();
    } catch (...) {
      book.arrive(std::current_exception());
    }
    is_over = true;
    interrupter.join();
    book.check();
    // A thread that was joined may be seen for a moment longer.
    await([&] { return count_threads() <= threads + 1; });  // the root
  }
  set_unobserved_handler(before);
  await([&] { return count_threads() <= threads; });
  EXPECT_GT(delivered, 0);
  std::cout << "  " << book.total << " exceptions, " << delivered << " of them interrupts raised\n";
}

}  // namespace
}  // namespace sigexc::test
