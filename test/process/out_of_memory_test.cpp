// Diagnosis, bridges and explorations, with each of their allocations failing in turn.
#include <gtest/gtest.h>

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <exception>
#include <new>

#include "support/clean_failures.hpp"

namespace sigexc::test {
namespace {

using namespace std::chrono_literals;

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
  expect_clean_failures(
      [] {
        const signal_bridge both({SIGUSR1, SIGUSR2});
      },
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

}  // namespace
}  // namespace sigexc::test
