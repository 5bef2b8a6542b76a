// Raising what was claimed, and giving back what could not be raised.
#include "deliver/raise_list.hpp"

#include "signal/install.hpp"
#include "target/termination.hpp"

#include <sigexc/exceptions.hpp>

#include <new>
#include <utility>
#include <vector>

namespace sigexc::detail {

namespace {

std::exception_ptr exception_of(interrupt& one) {
  if (one.replacement != nullptr) return one.replacement;
  if (termination* const cause = one.cause())
    return std::make_exception_ptr(terminated(*cause));  // counted: see target/termination.hpp
  return one.exception;
}

bool is_termination(interrupt& one) noexcept {
  return one.replacement == nullptr && one.cause() != nullptr;
}

}  // namespace

const std::type_info* type_of(interrupt& one) noexcept {
  if (is_termination(one)) return &typeid(terminated);
  const auto& raised = one.replacement != nullptr ? one.replacement : one.exception;
  return raised.__cxa_exception_type();
}

raise_list::~raise_list() {
  self_.in_delivery -= given_back_.size() + claimed_.size();
  if (!given_back_.empty()) self_.held.put_back(std::move(given_back_));
  if (!claimed_.empty()) {
    for (interrupt* one = claimed_.first(); one != nullptr;
         one = one->next.load(std::memory_order_relaxed))
      one->unclaim();
    self_.held.put_back(std::move(claimed_));
    if (current.self == &self_) current.pending_flag.store(1, std::memory_order_relaxed);
  }
  if (current.self == &self_) self_.publish_held();
}

void raise_list::note(interrupt& one) noexcept {
  if (self_.last == nullptr) self_.last.reset(new (std::nothrow) last_delivery);
  if (self_.last == nullptr) return;
  last_delivery& noted = *self_.last;
  if (one.is_reusable) {
    noted.sender = one.sender;  // a termination may come again
  } else {
    noted.sender = std::move(one.sender);
  }
  noted.queued = one.queued;
  noted.raised = std::chrono::steady_clock::now();
  noted.has_place = false;
  noted.depth = 0;
}

void raise_list::settle(interrupt& one, phase outcome) noexcept {
  if (current.self == &self_) note(one);
  settle_unnoted(one, outcome);
}

void raise_list::settle_unnoted(interrupt& one, phase outcome) noexcept {
  claimed_.extract([&one](const interrupt& candidate) { return &candidate == &one; });
  --self_.in_delivery;
  one.replacement = nullptr;
  one.had_callback = false;
  if (one.settle(outcome)) fire_and_wake(self_, one);
  release(one);
}

void raise_list::give_back(interrupt& one) noexcept {
  claimed_.extract([&one](const interrupt& candidate) { return &candidate == &one; });
  one.unclaim();
  given_back_.append(one);
}

// D5: all that are pending together have been raised, if one has.
void raise_list::settle_terminations() noexcept {
  while (interrupt* const one = self_.held.extract(is_termination)) {
    if (one->claim())
      add(*one);
    else
      release(*one);
  }
  while (interrupt* const one = claimed_.extract(is_termination))
    settle_unnoted(*one, phase::raised);
}

std::exception_ptr raise_list::take(bool can_group) {
  if (claimed_.empty()) return nullptr;
  std::vector<std::exception_ptr> members;
  std::exception_ptr raised;
  bool is_all = can_group;
  try {
    members.reserve(claimed_.size());
    bool has_termination = false;
    for (interrupt* one = claimed_.first(); one != nullptr;
         one = one->next.load(std::memory_order_relaxed)) {
      // Two calls of terminate() ask for the same thing, so it is raised once for both.
      if (is_termination(*one) && std::exchange(has_termination, true)) continue;
      members.push_back(exception_of(*one));
      if (!can_group) break;
    }
    raised =
        members.size() == 1 ? members.front() : std::make_exception_ptr(exception_group(members));
  } catch (const std::bad_alloc&) {
    // The oldest needs no memory for a group. What was made for it already is used: a `terminated`
    // that is dropped would be taken for one that was swallowed.
    raised = members.empty() ? exception_of(*claimed_.first()) : members.front();
    is_all = false;
  }
  // Of a group the last one is noted: a look at the clock for each would be seen in a storm.
  while (is_all && has_several()) settle_unnoted(*claimed_.first(), phase::raised);
  const bool is_terminated = is_termination(*claimed_.first());
  settle(*claimed_.first(), phase::raised);
  if (is_terminated) settle_terminations();
  // What is left, here or among what is held, waits for the next safe point.
  if (!claimed_.empty() || !delivers_groups())
    current.pending_flag.store(1, std::memory_order_seq_cst);
  return raised;
}

}  // namespace sigexc::detail
