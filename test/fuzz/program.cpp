// The steps of a program, each in the library and in the model.
#include "fuzz/program.hpp"

#include "support/interrupts.hpp"

#include <array>
#include <chrono>
#include <exception>
#include <stdexcept>
#include <utility>

namespace sigexc::test::fuzz {

namespace {

// Each says by `what()` which one it is.
struct apple : std::runtime_error {
  using std::runtime_error::runtime_error;
};
struct red_apple : apple {
  using apple::apple;
};
struct pear : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// The lists of types that scopes govern, here and in the model.
const std::array<model::kind_list, 6> lists{{{},
                                             {kind::apple},
                                             {kind::red_apple},
                                             {kind::pear},
                                             {kind::apple, kind::pear},
                                             {kind::red_apple, kind::pear}}};

template <class F>
void with_list(std::size_t list, F&& f) {
  switch (list) {
    case 1:
      return f.template operator()<apple>();
    case 2:
      return f.template operator()<red_apple>();
    case 3:
      return f.template operator()<pear>();
    case 4:
      return f.template operator()<apple, pear>();
    case 5:
      return f.template operator()<red_apple, pear>();
    default:
      return f.template operator()<>();
  }
}

template <class F>
void with_kind(kind type, const std::string& name, F&& f) {
  switch (type) {
    case kind::apple:
      return f(apple(name));
    case kind::red_apple:
      return f(red_apple(name));
    case kind::pear:
      return f(pear(name));
  }
}

rule rule_of(policy what) {
  return what == policy::immediate     ? rule::immediate
         : what == policy::on_blocking ? rule::on_blocking
                                       : rule::never;
}

fate fate_of(delivery what) {
  switch (what) {
    case delivery::pending:
      return fate::pending;
    case delivery::raised:
      return fate::raised;
    case delivery::handled:
      return fate::handled;
    case delivery::withdrawn:
      return fate::withdrawn;
    case delivery::discarded:
      break;
  }
  return fate::delivering;  // none that the model ends with
}

}  // namespace

std::string program::play() {
  const enrollment here("program");
  for (int type = 0; type < kinds; ++type)
    with_kind(static_cast<kind>(type), "prepared " + std::to_string(type), [&](auto exception) {
      prepared_.emplace_back(here.get_target(), std::move(exception));
    });
  try {
    do {  // and at the end a safe point, to which comes what is left
      try {
        run_steps();
        expect(model_.deliver(false), [] { safe_point(); });
      } catch (const mismatch&) {
        throw;
      } catch (...) {  // what was raised has been compared
      }
    } while (!bytes_.empty() || model_.pending() != 0);
  } catch (const mismatch&) {
    return said_;
  }
  return {};
}

template <class F>
void program::expect(const std::string& expected, F&& what) {
  std::exception_ptr raised;
  try {
    std::forward<F>(what)();
  } catch (...) {
    raised = std::current_exception();
  }
  compare(expected, raised == nullptr ? "nothing" : words(raised));
  if (raised != nullptr) std::rethrow_exception(raised);
}

void program::compare(const std::string& expected, const std::string& got) {
  if (got != expected) {
    say("raised: " + got + "; expected: " + expected + (wrong_.empty() ? "" : "; " + wrong_));
    throw mismatch();
  }
  if (got != "nothing") say("raised: " + got);
  if (wrong_.empty() && !model_.effects.empty())
    wrong_ = "no callback got " + model_.effects.front().on;
  if (!wrong_.empty()) {
    say(wrong_);
    throw mismatch();
  }
  compare_books();
}

void program::compare_books() {
  const auto differ = [this](const std::string& what) {
    say(what);
    throw mismatch();
  };
  for (std::size_t i = 0; i < receipts_.size(); ++i)
    if (receipts_[i] && fate_of(receipts_[i]->state()) != model_.of(i))
      differ("the receipt of " + std::to_string(i) + " says otherwise");
  if (this_thread::get_target().pending() != model_.pending())
    differ("pending: " + std::to_string(this_thread::get_target().pending()) +
           ", expected: " + std::to_string(model_.pending()));
  if (interrupt_pending() != (model_.pending() != 0)) differ("interrupt_pending() says otherwise");
}

void program::send(kind type, std::size_t number) {
  if (receipts_.size() <= number) receipts_.resize(number + 1);
  with_kind(type, std::to_string(number), [&](auto exception) {
    receipts_[number] = this_thread::get_target().interrupt(std::move(exception));
  });
}

// In a callback. The model has foreseen what it does.
template <class E>
void program::react(const E& got) {
  if (model_.effects.empty() || model_.effects.front().on != got.what()) {
    wrong_ = std::string("a callback got ") + got.what() + ", and should not";
    return;
  }
  const model::effect now = model_.effects.front();
  model_.effects.pop_front();
  if (now.what == reaction::replace) throw pear(std::string("instead of ") + got.what());
  if (now.what == reaction::send) send(now.type, now.number);
  if (now.what == reaction::fire) prepared_[static_cast<std::size_t>(now.type)].fire();
  if (now.what == reaction::withdraw && now.number < receipts_.size() && receipts_[now.number] &&
      receipts_[now.number]->withdraw() != now.is_withdrawn)
    wrong_ = "withdraw() in a callback says otherwise";
}

void program::run_steps() {
  const std::size_t nesting = nesting_;
  ++nesting_;
  try {
    while (!bytes_.empty() && bytes_.front() % 16 != 0) run_step();
    static_cast<void>(next());
  } catch (...) {
    nesting_ = nesting;
    throw;
  }
  nesting_ = nesting;
}

void program::run_step() {
  switch (next() % 16) {
    case 1:
    case 2:
    case 3: {
      const auto type = static_cast<kind>(next() % kinds);
      say("send " + std::to_string(model_.count()) + ", of kind " +
          std::to_string(static_cast<int>(type)));
      send(type, model_.send(type));
      return compare_books();
    }
    case 4: {
      if (model_.count() == 0) return;
      const std::size_t which = next() % model_.count();
      if (which >= receipts_.size() || !receipts_[which]) return;
      say("withdraw " + std::to_string(which));
      if (receipts_[which]->withdraw() != model_.withdraw(which)) {
        say("withdraw() says otherwise");
        throw mismatch();
      }
      return compare_books();
    }
    case 5: {
      const auto type = static_cast<kind>(next() % kinds);
      say("fire what is of kind " + std::to_string(static_cast<int>(type)));
      model_.fire(type);
      prepared_[static_cast<std::size_t>(type)].fire();
      return compare_books();
    }
    case 6:
    case 7:
      say("safe point");
      return expect(model_.deliver(false), [] { safe_point(); });
    case 8: {
      say("operation that need not wait");  // O1, M6
      units_.release();
      try {
        return expect(model_.deliver(false), [this] { units_.acquire(); });
      } catch (const mismatch&) {
        throw;
      } catch (...) {
        if (!units_.try_acquire()) {
          say("its unit is gone");
          throw mismatch();
        }
        throw;
      }
    }
    case 9: {
      say("operation that waits");
      std::string expected = model_.deliver(false);
      if (expected == "nothing") expected = model_.deliver(true);
      return expect(expected, [this] {
        static_cast<void>(units_.try_acquire_for(std::chrono::nanoseconds(1)));
      });
    }
    case 10:
    case 11:
    case 12:
      return in_scope();
    case 13:
      return in_restored_scope();
    case 14:
      return with_callback();
    case 15:
      return in_try_block();
    default:
      return;
  }
}

void program::in_scope() {
  const auto what = static_cast<policy>(next() % 3);
  const std::size_t list = next() % lists.size();
  with_list(list, [&]<class... E>() { in_scope_of<E...>(list, what); });
}

template <class... E>
void program::in_scope_of(std::size_t list, policy what) {
  static constexpr std::array names{"immediate", "on_blocking", "never"};
  say(std::string(names[static_cast<std::size_t>(what)]) + " scope of types " +
      std::to_string(list) + " {");
  const std::size_t depth = model_.depth();
  model_.open(rule_of(what), lists[list]);
  std::string expected = what == policy::immediate ? model_.deliver(false) : "nothing";  // M3
  enum { opening, inside, leaving } where = opening;
  const auto steps = [&](const void* block) {
    compare(expected, "nothing");
    where = inside;
    if (block != nullptr) blocks_.push_back({depth, list, block});
    run_steps();
    where = leaving;
    if (block != nullptr) blocks_.pop_back();
    model_.leave();
    expected = what == policy::immediate ? "nothing" : model_.deliver(false);  // M4
    say("}");
  };
  try {
    if (what == policy::never) {
      const block_scope<E...> block;
      steps(&block);
    } else {
      const mask_scope<E...> scope(what);
      steps(nullptr);
    }
  } catch (const mismatch&) {
    throw;
  } catch (...) {
    if (where == inside) {
      if (what == policy::never) blocks_.pop_back();
    } else {
      compare(expected, words(std::current_exception()));
    }
    if (where != leaving) model_.leave();
    throw;
  }
  compare(expected, "nothing");
}

void program::in_restored_scope() {  // M5
  if (blocks_.empty()) return;
  const open_block block = blocks_[next() % blocks_.size()];
  say("scope as before the block at " + std::to_string(block.depth) + " {");
  model_.open_restoring(block.depth);
  const std::string expected = model_.deliver(false);
  bool is_open = false;
  try {
    with_list(block.list, [&]<class... E>() {
      const unblock_scope<E...> restored(*static_cast<const block_scope<E...>*>(block.scope));
      compare(expected, "nothing");
      is_open = true;
      run_steps();
      say("}");
    });
  } catch (const mismatch&) {
    throw;
  } catch (...) {
    if (!is_open) compare(expected, words(std::current_exception()));
    model_.leave();
    throw;
  }
  model_.leave();
}

void program::with_callback() {
  const auto type = static_cast<kind>(next() % kinds);
  const auto what = static_cast<reaction>(next() % (static_cast<std::size_t>(reaction::last) + 1));
  const std::size_t argument = next();
  with_kind(type, "", [&]<class E>(E) { with_callback_for<E>(type, what, argument); });
}

template <class E>
void program::with_callback_for(kind type, reaction what, std::size_t argument) {
  static constexpr std::array names{"handles", "replaces", "sends", "withdraws", "fires"};
  say("callback for kind " + std::to_string(static_cast<int>(type)) + " that " +
      names[static_cast<std::size_t>(what)] + " (" + std::to_string(argument) + ") {");
  model_.attach(type, what, argument);
  std::exception_ptr ended;
  {
    const auto attached = attach<E>([this](const E& got) { react(got); });
    try {
      run_steps();
    } catch (...) {
      ended = std::current_exception();
    }
  }
  model_.detach();
  say("}");
  if (ended != nullptr) std::rethrow_exception(ended);
}

void program::in_try_block() {
  say("try {");
  try {
    run_steps();
  } catch (const mismatch&) {
    throw;
  } catch (...) {
    say("} catch {");
    run_steps();
  }
  say("}");
}

}  // namespace sigexc::test::fuzz
