// Slabs, each for stacks of one size: guard, stack, guard, stack, ...
#include "context/stack.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <fstream>
#include <map>
#include <memory>
#include <mutex>
#include <new>
#include <stdexcept>
#include <string>
#include <system_error>
#include <vector>

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#endif

namespace sigexc::detail {

namespace {

// What the check before a raise needs where it meets a function for the first time, and the
// unwinder, with something left for the body.
constexpr std::size_t least_size = std::size_t{16} * 1024;
// Below it lies what a function with a large frame may reach past the guard of a single page.
constexpr std::size_t guard_pages = 4;
constexpr std::size_t stacks_in_slab = 64;
// So many of a size are kept with the memory that they have taken.
constexpr std::size_t most_warm = 64;

std::size_t page() noexcept {
  static const auto size = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  return size;
}
std::size_t guard_size() noexcept { return guard_pages * page(); }

struct slab {
  std::uintptr_t begin;
  std::size_t stack_size;
  slab* next;
  [[nodiscard]] std::size_t step() const noexcept { return stack_size + guard_size(); }
  [[nodiscard]] std::uintptr_t end() const noexcept { return begin + stacks_in_slab * step(); }
};
// Written under the mutex; a handler reads it.
constinit std::atomic<slab*> slabs{nullptr};

struct free_stacks {
  std::vector<char*> warm;
  std::vector<char*> cold;      // untouched since they were given back, with their guards
  char* fresh = nullptr;        // the next of the newest slab that was never used,
  std::size_t fresh_count = 0;  // and how many there are
  std::size_t made = 0;         // so many places the lists must have
};

struct pool {
  std::mutex mutex;
  std::map<std::size_t, free_stacks> of_size;
  bool has_light_guards = true;
  std::size_t protected_guards = 0;
  std::size_t most_protected = 0;  // 0: not known yet
};
// Never destroyed: computations may go when the statics of a program do.
pool& all() {
  static pool& only = *new pool;
  return only;
}

// Half of the mappings that there may be; each guard that is a mapping makes two.
std::size_t find_most_protected() {
  std::size_t most = 0;
  std::ifstream("/proc/sys/vm/max_map_count") >> most;
  return std::max<std::size_t>(most / 4, 1);
}

[[noreturn]] void fail(int error, const char* what) {
  throw std::system_error(error, std::generic_category(), what);
}

void install_guard(pool& from, char* begin) {
  if (from.has_light_guards && ::madvise(begin, guard_size(), MADV_GUARD_INSTALL) == 0) return;
  from.has_light_guards = false;
  if (from.most_protected == 0) from.most_protected = find_most_protected();
  if (from.protected_guards >= from.most_protected)
    fail(ENOMEM,
         "sigexc: resumable: there are too many for this kernel, on which the guard of each stack "
         "takes two mappings; raise vm.max_map_count (sysctl), or use Linux 6.13");
  if (::mprotect(begin, guard_size(), PROT_NONE) != 0)
    fail(errno, "sigexc: resumable: the guard of a stack could not be made");
  ++from.protected_guards;
}

void add_slab(free_stacks& to, std::size_t size) {
  auto made = std::make_unique<slab>(slab{0, size, slabs.load(std::memory_order_relaxed)});
  const std::size_t length = stacks_in_slab * made->step();
  void* const place = ::mmap(nullptr, length, PROT_READ | PROT_WRITE,
                             MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
  if (place == MAP_FAILED)
    fail(errno, "sigexc: resumable: there is no address space for its stack");
  // A huge page would take the memory of eight stacks for the first byte of one.
  ::madvise(place, length, MADV_NOHUGEPAGE);
  made->begin = reinterpret_cast<std::uintptr_t>(place);
  to.fresh = static_cast<char*>(place);
  to.fresh_count = stacks_in_slab;
  slabs.store(made.release(), std::memory_order_release);
}

char* take_fresh(pool& from, free_stacks& of, std::size_t size) {
  // So that giving it back needs no memory.
  of.cold.reserve(std::max(of.made + 1, of.cold.capacity()));
  of.warm.reserve(most_warm);
  if (of.fresh_count == 0) add_slab(of, size);
  install_guard(from, of.fresh);
  char* const low = of.fresh + guard_size();
  of.fresh = low + size;
  --of.fresh_count;
  ++of.made;
  return low;
}

std::size_t rounded(std::size_t size) {
  if (size < least_size)
    throw std::invalid_argument("sigexc: resumable: the stack size is " + std::to_string(size) +
                                " bytes, but must be at least " + std::to_string(least_size));
  constexpr std::size_t most = std::size_t{1} << 40;
  if (size > most) throw std::bad_alloc();
  return (size + page() - 1) / page() * page();
}

char* take(std::size_t size) {
  pool& from = all();
  const std::lock_guard lock(from.mutex);
  free_stacks& of = from.of_size[size];
  for (auto* const some : {&of.warm, &of.cold}) {
    if (some->empty()) continue;
    char* const low = some->back();
    some->pop_back();
    return low;
  }
  return take_fresh(from, of, size);
}

}  // namespace

computation_stack::computation_stack(std::size_t size) : size_(rounded(size)), low_(take(size_)) {}

computation_stack::~computation_stack() {
  pool& to = all();
  const std::lock_guard lock(to.mutex);
  free_stacks& of = to.of_size.find(size_)->second;
  if (of.warm.size() < most_warm) {
    of.warm.push_back(low_);
    return;
  }
  ::madvise(low_, size_, MADV_DONTNEED);
  of.cold.push_back(low_);
}

std::size_t find_guard(std::uintptr_t address) noexcept {
  for (const slab* one = slabs.load(std::memory_order_acquire); one != nullptr; one = one->next) {
    if (address < one->begin || address >= one->end()) continue;
    return (address - one->begin) % one->step() < guard_size() ? one->stack_size : 0;
  }
  return 0;
}

void protect_guards(std::size_t most) noexcept {
  pool& of = all();
  const std::lock_guard lock(of.mutex);
  of.has_light_guards = false;
  of.most_protected = most;
}

}  // namespace sigexc::detail
