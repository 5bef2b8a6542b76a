// The replacements. See failing_memory.hpp.
#include "support/failing_memory.hpp"

#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <new>

#if SIGEXC_TEST_HAS_OWN_MALLOC
extern "C" {
void* __libc_malloc(std::size_t);                 // NOLINT: glibc's names
void* __libc_calloc(std::size_t, std::size_t);    // NOLINT
void* __libc_realloc(void*, std::size_t);         // NOLINT
void* __libc_memalign(std::size_t, std::size_t);  // NOLINT
}
#else
static void* __libc_malloc(std::size_t size) { return std::malloc(size); }
static void* __libc_memalign(std::size_t alignment, std::size_t size) {
  return std::aligned_alloc(alignment, size);
}
#endif

namespace sigexc::test {
namespace {

void* give(void* memory) {
  if (memory == nullptr) throw std::bad_alloc();
  allocated.fetch_add(1, std::memory_order_relaxed);
  return memory;
}
void take_back(void* memory) noexcept {
  if (memory == nullptr) return;
  allocated.fetch_sub(1, std::memory_order_relaxed);
  std::free(memory);
}

}  // namespace
}  // namespace sigexc::test

#if SIGEXC_TEST_HAS_OWN_MALLOC
extern "C" {
static bool lets_malloc() noexcept {
  using namespace sigexc::test;
  if (!is_malloc_failing.load(std::memory_order_relaxed) || has_memory()) return true;
  errno = ENOMEM;
  return false;
}
void* malloc(std::size_t size) { return lets_malloc() ? __libc_malloc(size) : nullptr; }
void* calloc(std::size_t count, std::size_t size) {
  return lets_malloc() ? __libc_calloc(count, size) : nullptr;
}
void* realloc(void* memory, std::size_t size) {
  return lets_malloc() ? __libc_realloc(memory, size) : nullptr;
}
}
#endif

// Not inlined, or gcc takes the pairs for mismatched.
[[gnu::noinline]] void* operator new(std::size_t size) {
  if (!sigexc::test::has_memory()) throw std::bad_alloc();
  return sigexc::test::give(__libc_malloc(size == 0 ? 1 : size));
}
[[gnu::noinline]] void* operator new(std::size_t size, std::align_val_t alignment) {
  if (!sigexc::test::has_memory()) throw std::bad_alloc();
  const auto unit = static_cast<std::size_t>(alignment);
  return sigexc::test::give(__libc_memalign(unit, (size + unit - 1) / unit * unit));
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
