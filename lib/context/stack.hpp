// Stacks for computations, each with a guard below its end.
//
// They are cut from slabs of address space, of which the kernel fills in what is touched. A guard
// must not cost a mapping: a process may have 65,530 of them (vm.max_map_count), and a page that is
// protected within a mapping makes two more. Linux 6.13 has guards that are but marks in the page
// table (MADV_GUARD_INSTALL). Where the kernel is older, pages are protected, as long as half of
// the mappings that the process may have are left for others; after that there is no stack without
// a guard, but an error that says what to do.
//
// A stack that is given back keeps its guard, and loses its memory, but for a few that are used
// again at once. Slabs stay for good: so the handler that looks whose guard was hit can go through
// them without a lock.
#pragma once

#include <cstddef>
#include <cstdint>

namespace sigexc::detail {

class computation_stack {
 public:
  // @param size in bytes; rounded up to whole pages.
  // Throws: std::invalid_argument if that is too small; std::system_error; std::bad_alloc.
  explicit computation_stack(std::size_t size);
  computation_stack(const computation_stack&) = delete;
  computation_stack& operator=(const computation_stack&) = delete;
  ~computation_stack();

  [[nodiscard]] char* low() const noexcept { return low_; }
  [[nodiscard]] char* top() const noexcept { return low_ + size_; }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }

 private:
  std::size_t size_;
  char* low_;
};

// Whose guard `address` is in. @return the size of that stack; 0: it is in none.
// Signals: async-signal-safe.
std::size_t find_guard(std::uintptr_t address) noexcept;

// For tests: from now on guards are pages that are protected, and at most so many.
void protect_guards(std::size_t most) noexcept;

}  // namespace sigexc::detail
