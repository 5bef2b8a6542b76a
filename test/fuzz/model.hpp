// The rules of delivery for one target, as plain as they can be said: a list of what was sent, a
// stack of scopes, one of callbacks, one of frames. It knows nothing of the library, and `program`
// asks it what the library is to do next.
#pragma once

#include <algorithm>
#include <cstddef>
#include <deque>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace sigexc::test::fuzz {

// The types of exceptions: a red apple is an apple. The last one is what terminate() sends.
enum class kind { apple, red_apple, pear, termination };
constexpr std::size_t kinds = 4;
constexpr std::size_t fruits = 3;
inline bool is_a(kind one, kind handler) {
  return one == handler || (one == kind::red_apple && handler == kind::apple);
}

enum class rule { immediate, on_blocking, never };
enum class fate { pending, delivering, raised, handled, withdrawn, discarded };
enum class reaction { handle, replace, send, withdraw, fire, last = fire };
// What a catch clause takes, and does not throw on. A group is no fruit; it is an interruption, as
// a termination is.
enum class taken {
  everything,
  apples,
  pears,
  terminations,
  interruptions,
  groups,
  nothing,
  last = nothing
};

constexpr std::size_t none = ~std::size_t{0};

// What is raised, in words; of which type, if not a group; and the termination that is alive as
// long as the exception is.
struct raise {
  std::string words = "nothing";
  std::optional<kind> type;
  std::size_t termination = none;
};

class model {
 public:
  using kind_list = std::vector<kind>;  // empty: every interrupt

  // Returns its number, which is its place in the order of arrival.
  std::size_t send(kind type) {
    const std::size_t number = sent_.size();
    sent_.push_back({.type = type,
                     .raised_as = type,
                     .name = type == kind::termination ? "terminated" : std::to_string(number),
                     .cause = number});
    return number;
  }
  bool withdraw(std::size_t number) {  // S8; what a callback has seen stays
    one& it = sent_[number];
    if (it.now != fate::pending || !it.has_receipt || it.had_callback) return false;
    it.now = fate::withdrawn;
    return true;
  }
  void fire(kind type) {  // S10: again before delivery, still one
    for (const one& other : sent_)
      if (other.is_prepared && other.type == type && other.now == fate::pending) return;
    one& it = sent_[send(type)];
    it.is_prepared = true;
    it.has_receipt = false;
    it.name = "prepared " + std::to_string(static_cast<int>(type));
  }

  // D5: the object of what was raised has gone, or is not to come again.
  void drop(std::size_t termination) {
    if (termination == none || sent_[termination].is_acknowledged) return;
    one& it = sent_[send(kind::termination)];
    it.has_receipt = false;
    it.cause = termination;
  }
  void acknowledge(std::size_t termination) {
    if (termination != none) sent_[termination].is_acknowledged = true;
  }

  // S8: its end.
  void end() {
    for (one& each : sent_)
      if (each.now == fate::pending) each.now = fate::discarded;
  }

  // Scopes. `restored` is the depth of the block before which things are to be as they were (M5).
  void open(rule what, kind_list governed) { scopes_.push_back({what, std::move(governed), none}); }
  void open_restoring(std::size_t restored) {
    scopes_.push_back({rule::immediate, scopes_[restored].governed, restored});
  }
  void leave() { scopes_.pop_back(); }
  [[nodiscard]] std::size_t depth() const { return scopes_.size(); }

  void attach(kind type, reaction what, std::size_t argument) {
    attached_.push_back({type, what, argument});
  }
  void detach() { attached_.pop_back(); }
  [[nodiscard]] bool has_callback(kind type) const {
    return std::any_of(attached_.begin(), attached_.end(),
                       [type](const callback& here) { return is_a(type, here.type); });
  }

  // Frames: those that let nothing out, and those that catch. Around all is one that catches.
  void enter_noexcept() { frames_.push_back({}); }
  void enter_try(taken what) { frames_.push_back({what}); }
  void leave_frame() { frames_.pop_back(); }

  // R1. `type`: none for a group.
  [[nodiscard]] bool survives(std::optional<kind> type) const {
    for (auto frame = frames_.rbegin(); frame != frames_.rend(); ++frame) {
      if (!frame->has_value()) return false;
      if (takes(**frame, type)) return true;
    }
    return true;
  }

  // What a callback does, of those that the last deliveries have called, in their order.
  struct effect {
    std::string on;  // the interrupt that it got
    reaction what;
    kind type;           // of what it sends or fires
    std::size_t number;  // of what it sends or withdraws
    bool is_withdrawn;
  };
  std::deque<effect> effects;

  // What a safe point raises; `is_wait`: an operation that has to wait, as well.
  raise deliver(bool is_wait) {
    std::vector<std::size_t> claimed;
    std::vector<std::size_t> kept;  // a callback threw what cannot be raised here
    // D4: what arrives meanwhile has higher numbers, so it comes after what is here
    for (std::size_t number = next(is_wait); number != none; number = next(is_wait)) {
      if (!call(number)) {
        claimed.push_back(number);
      } else if (sent_[number].had_callback) {
        (survives(kind::pear) ? claimed : kept).push_back(number);
      }
    }
    for (const std::size_t number : kept) sent_[number].now = fate::pending;
    return raise_of(claimed);
  }

