// The steps that have steps inside: scopes, callbacks, and frames that catch or let nothing out.
#include "fuzz/kinds.hpp"
#include "fuzz/program.hpp"
#include "support/interrupts.hpp"

#include <utility>

namespace sigexc::test::fuzz {

namespace {

constexpr std::array policies{"immediate", "on_blocking", "never"};
constexpr std::array reactions{"handles", "replaces", "sends", "withdraws", "fires"};
constexpr std::array catches{"everything",
                             "apples",
                             "pears",
                             "terminations",
                             "interruptions",
                             "groups",
                             "everything, and throw on"};

// Whatever a group or a termination is caught as.
void acknowledge(const std::exception_ptr& exception) {
  try {
    std::rethrow_exception(exception);
  } catch (const terminated& it) {
    it.acknowledge();
  } catch (const exception_group& group) {
    for (const auto& member : group.exceptions()) acknowledge(member);
  } catch (...) {
  }
}

}  // namespace

void program::acknowledge_raised(const raise& what) {
  say("acknowledge");
  acknowledge(std::current_exception());
  model_.acknowledge(what.termination);
}

// A scope is open in the model from before it is in the library until after it.
void program::in_scope() {
  const auto what = static_cast<policy>(next() % 3);
  const std::size_t list = next() % lists.size();
  say(std::string(policies.at(static_cast<std::size_t>(what))) + " scope of types " +
      std::to_string(list) + " {");
  with_list(list, [&]<class... E>() { in_scope_of<E...>(list, what); });
  returned();
}

struct program::open_scope {
  open_scope(program& whose, rule what, std::size_t list) : self(whose) {
    self.model_.open(what, lists[list]);
  }
  open_scope(const open_scope&) = delete;
  open_scope& operator=(const open_scope&) = delete;
  [[gnu::noinline]] ~open_scope() {
    if (is_open) self.model_.leave();
  }
  [[gnu::noinline]] void opens(policy what) {
    if (what != policy::immediate) return;  // M3
    if (self.may_be_held_on_) self.look_anew();
    self.expect(self.model_.deliver(false));
  }
  [[gnu::noinline]] void leaves(policy what) {
    is_open = false;
    self.model_.leave();
    self.say("}");
    if (what == policy::immediate || self.unwindings_ != 0) return;  // M4
    if (self.may_be_held_on_) self.look_anew();
    self.expect(self.model_.deliver(false));
  }

  program& self;
  bool is_open = true;
};

template <class... E>
void program::in_scope_of(std::size_t list, policy what) {
  const std::size_t depth = model_.depth();
  open_scope here(*this, rule_of(what), list);
  here.opens(what);
  if (what == policy::never) {
    const block_scope<E...> block;
    blocks_.push_back({depth, list, &block});
    const leaving after(*this, &program::leave_block);
    run_steps();
    here.leaves(what);
  } else {
    const mask_scope<E...> scope(what);
    returned();
    run_steps();
    here.leaves(what);
  }
}

void program::in_restored_scope() {  // M5
  if (blocks_.empty()) return;
  const open_block block = blocks_[next() % blocks_.size()];
  say("scope as before the block at " + std::to_string(block.depth) + " {");
  if (may_be_held_on_) look_anew();
  model_.open_restoring(block.depth);
  const leaving after(*this, &program::leave_scope);
  expect(model_.deliver(false));
  with_list(block.list, [&]<class... E>() {
    const unblock_scope<E...> restored(*static_cast<const block_scope<E...>*>(block.scope));
    returned();
    run_steps();
    say("}");
  });
}

void program::with_callback() {
  switch (next() % kinds) {
    case 0:
      return with_callback_for<apple>(kind::apple);
    case 1:
      return with_callback_for<red_apple>(kind::red_apple);
    case 2:
      return with_callback_for<pear>(kind::pear);
    default:
      return with_callback_for<terminated>(kind::termination);
  }
}

template <class E>
void program::with_callback_for(kind type) {
  const auto what = static_cast<reaction>(next() % (static_cast<std::size_t>(reaction::last) + 1));
  const std::size_t argument = next();
  say("callback for " + name_of(type) + " that " + reactions.at(static_cast<std::size_t>(what)) +
      " (" + std::to_string(argument) + ") {");
  model_.attach(type, what, argument);
  const leaving after(*this, &program::detach);
  const auto attached = attach<E>([this](const E& got) { react(got); });
  run_steps();
  say("}");
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
  if (now.what == reaction::send) send(now.type, now.number);
  if (now.what == reaction::fire) prepared_[static_cast<std::size_t>(now.type)].fire();
  if (now.what == reaction::withdraw) withdraw(now.number, now.is_withdrawn);
  ++reactions_;
  if (now.what == reaction::replace) throw pear(std::string("instead of ") + got.what());
}

// Waits until the catch clause is over, and so nothing of the library's own keeps the exception:
// then it is dropped, perhaps by the other thread, which has the last reference.
struct program::handled {
  explicit handled(program& whose) : self(whose) {}
  handled(const handled&) = delete;
  handled& operator=(const handled&) = delete;
  [[gnu::noinline]] ~handled() {
    if (kept != nullptr) self.other_.run([this] { kept = nullptr; });
    self.model_.drop(termination);
  }

