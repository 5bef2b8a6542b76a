// The soak: everything at once, for as long as is wanted, with nothing left behind.
//
// Four senders, and one that sends to whomever it finds; two targets that are in scopes, callbacks
// and operations of all kinds at random; threads and tasks that are born and die; and a library
// beside them that has signal handlers of its own, blocks all signals, forks, and jumps out of its
// handlers. What was sent and what has come must agree in number and sum for each way in which an
// interrupt can end (S8), order must hold (S5), no byte, unit or notification may be lost (O1, O3);
// and when all is over the process has as many threads and descriptors as before, and no more
// memory than after the first tenth.
//
// It is short in the suite. `ctest -C stress -L stress` runs the long form, with 10^8 interrupts
// (SIGEXC_STRESS_ROUNDS says otherwise).
#include "stress/soak.hpp"

#include <gtest/gtest.h>

#include <malloc.h>
#include <sys/resource.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>
#include <string>
#include <thread>

#include "support/order.hpp"
#include "support/rounds.hpp"
#include "support/watchdog.hpp"

namespace soak {
namespace {

using sigexc::test::await;
using sigexc::test::is_sanitized;

bool is_long() { return std::getenv("SIGEXC_STRESS_ROUNDS") != nullptr; }
std::size_t rounds() { return static_cast<std::size_t>(sigexc::test::stress_rounds(400'000)); }

// What must not grow.
struct usage {
  long resident = 0;  // KiB
  std::size_t descriptors = 0;
  std::size_t threads = 0;

  static std::size_t count(const char* directory) {
    namespace fs = std::filesystem;
    return static_cast<std::size_t>(
        std::distance(fs::directory_iterator(directory), fs::directory_iterator()));
  }
  static std::size_t count_threads() { return count("/proc/self/task"); }
  static usage now() {
    ::malloc_trim(0);
    usage found;
    long size = 0;
    std::ifstream("/proc/self/statm") >> size >> found.resident;
    found.resident *= ::sysconf(_SC_PAGESIZE) / 1024;
    found.descriptors = count("/proc/self/fd");
    found.threads = count_threads();
    return found;
  }
};
// Stacks that glibc keeps, up to 40 MiB of them, and what the heaps of threads hold on to. Beyond
// that 10^8 interrupts may not leave a tenth of a byte each.
constexpr long resident_slack = 12 * 1024;

struct results {
  std::array<outcomes, receivers> sent;
  outcomes strays;
  std::size_t born = 0;
};

nursery* told = nullptr;

class soaking {
 public:
  // Sends `count` to the workers, and returns when everything has ended.
  results run(std::size_t count) {
    const std::size_t share = count / senders / receivers;
    const exchange::idle_target idle;
    commons shared;
    nursery children(idle.get_target());
    told = &children;
    const auto before = sigexc::set_unobserved_handler(
        [](const sigexc::target&, std::exception_ptr what) noexcept { told->note(what); });
    std::array<ledger, receivers> books;
    std::atomic<bool> is_over{false};
    results all;
    {
      exchange::detacher helper;
      std::array<std::unique_ptr<worker>, receivers> workers;
      std::vector<sigexc::thread<void>> targets;
      for (std::size_t r = 0; r < receivers; ++r) {
        workers[r] =
            std::make_unique<worker>(books[r], helper, idle.never(), shared, unsigned(100 + r));
        targets.emplace_back(sigexc::thread_options{.name = "worker " + std::to_string(r)},
                             [&is_over, &who = *workers[r]] {
                               foreign_enter();
                               who.run(is_over);
                               foreign_leave();
                               who.drain();
                             });
      }
      std::array<std::unique_ptr<sender>, senders> origins;
      std::array<std::array<outcomes, receivers>, senders> fates;
      {
        std::jthread bearing([&](const std::stop_token& over) {
          std::atomic<bool> is_enough{false};
          const std::stop_callback stop(over, [&] { is_enough = true; });
          all.strays = children.run(is_enough);
        });
        std::vector<std::jthread> sending;
        for (std::size_t s = 0; s < senders; ++s) {
          origins[s] = std::make_unique<sender>(
              s, std::array{targets[0].get_target(), targets[1].get_target()},
              std::array{&books[0], &books[1]});
          sending.emplace_back(
              [&who = *origins[s], &fate = fates[s], share] { fate = who.run(share); });
        }
        sending.clear();
      }
      is_over = true;
      for (auto& one : targets) one.wait();
      for (std::size_t r = 0; r < receivers; ++r) {
        for (const auto& one : fates) all.sent[r].add(one[r]);
        check(books[r], all.sent[r], share * senders);
        EXPECT_EQ(workers[r]->late_calls(), 0U);
        EXPECT_TRUE(workers[r]->has_all_bytes());
        EXPECT_EQ(workers[r]->foreign_failures(), 0);
      }
    }
    tally caught = children.caught();
    for (const auto& one : books) caught.add(one.strays);
    EXPECT_EQ(caught, all.strays[delivery::raised]);
    EXPECT_EQ(all.strays[delivery::pending].count, 0U);
    EXPECT_EQ(all.strays[delivery::handled].count, 0U);
    EXPECT_TRUE(shared.units.try_acquire());
    EXPECT_FALSE(shared.units.try_acquire());
    all.born = children.born;
    sigexc::set_unobserved_handler(before);
    return all;
  }

 private:
  static void check(ledger& book, const outcomes& fates, std::size_t sent) {
    EXPECT_EQ(book.got[delivery::raised], fates[delivery::raised]);
    EXPECT_EQ(book.got[delivery::handled], fates[delivery::handled]);
    EXPECT_EQ(fates[delivery::pending].count, 0U);
    EXPECT_EQ(fates[delivery::discarded].count, 0U);
    std::size_t ended = 0;
    for (const auto& one : fates.of) ended += one.count;
    EXPECT_EQ(ended, sent);
    EXPECT_EQ(book.overtaken(), 0U);
    EXPECT_EQ(book.thrown, book.caught);
    EXPECT_TRUE(book.has_heard_all());
  }
};

// Twice: what is made once, and kept, is there after the first tenth.
void soak(std::size_t count) {
  ASSERT_EQ(foreign_start(), 0);
  {
    const sigexc::enrollment self;
    sigexc::timeout(1h, [] {});
    sigexc::with_wake([] {}, [] {});
  }  // the threads of the library
  const auto handled_before = foreign_handled();
  soaking it;
  it.run(count / 10);
  const usage before = usage::now();
  const results all = it.run(count);
  await([&] { return usage::count_threads() <= before.threads; });
  const usage after = usage::now();
  foreign_stop();
  EXPECT_GT(foreign_handled(), handled_before);
  EXPECT_EQ(after.descriptors, before.descriptors);
  EXPECT_EQ(after.threads, before.threads);
  if (!is_sanitized) {  // whose quarantine grows
    EXPECT_LE(after.resident, before.resident + resident_slack);
  }
  outcomes sent = all.sent[0];
  sent.add(all.sent[1]);
  std::cout << "  " << sent[delivery::raised].count << " raised, " << sent[delivery::handled].count
            << " handled, " << sent[delivery::withdrawn].count << " withdrawn; of strays "
            << all.strays[delivery::raised].count << " raised, "
            << all.strays[delivery::discarded].count << " discarded; " << all.born
            << " threads born; " << foreign_handled() - handled_before
            << " signals of others; resident " << before.resident << " KiB, then " << after.resident
            << " KiB\n";
}

TEST(Soak, LosesNothingAndKeepsNothing) { soak(rounds()); }  // S5, S6, S8, S9, O1, O3, O4, T3, X1

TEST(Soak, LosesNothingWhereTheKernelQueuesNoSignal) {  // S3
  rlimit before{};
  ::getrlimit(RLIMIT_SIGPENDING, &before);
  const rlimit none{0, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_SIGPENDING, &none), 0);
  soak(rounds() / 4);
  ::setrlimit(RLIMIT_SIGPENDING, &before);
}

// Each gets what is sent to it, and all of them can be ended.
TEST(Soak, ReachesTensOfThousandsOfTargets) {  // S5, S8, D5
  const std::size_t wanted = is_long() ? 20'000 : is_sanitized ? 200 : 2'000;
  constexpr int each = 5;
  const std::size_t threads_before = usage::count_threads();
  {
    std::atomic<std::size_t> caught{0};
    std::atomic<std::size_t> in_order{0};
    std::vector<sigexc::thread<void>> all;
    for (std::size_t i = 0; i < wanted; ++i)
      all.emplace_back(
          sigexc::thread_options{.stack_size = is_sanitized ? 256U * 1024 : 64U * 1024},
          [&caught, &in_order] {
            for (int next = 0;;) {
              try {
                sigexc::sleep_for(1h);
              } catch (...) {
                sigexc::handle_each([&](const int& number) {
                  in_order += number == next++ ? 1 : 0;
                  ++caught;
                });
              }
            }
          });
    EXPECT_GE(sigexc::targets().size(), wanted);
    random_source random(1);
    std::vector<std::size_t> next_to(wanted * each);  // whom the next is for, at random
    for (std::size_t i = 0; i < next_to.size(); ++i) next_to[i] = i % wanted;
    std::shuffle(next_to.begin(), next_to.end(), random);
    std::vector<int> sent(wanted, 0);
    std::vector<sigexc::receipt> fates;
    for (const std::size_t to : next_to) fates.push_back(all[to].interrupt(sent[to]++));
    for (const auto& one : fates) ASSERT_EQ(one.wait(), delivery::raised);
    await([&] { return caught == wanted * each; });
    EXPECT_EQ(in_order, caught);
    for (const auto& one : all) one.terminate();
    for (auto& one : all) ASSERT_TRUE(one.wait_for(1h));
  }
  await([&] { return usage::count_threads() <= threads_before; });
}

}  // namespace
}  // namespace soak
