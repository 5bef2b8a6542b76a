// The rules of delivery for one thread, as plain as they can be said: a list of what was sent, a
// stack of scopes, a stack of callbacks. It knows nothing of the library, and `program` asks it
// what the library is to do next.
#pragma once

#include <cstddef>
#include <deque>
#include <string>
#include <vector>

namespace sigexc::test::fuzz {

// The types of exceptions: a red apple is an apple.
enum class kind { apple, red_apple, pear };
constexpr int kinds = 3;
inline bool is_a(kind one, kind handler) {
  return one == handler || (one == kind::red_apple && handler == kind::apple);
}

enum class rule { immediate, on_blocking, never };
enum class fate { pending, delivering, raised, handled, withdrawn };
enum class reaction { handle, replace, send, withdraw, fire, last = fire };

class model {
 public:
  using kind_list = std::vector<kind>;  // empty: every interrupt

  // Returns its number, which is its place in `all()`.
  std::size_t send(kind type) {
    sent_.push_back({type, fate::pending, std::to_string(sent_.size()), {}});
    mailbox_.push_back(sent_.size() - 1);
    return sent_.size() - 1;
  }
  bool withdraw(std::size_t number) {  // S8
    if (sent_[number].now != fate::pending || sent_[number].is_prepared) return false;
    sent_[number].now = fate::withdrawn;
    return true;
  }
  void fire(kind type) {  // S10: again before delivery, still one
    for (const one& other : sent_)
      if (other.is_prepared && other.type == type && other.now == fate::pending) return;
    const std::size_t number = send(type);
    sent_[number].is_prepared = true;
    sent_[number].name = "prepared " + std::to_string(static_cast<int>(type));
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

  // M1: the innermost scope that governs the type decides. Null: for what is of no type of ours.
  [[nodiscard]] rule governing(const kind* type) const {
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

  // What a callback does, of those that the last delivery has called, in their order.
  struct effect {
    std::string on;  // the interrupt that it got
    reaction what;
    kind type;           // of what it sends or fires
    std::size_t number;  // of what it sends or withdraws
    bool is_withdrawn;
  };
  std::deque<effect> effects;

  // What a safe point raises, in words; `is_wait`: an operation that has to wait, as well.
  std::string deliver(bool is_wait) {
    std::vector<std::string> raised;
    for (int round = 0; round < 64; ++round) {  // D4
      held_.insert(held_.end(), mailbox_.begin(), mailbox_.end());
      mailbox_.clear();
      bool has_called = false;
      for (std::size_t number = next(is_wait); number != none; number = next(is_wait))
        has_called = call_or_raise(number, raised) || has_called;
      if (!has_called) break;
    }
    if (raised.empty()) return "nothing";
    if (raised.size() == 1) return raised.front();  // D2
    std::string all;
    for (const std::string& name : raised) all += (all.empty() ? "" : ", ") + name;
    return "group(" + all + ")";
  }

  [[nodiscard]] std::size_t pending() const {
    std::size_t count = 0;
    for (const one& each : sent_) count += each.now == fate::pending ? 1 : 0;
    return count;
  }
  [[nodiscard]] std::size_t count() const { return sent_.size(); }
  [[nodiscard]] fate of(std::size_t number) const { return sent_[number].now; }
  [[nodiscard]] bool is_prepared(std::size_t number) const { return sent_[number].is_prepared; }

 private:
  static constexpr std::size_t none = ~std::size_t{0};
  struct one {
    kind type;
    fate now;
    std::string name;
    bool is_prepared = false;
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

  static bool governs(const scope& here, const kind* type) {
    if (here.governed.empty()) return true;
    for (const kind governed : here.governed)
      if (type != nullptr && is_a(*type, governed)) return true;
    return false;
  }

  // The oldest that is let through, which is not pending any more.
  std::size_t next(bool is_wait) {
    for (auto it = held_.begin(); it != held_.end(); ++it) {
      one& candidate = sent_[*it];
      if (candidate.now != fate::pending) continue;
      const rule here = governing(&candidate.type);
      if (here == rule::never || (here == rule::on_blocking && !is_wait)) continue;
      const std::size_t number = *it;
      held_.erase(it);
      candidate.now = fate::delivering;
      return number;
    }
    return none;
  }

  // D3. True: a callback has run.
  bool call_or_raise(std::size_t number, std::vector<std::string>& raised) {
    for (std::size_t i = attached_.size(); i > 0; --i) {
      const callback here = attached_[i - 1];
      if (!is_a(sent_[number].type, here.type)) continue;
      // Else one that sends what it takes would never come to an end.
      if (here.what != reaction::replace) attached_[i - 1].what = reaction::handle;
      effect now{sent_[number].name, here.what, static_cast<kind>(here.argument % kinds), 0, false};
      sent_[number].now = here.what == reaction::replace ? fate::raised : fate::handled;
      if (here.what == reaction::replace) raised.push_back("instead of " + now.on);
      if (here.what == reaction::send) now.number = send(now.type);
      if (here.what == reaction::fire) fire(now.type);
      if (here.what == reaction::withdraw) {
        now.number = here.argument % sent_.size();
        now.is_withdrawn = withdraw(now.number);
      }
      effects.push_back(now);
      return true;
    }
    sent_[number].now = fate::raised;
    raised.push_back(sent_[number].name);
    return false;
  }

  std::vector<one> sent_;
  std::deque<std::size_t> mailbox_;
  std::deque<std::size_t> held_;
  std::vector<scope> scopes_;
  std::vector<callback> attached_;
};

}  // namespace sigexc::test::fuzz
