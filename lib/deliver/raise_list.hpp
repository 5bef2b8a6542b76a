// The interrupts that a safe point has claimed and is about to raise.
#pragma once

#include "target/record.hpp"

namespace sigexc::detail {

class raise_list {
 public:
  explicit raise_list(record& self) noexcept : self_(self) {}
  raise_list(const raise_list&) = delete;
  raise_list& operator=(const raise_list&) = delete;
  // What is still here goes back to the front of what is held, and is pending again.
  ~raise_list();

  [[nodiscard]] bool empty() const noexcept { return claimed_.empty(); }
  void add(interrupt& claimed) noexcept { claimed_.append(claimed); }
  // Takes `one` out and ends it.
  void settle(interrupt& one, status outcome) noexcept;

  // Ends what is here as raised, and returns what the caller has to throw for it: one exception as
  // itself, several as a group, null for nothing.
  std::exception_ptr take();

 private:

  record& self_;
  interrupt_list claimed_;
};

}  // namespace sigexc::detail
