// Playing a program: its steps that have no inside, and the comparison.
#include "fuzz/program.hpp"

#include "fuzz/kinds.hpp"
#include "support/interrupts.hpp"

#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <utility>

namespace sigexc::test::fuzz {

program::program(std::span<const std::uint8_t> bytes) : bytes_(bytes) {
  if (::pipe(pipe_.data()) != 0) std::abort();
}

program::~program() {
  ::close(pipe_[0]);
  ::close(pipe_[1]);
}

std::string program::play() {
  {
    const enrollment here("program");
    self_ = here.get_target();
    for (std::size_t type = 0; type < fruits; ++type)
      with_fruit(static_cast<kind>(type), "prepared " + std::to_string(type),
                 [&](auto exception) { prepared_.emplace_back(*self_, std::move(exception)); });
    const bool is_emptied = next() % 4 != 0;
    do {  // and at the end a safe point, to which comes what is left
      raise last;
      bool has_raised = false;
      try {
        run_steps();
        if (is_emptied || !bytes_.empty()) safe_point_step();
      } catch (...) {
        has_raised = true;
        last = arrived(std::current_exception());
        if (last.termination != none && (bytes_.empty() || next() % 2 == 0)) {
          acknowledge_raised(last);
        }
      }
      if (has_raised) model_.drop(last.termination);
      if (!is_over_) compare_books();
    } while (!is_over_ && (!bytes_.empty() || (is_emptied && model_.pending() != 0)));
  }
  if (!is_over_) end();
  return is_over_ ? said_ : std::string();
}

// S6, S8: of what was pending, and of what comes too late.
void program::end() {
  say("end");
  model_.end();
  for (const kind type : {kind::pear, kind::termination}) {
    const std::size_t number = model_.send(type);
    send(type, number);
    model_.end();
  }
  for (std::size_t i = 0; i < receipts_.size(); ++i)
    if (receipts_[i] && fate_of(receipts_[i]->state()) != model_.of(i))
      differs("the receipt of " + std::to_string(i) + " says otherwise");
  if (self_->pending() != 0) differs("something is pending for a target that has ended");
}

void program::differs(const std::string& how) {
  if (is_over_) return;
  say(how);
  is_over_ = true;
  bytes_ = {};  // so each loop ends
}

void program::returned() {
  if (is_over_) return;
  if (wrong_.empty() && !model_.effects.empty())
    wrong_ = "no callback got " + model_.effects.front().on;
  if (!wrong_.empty()) differs(wrong_);
  if (expected_.words != "nothing") differs("raised: nothing; expected: " + expected_.words);
  if (!is_over_) compare_books();
}

raise program::arrived(const std::exception_ptr& exception) {
  if (is_over_) return {};
  raise expected = std::exchange(expected_, {});
  const std::string got = words(exception);
  if (got != expected.words)
    differs("raised: " + got + "; expected: " + expected.words +
            (wrong_.empty() ? "" : "; " + wrong_));
  say("raised: " + got);
  returned();
  return expected;
}

void program::compare_books() {
  for (std::size_t i = 0; i < receipts_.size(); ++i)
    if (receipts_[i] && fate_of(receipts_[i]->state()) != model_.of(i))
      differs("the receipt of " + std::to_string(i) + " says otherwise");
  if (self_->pending() != model_.pending())
    differs("pending: " + std::to_string(self_->pending()) +
            ", expected: " + std::to_string(model_.pending()));
  if (interrupt_pending() != (model_.pending() != 0)) differs("interrupt_pending() says otherwise");
}

void program::run_steps() {
  ++nesting_;
  const leaving inside(*this, &program::unnest);
  while (!bytes_.empty() && bytes_.front() % 40 >= 7) run_step();
  static_cast<void>(next());
}

void program::run_step() {
  switch (next() % 40) {
    case 7:
    case 8:
    case 9:
    case 10:
    case 11:
      return send_step(static_cast<kind>(next() % fruits));
    case 12:
    case 13:
      return send_step(kind::termination);
    case 14:
    case 15:
      return withdraw_step();
    case 16:
      return fire_step();
    case 17:
    case 18:
    case 19:
    case 20:
      return safe_point_step();
    case 21:
      return complete_step();
    case 22:
      return time_out_step();
    case 23:
    case 24:
      return wait_step();
    case 25:
    case 26:
    case 27:
    case 28:
      return in_scope();
    case 29:
      return in_restored_scope();
    case 30:
    case 31:
    case 32:
      return with_callback();
    case 33:
    case 34:
    case 35:
      return in_try_block();
    case 36:
    case 37:
      return in_noexcept();
    case 38:
    case 39:
      return in_destructor();
    default:
      return;
  }
}

std::string program::someone() { return bytes_.size() % 4 == 0 ? " (by the other thread)" : ""; }

void program::by_someone(std::function<void()> what) {
  if (bytes_.size() % 4 == 0)
    other_.run(std::move(what));
  else
    what();
}

void program::send_step(kind type) {
  const std::size_t number = model_.send(type);
  say("send " + std::to_string(number) + ", " + name_of(type) + someone());
  by_someone([&] { send(type, number); });
  compare_books();
}

void program::send(kind type, std::size_t number) {
  const std::lock_guard lock(receipts_lock_);
  if (receipts_.size() <= number) receipts_.resize(number + 1);
  if (type == kind::termination)
    receipts_[number] = self_->terminate();
  else
    receipts_[number] = with_fruit(type, std::to_string(number), [this](auto exception) {
      return self_->interrupt(std::move(exception));
    });
}

void program::withdraw_step() {
  if (model_.count() == 0) return;
  const std::size_t which = next() % model_.count();
  say("withdraw " + std::to_string(which) + someone());
  by_someone([&] { withdraw(which, model_.withdraw(which)); });
  if (!wrong_.empty()) differs(wrong_);
  compare_books();
}

void program::withdraw(std::size_t number, bool is_expected) {
  const std::lock_guard lock(receipts_lock_);
  if (number < receipts_.size() && receipts_[number] &&
      receipts_[number]->withdraw() != is_expected)
    wrong_ = "withdraw() of " + std::to_string(number) + " says otherwise";
}

void program::fire_step() {
  const std::size_t type = next() % fruits;
  say("fire " + name_of(static_cast<kind>(type)) + someone());
  model_.fire(static_cast<kind>(type));
  by_someone([&] { prepared_[type].fire(); });
  compare_books();
}

// R4: where something was held and a try block has been entered since, it may be held on for as
// many safe points as there are frames; but not where something has arrived.
void program::safe_point_step() {
  say("safe point");
  if (may_be_held_on_ && bytes_.size() % 2 == 0) look_anew();
  expect(model_.deliver(false));
  const bool is_any = expected_.words != "nothing" || !model_.effects.empty();
  int tries = may_be_held_on_ && is_any ? 2'000 : 1;
  do safe_point();
  while (--tries > 0 && (expected_.words != "nothing" || !model_.effects.empty()));
  returned();
}

void program::look_anew() {
  const receipt older = self_->interrupt(apple(""));
  const receipt newer = self_->interrupt(apple(""));
  older.withdraw();  // it stays in the mailbox, since it is not the newest
  newer.withdraw();
  may_be_held_on_ = false;
}

// O1, M6
void program::complete_step() {
  say("operation that need not wait");
  units_.release();
  expect(model_.deliver(false));
  {
    const leaving after(*this, &program::check_units);
    units_.acquire();
  }
  returned();
}

void program::check_units() {
  const bool is_left = expected_.words != "nothing";
  if (units_.try_acquire() != is_left) differs(is_left ? "its unit is gone" : "its unit is there");
}

void program::time_out_step() {
  say("operation that waits for a nanosecond");
  expect(model_.deliver(false));
  if (expected_.words == "nothing") expect(model_.deliver(true));
  if (units_.try_acquire_for(std::chrono::nanoseconds(1))) differs("it got a unit from nowhere");
  returned();
}

}  // namespace sigexc::test::fuzz
