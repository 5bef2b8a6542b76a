// The check before a raise, against the truth: in every construction the verdict is asked for in
// one child process, and the exception thrown in another.
//
// A verdict that a throw is survived where it is not would kill a process, and none is allowed. The
// opposite only makes an interrupt wait, and is allowed in the few constructions that say so.
#include "construction.hpp"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <exception>

namespace sigexc::test {
namespace {

constexpr int died = 42;

// What `one` says or does in a process of its own.
outcome observe(const construction& one, purpose what, outcome& shared) {
  shared = {};
  std::fflush(nullptr);
  const pid_t child = fork();
  if (child == 0) {
    what_for = what;
    result = &shared;
    std::set_terminate([] { _exit(died); });
    alarm(20);
    try {
      one.run();
    } catch (...) {
    }
    _exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  outcome seen = shared;
  if (what == purpose::throwing)
    seen.survives = WIFEXITED(status) && WEXITSTATUS(status) == 0;
  else
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << one.name << " " << status;
  return seen;
}

TEST(Verdict, IsWhatAThrowDoes) {  // R1, R2
  void* const room =
      mmap(nullptr, sizeof(outcome), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(room, MAP_FAILED);
  auto& shared = *new (room) outcome;
  int survived = 0, held = 0, held_too_much = 0;
  for (const auto& one : constructions()) {
    const outcome said = observe(one, purpose::asking, shared);
    const outcome was = observe(one, purpose::throwing, shared);
    EXPECT_TRUE(said.was_reached && was.was_reached) << one.name;
    std::printf("%-60s %-9s %s%s\n", one.name, said.survives ? "survives" : "holds",
                was.survives ? "survived" : "died", said.survives == was.survives ? "" : "  <--");
    if (said.survives) {
      EXPECT_TRUE(was.survives) << one.name << ": a raise would have killed the process";
    } else if (was.survives) {
      EXPECT_TRUE(one.may_be_held) << one.name << ": held without need";
    }
    if (said.survives && was.survives)
      ++survived;
    else if (!said.survives && was.survives)
      ++held_too_much;
    else
      ++held;
  }
  std::printf("%zu constructions: %d survive, %d hold, %d hold without need\n",
              constructions().size(), survived, held, held_too_much);
  munmap(room, sizeof(outcome));
}

}  // namespace
}  // namespace sigexc::test
