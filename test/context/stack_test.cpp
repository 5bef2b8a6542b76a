// The stacks of computations: sizes, guards, and what is said of an overflow.
#include "context/stack.hpp"

#include <gtest/gtest.h>
#include <signal.h>
#include <sigexc/resumable.hpp>
#include <sigexc/sigexc.hpp>

#include <stdexcept>
#include <string>
#include <system_error>
#include <vector>

#include "support/child.hpp"
#include "support/interrupts.hpp"
#include "support/watchdog.hpp"

namespace sigexc::test {
namespace {

// What the child wrote to stderr comes back, and how it ended.
template <class F>
std::string written_by_child(F&& body) {
  int ends[2];
  if (::pipe(ends) != 0) return "no pipe";
  std::fflush(nullptr);
  const pid_t child = ::fork();
  if (child == 0) {
    ::dup2(ends[1], 2);
    ::close(ends[0]);
    ::close(ends[1]);
    ::alarm(50);
    body();
    ::_exit(0);
  }
  ::close(ends[1]);
  return fate_of(child, ends[0]);
}

[[gnu::noinline]] std::size_t go_deeper(std::size_t depth) {
  volatile char room[512];
  room[0] = static_cast<char>(depth);
  room[511] = room[0];
  if (depth == static_cast<std::size_t>(-1)) return 0;
  return go_deeper(depth + 1) + static_cast<std::size_t>(room[depth % 512]);
}

TEST(Stack, MustNotBeTooSmall) {
  EXPECT_NE(raised_by([] { resumable work([] {}, 1000); }).find("must be at least 16384"),
            std::string::npos);
  resumable work([] { return 1; }, 16 * 1024);
  EXPECT_EQ(work.resume(), progress::finished);
}

TEST(Stack, IsAsLargeAsWanted) {
  resumable work(
      [] {
        volatile char room[7 * 1024 * 1024];
        room[0] = 3;
        return static_cast<int>(room[0]);
      },
      8 * 1024 * 1024);
  EXPECT_EQ(work.resume(), progress::finished);
  EXPECT_EQ(work.result(), 3);
}

TEST(Stack, IsLargeEnoughAtTheLeastForInterruptsAndThrows) {
  resumable work(
      [] {
        int caught = 0;
        for (int i = 0; i < 10; ++i) {
          try {
            to_self(i);
            safe_point();
          } catch (int) {
            ++caught;
          }
        }
        return caught;
      },
      16 * 1024);
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "functions of sanitizers need more";
#endif
  EXPECT_EQ(work.resume(), progress::finished);
  EXPECT_EQ(work.result(), 10);
}

TEST(Stack, SaysThatItHasOverflowedAndDiesOfIt) {  // C7
  const std::string said = written_by_child([] {
    resumable work([] { return go_deeper(0); });
    work.resume();
  });
  EXPECT_NE(
      said.find("sigexc: a resumable computation has overflowed its stack of 256 KiB; make it "
                "with a larger stack_size"),
      std::string::npos)
      << said;
#if !defined(__SANITIZE_ADDRESS__) && \
    !defined(__SANITIZE_THREAD__)  // which have a say of their own
  EXPECT_NE(said.find("ended by signal 11"), std::string::npos) << said;
#endif
}

TEST(Stack, LeavesOtherFaultsToWhoHandledThemBefore) {  // C7
  const std::string said = written_by_child([] {
    struct sigaction theirs {};
    theirs.sa_handler = [](int) {
      static_cast<void>(::write(2, "theirs", 6) == 6);
      ::_exit(0);
    };
    ::sigaction(SIGSEGV, &theirs, nullptr);
    resumable work([] { ::raise(SIGSEGV); });
    work.resume();
  });
  EXPECT_EQ(said, "theirs");
}

TEST(Stack, LetsASentFaultEndTheProcess) {
  const std::string said = written_by_child([] {
    resumable work([] { ::raise(SIGSEGV); });
    work.resume();
  });
  EXPECT_EQ(said.find("overflowed"), std::string::npos);
#if !defined(__SANITIZE_ADDRESS__) && \
    !defined(__SANITIZE_THREAD__)  // which have a say of their own
  EXPECT_EQ(said, " (ended by signal 11)");
#endif
}

TEST(Stack, BearsSignalsWhereItIsNearlyFull) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "functions of sanitizers need more";
#endif
  // Handlers run on another stack: SIGEXC's does, whatever is left of this one.
  resumable<int> work([] {
    int caught = 0;
    // Less than what a signal's frame takes is left.
    volatile char room[255 * 1024 - 600];
    room[0] = 0;
    for (int i = 0; i < 100; ++i) {
      ::pthread_kill(::pthread_self(), signal_number());
      ++caught;
    }
    return caught + static_cast<int>(room[0]);
  });
  EXPECT_EQ(work.resume(), progress::finished);
  EXPECT_EQ(work.result(), 100);
}

TEST(Stack, HasAGuardOnOlderKernelsTooOrIsAnError) {  // C7
  const std::string said = in_child([] {
    detail::protect_guards(100);
    std::vector<resumable<int>> some;
    for (int i = 0; i < 100; ++i) some.emplace_back([] { return 1; }, 20 * 1024);
    for (auto& one : some) one.resume();
    return raised_by([&] { some.emplace_back([] { return 1; }, 20 * 1024); });
  });
  EXPECT_NE(said.find("raise vm.max_map_count"), std::string::npos) << said;
}

}  // namespace
}  // namespace sigexc::test
