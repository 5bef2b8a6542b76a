// Follows a landing pad through its machine code to the calls that decide over the exception.
//
// Compilers express `noexcept` in three ways: gcc leaves the call out of the table of handlers, and
// lets pads of inlined functions end in a call of std::terminate; clang makes it a `catch (...)`
// whose pad calls a function that enters the handler and terminates. A pad with several handlers
// compares the selector, which the personality hands over and which is known here, so the way
// through those comparisons is known too: the values of the selector and of the exception object
// are followed through registers and stack slots. All other branches depend on the program's data
// (an inlined destructor's, mostly); both ways are followed, and any that may terminate counts. One
// exception: std::jthread's destructor, which joins and then asks whether the thread is joinable.
//
// A handler may throw the exception on (`throw;`), as the library's containers do after cleaning
// up. So it is followed as well, to where it ends; then what is further out counts, too.
//
// What lies behind a call that does not return, and is not known for it, is followed as well. That
// can only add ends, and every end that is added makes the verdict more cautious.
#include "unwind/landing_pad.hpp"

#include "unwind/callee.hpp"
#include "unwind/instruction.hpp"

#include <algorithm>
#include <atomic>
#include <span>

namespace sigexc::detail {

namespace {

using op = instruction::kind;

struct value {
  enum class kind : std::uint8_t { unknown, exception, selector, constant };
  kind what = kind::unknown;
  // Of a constant; of the selector, with what was added to it; 1 of the exception object where the
  // pad has copied it, 0 where the unwinder has put it.
  std::int16_t number = 0;

  // Unknown, if the number is too large to be compared with a selector.
  static value of(kind what, std::int64_t number) noexcept {
    const auto small = static_cast<std::int16_t>(number);
    return small == number ? value{what, small} : value{};
  }
};

class state {
 public:
  state(std::uintptr_t pad, int selector) noexcept : at(pad) {
    registers_[machine.exception].what = value::kind::exception;
    registers_[machine.selector] = value::of(value::kind::selector, selector);
  }
  state() noexcept = default;

  [[nodiscard]] value get(const place& from) const noexcept {
    if (from.what == place::kind::in_register) return registers_[from.number];
    if (from.what == place::kind::in_memory)
      for (const auto& one : slots_)
        if (one.where == from) return one.what;
    return {};
  }

  void set(const place& to, value what) noexcept {
    if (to.what == place::kind::none) return;
    // What is in memory is known by its distance from the register that changes.
    if (to.what == place::kind::in_register) {
      registers_[to.number] = what;
      for (auto& one : slots_)
        if (one.where.number == to.number) one = {};
      return;
    }
    for (auto& one : slots_)
      if (one.where == to) one = {};
    if (what.what == value::kind::unknown) return;
    for (auto& one : slots_)
      if (one.where.what == place::kind::none) {
        one = {to, what};
        return;
      }
  }

  void assign(const instruction& one) noexcept {
    value result = get(one.from);
    if (one.is_known) result = {value::kind::constant, 0};
    if (one.sets_flags) compare(result, -one.constant, one.is_wide);
    if (result.what == value::kind::exception) result.number = 1;
    if (result.what == value::kind::exception && one.constant != 0) result = {};
    if (result.what == value::kind::selector || result.what == value::kind::constant)
      result = value::of(result.what, result.number + one.constant);
    set(one.to, result);
  }

  // Only comparisons of the selector have a known answer. Other values may be different when the
  // same place is reached on another way, which is not followed a second time.
  void compare(value left, std::int64_t right, bool is_wide) noexcept {
    are_flags_known_ = left.what == value::kind::selector;
    left_ = left.number;
    right_ = right;
    is_wide_ = is_wide;
  }

  void forget_flags() noexcept { are_flags_known_ = false; }

  void forget_registers(std::uint32_t which) noexcept {
    for (unsigned i = 0; i < machine.registers; ++i)
      if ((which >> i & 1U) != 0) registers_[i] = {};
    forget_flags();
  }

  enum class answer { yes, no, either };

  [[nodiscard]] answer is(condition asked) const noexcept {
    if (!are_flags_known_) return answer::either;
    const auto a = static_cast<std::uint64_t>(left_), b = static_cast<std::uint64_t>(right_);
    const std::uint64_t mask = is_wide_ ? ~0ULL : 0xffffffffULL;
    const auto decide = [](bool holds) { return holds ? answer::yes : answer::no; };
    switch (asked) {
      case condition::equal:
        return decide(left_ == right_);
      case condition::not_equal:
        return decide(left_ != right_);
      case condition::less:
        return decide(left_ < right_);
      case condition::less_or_equal:
        return decide(left_ <= right_);
      case condition::greater:
        return decide(left_ > right_);
      case condition::greater_or_equal:
        return decide(left_ >= right_);
      case condition::below:
        return decide((a & mask) < (b & mask));
      case condition::below_or_equal:
        return decide((a & mask) <= (b & mask));
      case condition::above:
        return decide((a & mask) > (b & mask));
      case condition::above_or_equal:
        return decide((a & mask) >= (b & mask));
      case condition::negative:
        return decide(left_ - right_ < 0);
      case condition::not_negative:
        return decide(left_ - right_ >= 0);
      default:
        return answer::either;
    }
  }

