// Makes any allocation fail: the global operator new throws, and where no sanitizer has it in its
// hands malloc returns null. To be included by one file of a program, which it replaces these of.
//
// Failing once, at the first allocation, at the second, ... until a scenario passes without a
// failure, comes to every place that there is: `at_every_allocation`.
#pragma once

#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <new>
#include <string>

#include "support/order.hpp"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SIGEXC_TEST_HAS_OWN_MALLOC 0
#else
#define SIGEXC_TEST_HAS_OWN_MALLOC 1
#endif

namespace sigexc::test {

// How many allocations, of whichever thread, succeed before one fails; negative: all do.
inline constinit std::atomic<int> allocations_left{-1};
// Whether those that C code makes are counted, and fail, too.
inline constinit std::atomic<bool> is_malloc_failing{false};
// What operator new has given and has not got back.
inline constinit std::atomic<long> allocated{0};

inline bool has_memory() noexcept {
  int left = allocations_left.load(std::memory_order_relaxed);
  while (left >= 0)
    if (allocations_left.compare_exchange_weak(left, left - 1)) return left != 0;
  return true;
}

#if SIGEXC_TEST_HAS_OWN_MALLOC
extern "C" {
void* __libc_malloc(std::size_t);                  // NOLINT: glibc's names
void* __libc_calloc(std::size_t, std::size_t);     // NOLINT
void* __libc_realloc(void*, std::size_t);          // NOLINT
void* __libc_memalign(std::size_t, std::size_t);   // NOLINT
}
#else
inline void* __libc_malloc(std::size_t size) { return std::malloc(size); }
inline void* __libc_memalign(std::size_t alignment, std::size_t size) {
  return std::aligned_alloc(alignment, size);
}
#endif

inline void* give(void* memory) {
  if (memory == nullptr) throw std::bad_alloc();
  allocated.fetch_add(1, std::memory_order_relaxed);
  return memory;
}
inline void take_back(void* memory) noexcept {
  if (memory == nullptr) return;
  allocated.fetch_sub(1, std::memory_order_relaxed);
  std::free(memory);
}

// Returns when no other thread runs: the watchdog, say, which needs memory to begin.
inline void await_others_asleep() {
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task"))
    if (const pid_t tid = std::stoi(task.path().filename()); tid != ::gettid())
      await([tid] { return kernel_state(tid) != 'R'; });
}

// Calls `scenario()` with the first allocation failing, the second, the third ..., until it passes
// without a failure. @return how many it has.
template <class Scenario>
int at_every_allocation(Scenario scenario, bool with_malloc = false) {
  await_others_asleep();
  for (int n = 0;; ++n) {
    is_malloc_failing = with_malloc;
    allocations_left = n;
    scenario();
    const bool has_failed = allocations_left < 0;
    allocations_left = -1;
    is_malloc_failing = false;
    if (!has_failed) return n;
  }
}

}  // namespace sigexc::test

#if SIGEXC_TEST_HAS_OWN_MALLOC
extern "C" {
inline bool sigexc_test_lets_malloc() noexcept {
  using namespace sigexc::test;
  if (!is_malloc_failing.load(std::memory_order_relaxed) || has_memory()) return true;
  errno = ENOMEM;
  return false;
}
void* malloc(std::size_t size) {
  return sigexc_test_lets_malloc() ? sigexc::test::__libc_malloc(size) : nullptr;
}
void* calloc(std::size_t count, std::size_t size) {
  return sigexc_test_lets_malloc() ? sigexc::test::__libc_calloc(count, size) : nullptr;
}
void* realloc(void* memory, std::size_t size) {
  return sigexc_test_lets_malloc() ? sigexc::test::__libc_realloc(memory, size) : nullptr;
}
}
#endif

// Not inlined, or gcc takes the pairs for mismatched.
[[gnu::noinline]] void* operator new(std::size_t size) {
  if (!sigexc::test::has_memory()) throw std::bad_alloc();
  return sigexc::test::give(sigexc::test::__libc_malloc(size == 0 ? 1 : size));
}
[[gnu::noinline]] void* operator new(std::size_t size, std::align_val_t alignment) {
  if (!sigexc::test::has_memory()) throw std::bad_alloc();
  const auto unit = static_cast<std::size_t>(alignment);
  return sigexc::test::give(
      sigexc::test::__libc_memalign(unit, (size + unit - 1) / unit * unit));
}
[[gnu::noinline]] void* operator new(std::size_t size, const std::nothrow_t& /*tag*/) noexcept {
  try {
    return operator new(size);
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { sigexc::test::take_back(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t /*size*/) noexcept {
  sigexc::test::take_back(memory);
}
[[gnu::noinline]] void operator delete(void* memory, std::align_val_t /*alignment*/) noexcept {
  sigexc::test::take_back(memory);
}
[[gnu::noinline]] void operator delete(void* memory, std::size_t /*size*/,
                                       std::align_val_t /*alignment*/) noexcept {
  sigexc::test::take_back(memory);
}
