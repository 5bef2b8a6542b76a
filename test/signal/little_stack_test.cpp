// A stack that is almost used up: how little of it signals, held safe points and raises need.
//
// A signal takes the kernel's frame, which with the registers of a large processor is some 3 KiB,
// and next to nothing for the handler; on an alternate stack it takes none of this one. A safe
// point that raises walks the stack and throws on it; that takes about as much as the throw.
//
// Each is tried in a child process, which the kernel ends where the stack does not suffice.
#include <gtest/gtest.h>

#include <alloca.h>
#include <pthread.h>
#include <signal.h>
#include <sys/auxv.h>

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <vector>

#include "support/child.hpp"
#include "support/interrupts.hpp"
#include "support/watchdog.hpp"

namespace sigexc::test {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SIGEXC_TEST_SKIP_UNDER_SANITIZERS() GTEST_SKIP() << "sanitizers make frames larger"
#else
#define SIGEXC_TEST_SKIP_UNDER_SANITIZERS() static_cast<void>(0)
#endif

// Calls `body` with no more than `left` bytes below its frame.
template <class F>
[[gnu::noinline]] void with_little_left(std::size_t left, F body) {
  pthread_attr_t attributes;
  void* low = nullptr;
  std::size_t size = 0;
  pthread_getattr_np(pthread_self(), &attributes);
  pthread_attr_getstack(&attributes, &low, &size);
  std::size_t guard = 0;
  pthread_attr_getguardsize(&attributes, &guard);
  pthread_attr_destroy(&attributes);
  const auto here = reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
  const auto end = reinterpret_cast<std::uintptr_t>(low);
  volatile char* const room = static_cast<char*>(alloca(here - end - left));
  room[0] = 0;
  body();
}

enum class before { nothing, once };  // on first use functions are bound, which takes 3 KiB itself

// In a child: does `body` on a thread, with so little left. In words what that has thrown.
template <class F>
std::string tried_with(std::size_t left, F body, before first = before::once,
                       std::size_t other_stack = 0) {
  return in_child([&] {
    sigexc::thread low_on_stack({.stack_size = 256 * 1024}, [&] {
      std::vector<char> other(other_stack);
      stack_t place{};
      place.ss_sp = other.data();
      place.ss_size = other.size();
      if (other_stack != 0 && ::sigaltstack(&place, nullptr) != 0) return std::string("no stack");
      if (first == before::once) (void)raised_by(body);
      std::string said = raised_by([&] { with_little_left(left, body); });
      place.ss_flags = SS_DISABLE;
      ::sigaltstack(&place, nullptr);
      return said;
    });
    return low_on_stack.wait();
  });
}

// So much a signal takes on this processor.
std::size_t signal_frame() { return ::getauxval(AT_MINSIGSTKSZ); }

[[gnu::noinline]] void get_signals() {
  for (int i = 0; i < 100; ++i) ::pthread_kill(::pthread_self(), signal_number());
}
[[gnu::noinline]] void pass_safe_points() {
  for (int i = 0; i < 100; ++i) safe_point();
}
[[gnu::noinline]] void hold_and_throw() {
  const block_scope quiet;
  to_self(1);
  pass_safe_points();
  throw 2;
}

TEST(LittleStack, IsEnoughForSignalsOnAnother) {
  SIGEXC_TEST_SKIP_UNDER_SANITIZERS();
  for (const std::size_t left : std::initializer_list<std::size_t>{8'192, 2'048, 1'024})
    EXPECT_EQ(tried_with(left, get_signals, before::once, 64 * 1024), "nothing") << left;
}

TEST(LittleStack, IsEnoughForSignalsWhereTheKernelsFrameFits) {
  SIGEXC_TEST_SKIP_UNDER_SANITIZERS();
  for (const std::size_t more : std::initializer_list<std::size_t>{8'192, 2'048, 1'024})
    EXPECT_EQ(tried_with(signal_frame() + more, get_signals), "nothing") << more;
}

TEST(LittleStack, IsEnoughForSafePoints) {  // D1
  SIGEXC_TEST_SKIP_UNDER_SANITIZERS();
  for (const std::size_t left : std::initializer_list<std::size_t>{8'192, 1'024, 512})
    EXPECT_EQ(tried_with(left, pass_safe_points), "nothing") << left;
}

TEST(LittleStack, IsEnoughForARaiseWhereItIsForAThrow) {  // R1
  SIGEXC_TEST_SKIP_UNDER_SANITIZERS();
  const auto raise = [] {
    to_self(1);
    pass_safe_points();
  };
  for (const std::size_t left : std::initializer_list<std::size_t>{16'384, 8'192, 6'144, 4'096}) {
    EXPECT_EQ(tried_with(left, raise), "1") << left;
    EXPECT_EQ(tried_with(left, hold_and_throw), "2") << left;
  }
  for (const std::size_t left : std::initializer_list<std::size_t>{16'384, 8'192}) {
    EXPECT_EQ(tried_with(left, raise, before::nothing), "1") << left;
    EXPECT_EQ(tried_with(left, hold_and_throw, before::nothing), "2") << left;
  }
}

}  // namespace
}  // namespace sigexc::test