  program& self;
  std::size_t termination = none;
  std::exception_ptr kept;
};

namespace {

template <class E>
struct catching {
  template <class Body, class Handler>
  [[gnu::noinline]] static void run(Body body, Handler handler) {
    try {
      body();
    } catch (const E&) {
      handler();
    }
  }
};
struct catching_all {
  template <class Body, class Handler>
  [[gnu::noinline]] static void run(Body body, Handler handler) {
    try {
      body();
    } catch (...) {
      handler();
    }
  }
};
struct throwing_on {
  template <class Body, class Handler>
  [[gnu::noinline]] static void run(Body body, Handler handler) {
    try {
      body();
    } catch (...) {
      handler();
      throw;
    }
  }
};

}  // namespace

void program::in_try_block() {
  const auto what = static_cast<taken>(next() % (static_cast<std::size_t>(taken::last) + 1));
  say(std::string("try, for ") + catches.at(static_cast<std::size_t>(what)) + " {");
  switch (what) {
    case taken::everything:
      return in_try_block_for<catching_all>(what);
    case taken::apples:
      return in_try_block_for<catching<apple>>(what);
    case taken::pears:
      return in_try_block_for<catching<pear>>(what);
    case taken::terminations:
      return in_try_block_for<catching<terminated>>(what);
    case taken::interruptions:
      return in_try_block_for<catching<interruption>>(what);
    case taken::groups:
      return in_try_block_for<catching<exception_group>>(what);
    case taken::nothing:
      return in_try_block_for<throwing_on>(what);
  }
}

template <class Try>
void program::in_try_block_for(taken what) {
  handled after(*this);
  Try::run(
      [&] {
        model_.enter_try(what);
        may_be_held_on_ = true;
        const leaving frame(*this, &program::leave_try);
        run_steps();
      },
      [&] { handle(after, what == taken::nothing); });
  say("}");
}

void program::handle(handled& after, bool throws_on) {
  const raise what = arrived(std::current_exception());
  say("} caught {");
  const std::size_t choice = next();
  after.termination = what.termination;
  if (what.termination != none && choice % 2 == 0) acknowledge_raised(what);
  if (choice % 4 == 1 && !throws_on) after.kept = std::current_exception();
  run_steps();
  if (!throws_on) return;
  after.termination = none;  // it is still on its way
  expect(what);
}

void program::in_noexcept() {
  say("noexcept {");
  in_noexcept_frame();
  may_be_held_on_ = true;
  say("}");
}

void program::in_noexcept_frame() noexcept {
  model_.enter_noexcept();
  const leaving frame(*this, &program::leave_try);
  run_steps();
}

// R2: with an exception on its way, or without.
struct program::destructor {
  explicit destructor(program& whose) : self(whose) {}
  destructor(const destructor&) = delete;
  destructor& operator=(const destructor&) = delete;
  [[gnu::noinline]] ~destructor() { self.run_destructor(uncaught != std::uncaught_exceptions()); }

  program& self;
  const int uncaught = std::uncaught_exceptions();
};

void program::in_destructor() {
  say("object {");
  const destructor object(*this);
  run_steps();
}

void program::run_destructor(bool is_unwinding) {
  say(is_unwinding ? "} destroyed by an exception {" : "} destroyed {");
  const raise on_its_way = std::exchange(expected_, {});
  unwindings_ += is_unwinding ? 1 : 0;
  model_.enter_noexcept();
  run_steps();
  model_.leave_frame();
  unwindings_ -= is_unwinding ? 1 : 0;
  expected_ = on_its_way;
  may_be_held_on_ = true;
  say("}");
}

}  // namespace sigexc::test::fuzz
