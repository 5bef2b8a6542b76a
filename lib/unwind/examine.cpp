// Walks the stack from the raise outward until a frame decides.
//
// It does what the unwinder's first phase would do, and looks in addition at what the second phase
// would run. Each frame is judged by the tables of its function (frame_verdict.cpp); the way to its
// caller comes from the tables as well (frame_rule.cpp); both are found out once for each place in
// the program and then remembered (verdict_cache.cpp), so that a walk through known code is a look
// into a hash table and two loads a frame. Nothing is allocated, and no depth is too deep.
//
// A walker of its own, because of the alternatives: libunwind's is as fast, but it takes a lock
// that a signal handler may have interrupted, guesses on through frames without tables, and exports
// the unwinder's names, by which it can take over the throws of the whole process; libgcc's
// `_Unwind_Backtrace` needs more than ten times as long a frame, half of what the throw takes.
//
// What holds, R4. Walking 10,000 frames at each safe point of a loop that is held would stop the
// loop. So a thread remembers the holding frame: not that frame, in fact, but the slot on the stack
// in which the return address into it stands. As long as the thread is deeper in the stack than the
// slot, and the slot has not changed, the holding frame is most likely still in the call that may
// not throw. Likely, for two reasons. The frame may have returned, and another one now covers the
// slot without having written to it. And something between here and there may have opened a `try`
// block since. Both only make an interrupt wait; so that it does not wait for ever, after about as
// many quick answers as the walk had frames the stack is walked again, which keeps the mean cost of
// an answer below that of two frames. The number varies, so that no loop keeps in step with it.
// Whoever is about to sleep has to examine anew.
//
// The slot is read only while the thread is on its own stack, or on that of a computation it runs,
// where everything that lies further out than the stack pointer is mapped. On other stacks (of
// other libraries, alternate signal stacks) each question is a walk.
#include "unwind/examine.hpp"

#include "unwind/frame_verdict.hpp"
#include "unwind/verdict_cache.hpp"

#include <pthread.h>

#include <algorithm>
#include <utility>

namespace sigexc::detail {

constinit thread_local holding last_holding __attribute__((tls_model("initial-exec")));

namespace {

constexpr std::size_t least_credit = 8;

void find_own_stack() noexcept {
  last_holding.own_stack = {1, 1};  // if it cannot be told: never on it
  pthread_attr_t attributes;
  if (pthread_getattr_np(pthread_self(), &attributes) != 0) return;
  void* low = nullptr;
  std::size_t size = 0;
  if (pthread_attr_getstack(&attributes, &low, &size) == 0) {
    last_holding.own_stack.low = reinterpret_cast<std::uintptr_t>(low);
    last_holding.own_stack.high = last_holding.own_stack.low + size;
  }
  pthread_attr_destroy(&attributes);
}

bool is_on_own_stack(std::uintptr_t address) noexcept {
  if (last_holding.own_stack.high == 0) find_own_stack();
  return address >= last_holding.own_stack.low && address < last_holding.own_stack.high;
}

bool find_facts(std::uintptr_t counter, const std::type_info* thrown, std::uint32_t closed,
                frame_facts& facts) noexcept {
  if (recall(counter, thrown, closed, facts)) return true;
  function_entry function;
  const auto in_call = counter - 1;  // a call may be the last instruction of its function
  if (!find_function(in_call, function)) return false;
  facts.rule = find_rule(function, in_call);
  facts.verdict = judge(function, in_call, thrown);
  remember(counter, thrown, closed, facts);
  return true;
}

// `tells_types(counter)` is called for each frame whose answer might be another one for another
// type.
template <class F>
verdict walk_out(const std::type_info* thrown, const stack_position& from, std::uintptr_t catching,
                 F tells_types) noexcept {
  const auto closed = count_closed_libraries();
  stack_position at = from;
  for (std::size_t frames = 1;; ++frames) {
    frame_facts facts;
    const bool is_known = find_facts(at.counter, thrown, closed, facts);
    if (is_known && facts.verdict.tells_types) tells_types(at.counter);
    if (facts.verdict.may_be_other) thrown = nullptr;
    if (is_known && facts.verdict.what == fate::caught) return {true};
    const bool goes_on = is_known && facts.verdict.what == fate::passes &&
                         facts.rule.how != frame_rule::kind::unknown &&
                         facts.rule.how != frame_rule::kind::outermost;
    if (goes_on && step(facts.rule, at)) {
      if (at.stack > catching) return {true};
      continue;
    }
    return {false, at.counter, at, frames};
  }
}

// Whether it would be caught in one of these frames, by what their tables say: the stack is another
// thread's. What is remembered is not asked, for the sake of the loader's lock: senders have a
// mutex.
bool is_caught_on_the_way(const survivors& among, const std::type_info* thrown) noexcept {
  for (std::size_t i = 0; i < among.count; ++i) {
    const auto in_call = among.counters[i] - 1;
    function_entry function;
    if (!find_function(in_call, function)) return false;
    const frame_verdict found = judge(function, in_call, thrown);
    if (found.what != fate::passes) return found.what == fate::caught;
    if (found.may_be_other) thrown = nullptr;
  }
  return false;
}

}  // namespace

verdict examine(const std::type_info* thrown, const stack_position& from,
                std::uintptr_t catching) noexcept {
  return walk_out(thrown, from, catching, [](std::uintptr_t) {});
}

survivors find_survivors(const stack_position& from) noexcept {
  survivors found;
  const verdict of_others = walk_out(nullptr, from, no_frame, [&found](std::uintptr_t counter) {
    if (found.count < survivors::most) found.counters[found.count] = counter;
    ++found.count;
  });
  if (of_others.survives || found.count > survivors::most) return {};
  found.judge = is_caught_on_the_way;
  return found;
}

void remember_holding(const stack_position& from, const verdict& found, std::size_t cost) noexcept {
  forget_holding();
  if (!is_on_own_stack(from.stack) || !is_on_own_stack(found.at.slot)) return;
  last_holding.slot = found.at.slot;
  last_holding.counter = found.at.counter;
  // Not always as many, or a loop could come back to the same place for each look.
  last_holding.credit = std::max(cost, least_credit) + ++last_holding.turn % 7;
}

void forget_holding() noexcept { last_holding.slot = 0; }

bool is_known_to_hold(const stack_position& from) noexcept {
  if (last_holding.slot == 0 || from.slot > last_holding.slot ||
      from.slot < last_holding.own_stack.low)
    return false;
  if (last_holding.credit == 0 ||
      without_signature(read_stack(last_holding.slot)) != last_holding.counter) {
    last_holding.slot = 0;
    return false;
  }
  --last_holding.credit;
  return true;
}

}  // namespace sigexc::detail
