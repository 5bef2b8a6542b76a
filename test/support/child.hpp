// Runs a function in a child of fork(), and tells what it said there.
#pragma once

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <exception>
#include <string>
#include <utility>

#include "support/interrupts.hpp"
#include "support/order.hpp"
#include "support/rounds.hpp"

namespace sigexc::test {

// ThreadSanitizer ends a child of a program with threads when it starts one (and asked not to, it
// takes the new thread for an old one, whose stack it has).
#if defined(__SANITIZE_THREAD__)
inline constexpr bool children_may_start_threads = false;
#else
inline constexpr bool children_may_start_threads = true;
#endif
#define SIGEXC_TEST_STARTS_THREADS_IN_CHILDREN() \
  if (!sigexc::test::children_may_start_threads) \
  GTEST_SKIP() << "the sanitizer does not allow a child of fork() to start threads"

// To be called before fork(), where the child is to allocate. The allocators of gcc 12's sanitizers
// may be locked there for ever, by another thread that starts, say: so the others are to sleep, or
// have had five seconds for it.
inline void leave_sanitizer_unlocked() {
  if (!is_sanitized) return;
  const auto patience = std::chrono::steady_clock::now() + std::chrono::seconds(5);
  await([&] { return are_others_asleep() || std::chrono::steady_clock::now() > patience; });
}

// What becomes of a child: its words if it has ended by itself, or the signal that ended it.
inline std::string fate_of(pid_t child, int words_from) {
  std::string said;
  char part[512];
  for (ssize_t size = 0; (size = ::read(words_from, part, sizeof part)) != 0;)
    if (size > 0) said.append(part, static_cast<std::size_t>(size));
  ::close(words_from);
  int status = 0;
  while (::waitpid(child, &status, 0) != child) {
  }
  if (WIFSIGNALED(status))
    said += " (ended by signal " + std::to_string(WTERMSIG(status)) + ")";
  else if (WEXITSTATUS(status) != 0)
    said += " (exit " + std::to_string(WEXITSTATUS(status)) + ")";
  return said;
}

// Calls `body` in a child. @return in the parent, what `body` returned there, a text; and how the
// child ended, if that was not by _exit(0). A child that hangs gets SIGALRM.
template <class F>
std::string in_child(F&& body) {
  int ends[2];
  if (::pipe(ends) != 0) return "no pipe";
  std::fflush(nullptr);
  leave_sanitizer_unlocked();
  const pid_t child = ::fork();
  if (child < 0) return "no child";
  if (child != 0) {
    ::close(ends[1]);
    return fate_of(child, ends[0]);
  }
  ::alarm(50);
  ::close(ends[0]);
  std::string said;
  try {
    said = std::forward<F>(body)();
  } catch (...) {
    said = "thrown: " + words(std::current_exception());
  }
  const bool is_written = ::write(ends[1], said.data(), said.size()) >= 0;
  ::close(ends[1]);
  ::_exit(is_written ? 0 : 1);
}

}  // namespace sigexc::test