  enum class place_in : std::uint8_t { pad, entry_of_handler, handler };

  std::uintptr_t at = 0;
  place_in in = place_in::pad;
  bool has_joined = false;
  bool has_handed_over = false;  // the exception object, to a function that is not known

 private:
  struct slot {
    place where;
    value what;
  };

  std::array<value, machine.registers> registers_{};
  std::array<slot, 6> slots_{};
  std::int64_t left_ = 0;
  std::int64_t right_ = 0;
  bool are_flags_known_ = false;
  bool is_wide_ = true;
};

// What a function does that only makes calls: the decisive ones of them.
struct plain_function {
  bool catches = false;
  bool terminates = false;
  bool rethrows = false;
  bool throws = false;
};

// With `depth`, what the functions that it calls do counts as well. Conditions end it: what lies
// behind them may not be done.
// @param left how many instructions are read at most, in all.
plain_function read_plain_function(std::uintptr_t at, int depth, int& left) noexcept {
  plain_function found;
  for (; left > 0 && !found.terminates && !found.rethrows && !found.throws; --left) {
    const instruction one = decode(at);
    at += one.size;
    if (one.what == op::call) {
      const callee who = identify(one.target, one.is_indirect);
      found.catches = found.catches || who == callee::catches;
      found.terminates = who == callee::terminates;
      found.rethrows = who == callee::rethrows;
      found.throws = who == callee::throws;
      if (who != callee::other || depth == 0 || one.is_indirect) continue;
      const auto inner = read_plain_function(one.target, depth - 1, left);
      found.terminates = inner.terminates;
      found.rethrows = inner.rethrows;
      found.throws = inner.throws;
    } else if (one.what == op::jump && !one.is_indirect) {
      at = one.target;
    } else if (one.what != op::other && one.what != op::assign && one.what != op::assign_two) {
      break;
    }
  }
  return found;
}

// @param most_ways that wait to be followed; @param most_places where ways begin.
template <std::size_t most_ways, std::size_t most_places>
class follower {
 public:
  pad_ends run(std::uintptr_t pad, int selector) noexcept {
    ends_ = {};
    waiting_ = seen_count_ = 0;
    executed_ = 0;
    branch_to(state(pad, selector));
    while (waiting_ != 0 && !ends_.is_unreadable && !ends_.may_terminate) {
      now_ = to_follow_[--waiting_];
      while (execute()) {
      }
    }
    return ends_;
  }

 private:
  // Queues a way to follow, unless it was already.
  void branch_to(const state& where) noexcept {
    const auto seen = std::span(seen_).first(seen_count_);
    if (std::ranges::find(seen, where.at) != seen.end()) return;
    if (waiting_ == to_follow_.size() || seen_count_ == seen_.size()) {
      cannot_tell();
      return;
    }
    seen_[seen_count_++] = where.at;
    to_follow_[waiting_++] = where;
  }

  // Executes one instruction. False: this way has ended.
  bool execute() noexcept {
    if (++executed_ > most_instructions) return cannot_tell();
    const instruction one = decode(now_.at);
    now_.at += one.size;
    switch (one.what) {
      case op::unreadable:
      case op::jump_elsewhere:
        return cannot_tell();
      case op::stop:
        return is_handling() ? cannot_tell() : false;
      case op::other:
        if (one.forgets_all) now_.forget_registers(~0U);
        now_.set(one.to, {});
        now_.set(one.also_to, {});
        now_.forget_flags();
        return true;
      case op::assign:
        now_.assign(one);
        return true;
      case op::assign_two: {
        const value first = now_.get(one.from), second = now_.get(one.with);
        now_.set(one.to, first);
        now_.set(one.also_to, second);
        return true;
      }
      case op::compare: {
        const value with = now_.get(one.with);
        if (one.with.what == place::kind::none)
          now_.compare(now_.get(one.from), one.constant, one.is_wide);
        else if (with.what == value::kind::constant)
          now_.compare(now_.get(one.from), with.number, one.is_wide);
        else
          now_.forget_flags();
        return true;
      }
      case op::compare_and_branch:
        now_.compare(now_.get(one.from), 0, one.is_wide);
        return branches(one);
      case op::branch:
        return branches(one);
      case op::jump:
        return jumps(one);
      case op::call:
        return is_handling() ? calls_in_handler(one) : calls(one);
      case op::call_elsewhere:
        return returns();
    }
    return cannot_tell();
  }

  bool branches(const instruction& one) noexcept {
    const auto taken = now_.is(one.when);
    if (taken == state::answer::no) return true;
    if (is_handling()) now_.in = state::place_in::handler;
    const auto next = now_.at;
    now_.at = one.target;
    branch_to(now_);
    now_.at = next;
    return taken == state::answer::either;
  }

  bool jumps(const instruction& one) noexcept {
    if (one.is_indirect || identify(one.target, false) != callee::other) {
      if (is_handling())
        calls_in_handler(one);
      else
        calls(one);
      return false;
    }
    now_.at = one.target;
    branch_to(now_);
    return false;
  }

