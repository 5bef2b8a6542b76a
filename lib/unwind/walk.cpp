// The walker by remembered rules. It shares the table of rules with `examine`, in entries of their
// own: to go on to the caller of a frame nothing need be known of its handlers.
#include "unwind/walk.hpp"

#include "unwind/verdict_cache.hpp"

#include <typeinfo>

namespace sigexc::detail {

namespace {

struct no_exception {};  // its entries in the table tell rules only

bool find_rule_at(std::uintptr_t counter, std::uint32_t closed, frame_facts& facts) noexcept {
  const std::type_info* const key = &typeid(no_exception);
  if (recall(counter, key, closed, facts)) return true;
  function_entry function;
  if (!find_function(counter - 1, function) || function.is_signal_frame) return false;
  facts = {find_rule(function, counter - 1), {}};
  remember(counter, key, closed, facts);
  return true;
}

}  // namespace

std::size_t walk(const stack_position& from, std::uintptr_t* addresses,
                 std::size_t most) noexcept {
  const auto closed = count_closed_libraries();
  stack_position at = from;
  for (std::size_t count = 0; count < most;) {
    addresses[count++] = at.counter - 1;
    frame_facts facts;
    if (!find_rule_at(at.counter, closed, facts) ||
        facts.rule.how == frame_rule::kind::unknown ||
        facts.rule.how == frame_rule::kind::outermost || !step(facts.rule, at) || at.counter == 0)
      return count;
  }
  return most;
}

}  // namespace sigexc::detail
