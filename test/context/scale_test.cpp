// A hundred thousand computations in one process, and how they share its memory.
#include <gtest/gtest.h>
#include <sigexc/resumable.hpp>
#include <sigexc/sigexc.hpp>

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <fstream>
#include <memory>
#include <random>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include "support/interrupts.hpp"
#include "support/order.hpp"
#include "support/watchdog.hpp"

namespace sigexc::test {
namespace {

// ThreadSanitizer keeps megabytes for each, AddressSanitizer a shadow of each stack.
#if defined(__SANITIZE_THREAD__)
constexpr std::size_t many = 500;
constexpr bool is_memory_told = false;
#elif defined(__SANITIZE_ADDRESS__)
constexpr std::size_t many = 10'000;
constexpr bool is_memory_told = false;
#else
constexpr std::size_t many = 100'000;
constexpr bool is_memory_told = true;
#endif

std::size_t resident_bytes() {
  std::size_t all = 0;
  std::size_t resident = 0;
  std::ifstream("/proc/self/statm") >> all >> resident;
  return resident * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

std::size_t mappings() {
  std::ifstream file("/proc/self/maps");
  return static_cast<std::size_t>(
      std::count(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>(), '\n'));
}

TEST(Scale, HoldsAHundredThousandPausedComputations) {  // C2
  std::vector<std::unique_ptr<resumable<int>>> all;
  all.reserve(many);
  const std::size_t before = resident_bytes();
  const std::size_t maps_before = mappings();
  try {
    for (std::size_t i = 0; i < many; ++i)
      all.push_back(std::make_unique<resumable<int>>([] {
        int got = 0;
        while (got == 0) {
          to_self(pause_request());
          try {
            safe_point();
          } catch (int number) {
            got = number;
          }
        }
        return got;
      }));
  } catch (const std::system_error& e) {
    GTEST_SKIP() << all.size() << " computations, then: " << e.what();
  }
  for (auto& one : all) ASSERT_EQ(one->resume(), progress::paused);
  const std::size_t each = (resident_bytes() - before) / many;
  RecordProperty("bytes_each", std::to_string(each));
  // A page at the top of the stack, where it began; one or two for a delivery; the rest is the
  // heap.
  if (is_memory_told) {
    EXPECT_LT(each, 20'000U);
    EXPECT_LT(mappings() - maps_before, 10'000U);
  }

  // Resumed in any order by four threads, while two others send.
  std::vector<std::size_t> order(many);
  for (std::size_t i = 0; i < many; ++i) order[i] = i;
  std::shuffle(order.begin(), order.end(), std::mt19937(1));
  std::atomic<std::size_t> sent = 0;
  std::atomic<std::size_t> finished = 0;
  std::atomic<std::size_t> wrong = 0;
  std::vector<std::jthread> threads;
  for (std::size_t half = 0; half < 2; ++half)
    threads.emplace_back([&, half] {
      for (std::size_t i = half; i < many; i += 2, ++sent)
        all[order[i]]->get_target().interrupt(static_cast<int>(order[i]) + 1);
    });
  for (std::size_t quarter = 0; quarter < 4; ++quarter)
    threads.emplace_back([&, quarter] {
      std::vector<std::size_t> mine;
      for (std::size_t i = quarter; i < many; i += 4) mine.push_back(i);
      std::shuffle(mine.begin(), mine.end(), std::mt19937(static_cast<unsigned>(quarter)));
      while (!mine.empty()) {
        std::erase_if(mine, [&](std::size_t i) {
          if (all[i]->resume() != progress::finished) return false;
          wrong += all[i]->result() == static_cast<int>(i) + 1 ? 0U : 1U;
          ++finished;
          return true;
        });
        std::this_thread::yield();
      }
    });
  threads.clear();
  EXPECT_EQ(sent, many);
  EXPECT_EQ(finished, many);
  EXPECT_EQ(wrong, 0U);
}

TEST(Scale, UnwindsAllThatAreDestroyed) {  // C5
  constexpr std::size_t few = many / 10;
  std::size_t unwound = 0;
  struct noting {
    std::size_t& count;
    ~noting() { ++count; }
  };
  {
    std::vector<resumable<void>> all;
    for (std::size_t i = 0; i < few; ++i) {
      all.emplace_back([&] {
        const noting end{unwound};
        to_self(pause_request());
        for (;;) safe_point();
      });
      all.back().resume();
    }
    EXPECT_EQ(unwound, 0U);
  }
  EXPECT_EQ(unwound, few);
}

TEST(Scale, UsesTheSameStacksAgain) {
  if (!is_memory_told) GTEST_SKIP() << "the sanitizer has mappings of its own";
  const auto run = [] {
    std::vector<resumable<void>> all;
    for (int i = 0; i < 200; ++i) {
      all.emplace_back([] {});
      all.back().resume();
    }
  };
  run();
  const std::size_t maps = mappings();
  for (int i = 0; i < 50; ++i) run();
  EXPECT_LT(mappings(), maps + 20);
}

}  // namespace
}  // namespace sigexc::test