  [[nodiscard]] std::size_t pending() const {
    return static_cast<std::size_t>(std::count_if(
        sent_.begin(), sent_.end(), [](const one& each) { return each.now == fate::pending; }));
  }
  [[nodiscard]] std::size_t count() const { return sent_.size(); }
  [[nodiscard]] fate of(std::size_t number) const { return sent_[number].now; }

 private:
  struct one {
    kind type;       // which scopes and callbacks match
    kind raised_as;  // which catch clauses match
    fate now = fate::pending;
    std::string name;
    bool has_receipt = true;
    bool is_prepared = false;      // and nobody has it in his hands
    bool had_callback = false;     // which threw
    bool is_acknowledged = false;  // a termination
    std::size_t cause;             // of a termination: the first one that this comes from
  };
  struct scope {
    rule what;
    kind_list governed;
    std::size_t restored;
  };
  struct callback {
    kind type;
    reaction what;  // at its first call; else it handles
    std::size_t argument;
  };

  static bool governs(const scope& here, kind type) {
    return here.governed.empty() ||
           std::any_of(here.governed.begin(), here.governed.end(),
                       [type](kind governed) { return is_a(type, governed); });
  }
  static bool takes(taken what, std::optional<kind> type) {
    switch (what) {
      case taken::everything:
        return true;
      case taken::apples:
        return type && is_a(*type, kind::apple);
      case taken::pears:
        return type == kind::pear;
      case taken::terminations:
        return type == kind::termination;
      case taken::interruptions:
        return !type || type == kind::termination;
      case taken::groups:
        return !type;
      case taken::nothing:
        break;
    }
    return false;
  }

  // M1: the innermost scope that governs the type decides.
  [[nodiscard]] rule governing(kind type) const {
    for (std::size_t i = scopes_.size(); i > 0;) {
      const scope& here = scopes_[i - 1];
      if (!governs(here, type)) {
        --i;
      } else if (here.restored != none) {
        i = here.restored;
      } else {
        return here.what;
      }
    }
    return rule::immediate;
  }

  // S5: the oldest that is let through and, if no callback takes it, can be raised here.
  std::size_t next(bool is_wait) {
    for (std::size_t number = 0; number < sent_.size(); ++number) {
      one& candidate = sent_[number];
      if (candidate.now != fate::pending) continue;
      const rule here = governing(candidate.type);
      if (here == rule::never || (here == rule::on_blocking && !is_wait)) continue;
      const bool is_called = !candidate.had_callback && has_callback(candidate.type);
      if (!is_called && !survives(candidate.raised_as)) continue;
      candidate.now = fate::delivering;
      candidate.is_prepared = false;
      return number;
    }
    return none;
  }

  // D3. @return whether a callback has run.
  bool call(std::size_t number) {
    if (sent_[number].had_callback) return false;
    for (std::size_t i = attached_.size(); i > 0; --i) {
      const callback here = attached_[i - 1];
      if (!is_a(sent_[number].type, here.type)) continue;
      // Else one that sends what it takes would never come to an end.
      if (here.what != reaction::replace) attached_[i - 1].what = reaction::handle;
      const bool fires = here.what == reaction::fire;
      effect now{.on = sent_[number].name,
                 .what = here.what,
                 .type = static_cast<kind>(here.argument % (fires ? fruits : kinds)),
                 .number = 0,
                 .is_withdrawn = false};
      if (here.what == reaction::replace) {
        sent_[number].had_callback = true;
        sent_[number].raised_as = kind::pear;
        sent_[number].name = "instead of " + now.on;
      } else {
        sent_[number].now = fate::handled;
      }
      if (here.what == reaction::send) now.number = send(now.type);
      if (fires) fire(now.type);
      if (here.what == reaction::withdraw) {
        now.number = here.argument % sent_.size();
        now.is_withdrawn = withdraw(now.number);
      }
      effects.push_back(now);
      return true;
    }
    return false;
  }

  // D2, D5, R1: several as a group where that is survived, else the oldest; terminations as one.
  raise raise_of(const std::vector<std::size_t>& claimed) {
    const auto is_termination = [this](std::size_t number) {
      return sent_[number].raised_as == kind::termination;
    };
    raise what;
    std::vector<std::size_t> members;
    for (const std::size_t number : claimed) {
      if (is_termination(number) && what.termination != none) continue;
      if (is_termination(number)) what.termination = sent_[number].cause;
      members.push_back(number);
    }
    if (members.empty()) return what;
    const bool is_group = members.size() > 1 && survives({});
    if (!is_group) what.type = sent_[members.front()].raised_as;
    if (!is_group && !is_termination(members.front())) what.termination = none;
    for (const std::size_t number : claimed) {
      const bool is_raised = is_group || number == members.front() ||
                             (is_termination(number) && what.termination != none);
      sent_[number].now = is_raised ? fate::raised : fate::pending;
    }
    what.words = sent_[members.front()].name;
    if (!is_group) return what;
    for (std::size_t i = 1; i < members.size(); ++i) what.words += ", " + sent_[members[i]].name;
    what.words = "group(" + what.words + ")";
    return what;
  }

  std::vector<one> sent_;
  std::vector<scope> scopes_;
  std::vector<callback> attached_;
  std::vector<std::optional<taken>> frames_;  // none: noexcept
};

}  // namespace sigexc::test::fuzz
