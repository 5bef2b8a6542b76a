// Ends a program of tests that hangs: a test that takes longer than a minute (an hour where
// SIGEXC_STRESS_ROUNDS asks for more than the usual) is aborted, by its name and with what the
// kernel shows of each thread. It is enough to include this file.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <condition_variable>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>

#include "support/order.hpp"

namespace sigexc::test {

class watchdog : public testing::EmptyTestEventListener {
 public:
  void OnTestStart(const testing::TestInfo& test) override {
    const std::string name = std::string(test.test_suite_name()) + "." + test.name();
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);  // signals of a test are for the test's threads
    witness watcher;
    thread_ =
        std::jthread([&watcher, name](const std::stop_token& over) { watch(name, watcher, over); });
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    // A test may fork, and a thread that starts has locks of a sanitizer's allocator.
    watcher.await_asleep();
  }

  void OnTestEnd(const testing::TestInfo& /*test*/) override { thread_ = std::jthread(); }

 private:
  static void watch(const std::string& name, witness& watcher, const std::stop_token& over) {
    using namespace std::chrono_literals;
    std::mutex mutex;
    std::condition_variable_any is_over;
    std::unique_lock lock(mutex);
    const auto limit = std::getenv("SIGEXC_STRESS_ROUNDS") != nullptr ? 60min : 1min;
    watcher.here();
    is_over.wait_for(lock, over, limit, [] { return false; });
    if (over.stop_requested()) return;
    std::fprintf(stderr, "watchdog: %s hangs. Its threads:\n", name.c_str());
    for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
      std::string stat;
      std::string place;
      std::getline(std::ifstream(task.path() / "stat"), stat);
      std::getline(std::ifstream(task.path() / "wchan"), place);
      std::fprintf(stderr, "  %.40s in %s\n", stat.c_str(), place.c_str());
    }
    std::abort();
  }

  std::jthread thread_;
};

// googletest owns and deletes its listeners.
inline const bool is_watched = [] {
  testing::UnitTest::GetInstance()->listeners().Append(new watchdog);
  return true;
}();

}  // namespace sigexc::test
