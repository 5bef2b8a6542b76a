// The interrupts that a safe point has claimed and is about to raise.
#pragma once

#include "target/record.hpp"

namespace sigexc::detail {

class raise_list {
 public:
  explicit raise_list(record& self) noexcept : self_(self) {}
  raise_list(const raise_list&) = delete;
  raise_list& operator=(const raise_list&) = delete;
  // What is still here goes back among what is held, to where it was, and is pending again.
  ~raise_list();

  [[nodiscard]] bool empty() const noexcept { return claimed_.empty(); }
  void add(interrupt& claimed) noexcept {
    claimed_.append(claimed);
    ++self_.in_delivery;
  }
  // Takes `one` out and ends it.
  void settle(interrupt& one, phase outcome) noexcept;
  // Takes `one` out and gives it back at the end.
  void give_back(interrupt& one) noexcept;
  [[nodiscard]] bool has_several() const noexcept {
    const interrupt* const one = claimed_.first();
    return one != nullptr && one->next.load(std::memory_order_relaxed) != nullptr;
  }

  // Ends what is here as raised, and returns what the caller has to throw for it: one exception as
  // itself, several as a group, null for nothing. Without `can_group` only the first, if there are
  // several.
  std::exception_ptr take(bool can_group);

 private:
  // For `last_interrupt`.
  void note(interrupt& one) noexcept;
  void settle_unnoted(interrupt& one, phase outcome) noexcept;
  void settle_terminations() noexcept;

  record& self_;
  interrupt_list claimed_;
  interrupt_list given_back_;
};

// What `one` is raised as, if alone; null for what only `catch (...)` takes.
const std::type_info* type_of(interrupt& one) noexcept;

}  // namespace sigexc::detail