  // Before the handler, if there is one: what the compiler has put there.
  bool calls(const instruction& one) noexcept {
    switch (identify(one.target, one.is_indirect)) {
      case callee::terminates:
        ends_.may_terminate = ends_.may_terminate || !now_.has_joined;
        return false;
      case callee::catches:
        if (!is_given_exception()) return cannot_tell();
        now_.in = state::place_in::entry_of_handler;
        return returns();
      case callee::resumes:
        return is_given_exception() ? goes_outward() : cannot_tell();
      case callee::rethrows:
      case callee::throws:
      case callee::ends:
        return false;
      case callee::joins:
        now_.has_joined = true;
        return returns();
      case callee::borrows:
      case callee::leaves:  // of the handler that this cleanup belongs to
        return returns();
      case callee::other:
        break;
    }
    // Given the exception object, it is clang's function; or one that takes no argument, and leaves
    // the object where it is needed next (gcc -fipa-ra); or an unwinder's function that is not
    // known here, as it was linked statically, and then what follows is no part of this pad.
    const value argument = now_.get(first_argument);
    if (argument.what != value::kind::exception) return returns();
    int few = 32;
    const auto given_to =
        one.is_indirect ? plain_function() : read_plain_function(one.target, 0, few);
    if (given_to.catches && given_to.terminates) {
      ends_.may_terminate = true;
      return false;
    }
    returns();
    now_.has_handed_over = argument.number != 0;
    if (now_.has_handed_over) now_.set(first_argument, argument);
    return true;
  }

  // Whether a call that takes the exception object may belong to this pad.
  [[nodiscard]] bool is_given_exception() const noexcept {
    return !now_.has_handed_over || now_.get(first_argument).what == value::kind::exception;
  }

  // In the handler: what the program does. It may throw the exception on, or another one; that it
  // terminates counts if it does so at once, or whatever it does before.
  bool calls_in_handler(const instruction& one) noexcept {
    const bool is_first = now_.in == state::place_in::entry_of_handler;
    now_.in = state::place_in::handler;
    switch (identify(one.target, one.is_indirect)) {
      case callee::terminates:
        return now_.has_joined ? false : terminates(is_first);
      case callee::joins:
        now_.has_joined = true;
        return returns();
      case callee::rethrows:
        return goes_outward();
      case callee::throws:
        return throws_other();
      case callee::leaves:
        ends_.may_catch = true;
        return false;
      case callee::ends:     // an assertion, mostly
      case callee::resumes:  // behind a call that does not return
        return false;
      default:
        break;
    }
    if (one.is_indirect) return returns();
    int enough = 256;  // for std::throw_with_nested, without optimisation
    const auto called = read_plain_function(one.target, 4, enough);
    if (called.rethrows) return goes_outward();
    if (called.throws) return throws_other();
    return called.terminates ? terminates(false) : returns();
  }

  bool returns() noexcept {
    now_.forget_registers(machine.lost_in_calls);
    return true;
  }

  bool terminates(bool at_once) noexcept {
    ends_.may_terminate = ends_.may_terminate || at_once;
    ends_.handler_may_terminate = true;
    return false;
  }

  bool throws_other() noexcept {
    ends_.may_throw_other = true;
    return goes_outward();
  }

  bool goes_outward() noexcept {
    if (ends_.resume_count == ends_.resumes.size()) return cannot_tell();
    ends_.resumes[ends_.resume_count++] = now_.at;
    return false;
  }

  // A handler that is too long to be followed is taken for one that handles, or throws on.
  bool cannot_tell() noexcept {
    if (is_handling())
      ends_.may_catch = ends_.may_throw_on = true;
    else
      ends_.is_unreadable = true;
    return false;
  }

  [[nodiscard]] bool is_handling() const noexcept { return now_.in != state::place_in::pad; }

  static constexpr int most_instructions = 8192;
  static constexpr place first_argument{place::kind::in_register, machine.first_argument, 0};

  pad_ends ends_;
  state now_;
  std::array<state, most_ways> to_follow_{};
  std::size_t waiting_ = 0;
  std::array<std::uintptr_t, most_places> seen_{};  // where ways begin
  std::size_t seen_count_ = 0;
  int executed_ = 0;
};

// The large one would overflow the smallest stacks, so there is one for all threads. Who finds it
// busy (for ever, in a child of a fork) makes do with a small one, and holds more than it must.
constinit follower<64, 512> shared_follower;
constinit std::atomic_flag is_shared_follower_busy;

[[gnu::noinline]] pad_ends follow_on_the_stack(std::uintptr_t pad, int selector) noexcept {
  return follower<16, 256>().run(pad, selector);
}

}  // namespace

pad_ends follow_pad(std::uintptr_t pad, int selector) noexcept {
  if (is_shared_follower_busy.test_and_set(std::memory_order_acquire))
    return follow_on_the_stack(pad, selector);
  const pad_ends found = shared_follower.run(pad, selector);
  is_shared_follower_busy.clear(std::memory_order_release);
  return found;
}

}  // namespace sigexc::detail
