// Operations that sleep, while the other thread acts: it sends, withdraws, fires, and at the end
// does what the operation waits for, each time when it has seen the first thread asleep. So the
// model knows all of it beforehand, but for one case, in which both outcomes are right: an
// interrupt is sent and the operation completed at once. Then it is O1 and O3 that decide what has
// to be left.
#include "fuzz/kinds.hpp"
#include "fuzz/program.hpp"
#include "support/order.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <chrono>
#include <utility>

namespace sigexc::test::fuzz {

namespace {

using namespace std::chrono_literals;
constexpr std::array operations{"acquire", "try_acquire_for", "read", "wait for a change"};

// Longer than anything takes; then the program has failed.
constexpr auto far = 20s;
template <class Condition>
bool await_long(Condition condition) {
  const auto limit = std::chrono::steady_clock::now() + far;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > limit) return false;
    std::this_thread::yield();
  }
  return true;
}

}  // namespace

struct program::wait {
  wait(program& whose, std::size_t which) : self(whose), operation(which % operations.size()) {}
  wait(const wait&) = delete;
  wait& operator=(const wait&) = delete;
  [[gnu::noinline]] ~wait() {
    is_over = true;
    if (is_played) self.other_.finish();
    const bool is_raised = !has_returned;
    if (is_racing && is_raised) self.expect(self.model_.deliver(true));
    if (take_left() != (is_racing && is_raised)) {
      self.differs(is_raised ? "interrupted, it has had an effect" : "it has had an effect twice");
    }
  }

  // What the operation waits for.
  void complete() {
    const char byte = 0;
    switch (operation) {
      case 0:
      case 1:
        return self.units_.release();
      case 2:
        if (::write(self.pipe_[1], &byte, 1) != 1) std::abort();
        return;
      default: {
        const std::lock_guard lock(self.mutex_);
        self.is_changed_ = true;
        return self.changed_.notify_one();
      }
    }
  }
  // Interruptible. False: it has failed.
  bool operate() {
    char byte = 1;
    switch (operation) {
      case 0:
        self.units_.acquire();
        return true;
      case 1:
        return self.units_.try_acquire_for(24h);
      case 2:
        return posix::read(self.pipe_[0], &byte, 1) == 1 && byte == 0;
      default: {
        const std::unique_lock lock(self.mutex_);
        while (!self.is_changed_) self.changed_.wait(self.mutex_);
        self.is_changed_ = false;
        return true;
      }
    }
  }
  // Whether something may be done after what is planned.
  [[nodiscard]] bool has_more() const { return is_completed && !is_racing && !comes_first; }
  // Whether there is what it would have taken.
  bool take_left() {
    char byte = 0;
    int count = 0;
    if (operation < 2) return self.units_.try_acquire();
    if (operation == 3) {  // O5: nobody has the lock any more
      const std::unique_lock lock(self.mutex_, std::try_to_lock);
      return !lock.owns_lock() || std::exchange(self.is_changed_, false);
    }
    if (::ioctl(self.pipe_[0], FIONREAD, &count) != 0) std::abort();
    return count != 0 && ::read(self.pipe_[0], &byte, 1) == 1;
  }

  struct action {
    std::function<void()> what;
    std::size_t reactions;  // of callbacks, when it has been dealt with
  };

  program& self;
  const std::size_t operation;
  std::vector<action> actions;
  bool is_completed = true;  // by the other thread
  bool is_racing = false;    // with the last of them
  bool comes_first = false;  // before the last of them
  bool is_played = false;
  bool has_returned = false;
  std::atomic<bool> is_over{false};
  witness where;
};

void program::wait_step() {
  wait here(*this, next());
  say(std::string("operation that sleeps: ") + operations.at(here.operation) + " {");
  plan(here);
  sleep_in(here);
}

// A frame of its own, with nothing in it but the operation.
void program::sleep_in(wait& what) {
  what.where.here();
  const bool is_good = what.operate();
  what.has_returned = true;
  what.is_over = true;
  if (!is_good) differs("the operation failed");
  if (what.is_played) other_.finish();
  what.is_played = false;
  say("}");
  returned();
}

void program::plan(wait& what) {
  const bool always_waits = what.operation == 3;  // M6
  expect(model_.deliver(always_waits));
  if (expected_.words == "nothing") expect(model_.deliver(true));
  what.is_completed = expected_.words == "nothing";
  what.actions.push_back({[] {}, reactions_ + model_.effects.size()});
  for (std::size_t left = next() % 4; left > 0 && what.has_more(); --left) add_action(what);
  what.is_played = true;
  other_.begin([this, &what] { play_other(what); });
}

void program::add_action(wait& what) {
  const std::size_t choice = next();
  const auto add = [&](std::function<void()> act) {
    const bool is_over = what.is_racing || what.comes_first;
    if (!is_over) expect(model_.deliver(true));
    what.is_completed = is_over || expected_.words == "nothing";
    what.actions.push_back({std::move(act), reactions_ + model_.effects.size()});
  };
  if (choice % 8 == 0 && model_.count() != 0) {
    const std::size_t which = next() % model_.count();
    say("  withdraw " + std::to_string(which));
    const bool is_expected = model_.withdraw(which);
    return add([=, this] { withdraw(which, is_expected); });
  }
  if (choice % 8 == 1) {
    const std::size_t type = next() % fruits;
    say("  fire " + name_of(static_cast<kind>(type)));
    model_.fire(static_cast<kind>(type));
    return add([=, this] { prepared_[type].fire(); });
  }
  const auto type = static_cast<kind>(next() % kinds);
  const std::size_t number = model_.send(type);
  what.is_racing = choice % 8 < 4 && !model_.has_callback(type);
  what.comes_first = choice % 8 == 4;
  say("  send " + std::to_string(number) + ", " + name_of(type) +
      (what.is_racing     ? ", and complete"
       : what.comes_first ? ", when it has been completed"
                          : ""));
  if (receipts_.size() <= number) receipts_.resize(number + 1);
  return add([=, this] { send(type, number); });
}

// On the other thread. What ends the sleep is the last thing that it does.
void program::play_other(wait& what) {
  const pid_t sleeper = what.where.tid();
  bool is_late = false;
  for (std::size_t i = 0; i < what.actions.size(); ++i) {
    const bool is_last = i + 1 == what.actions.size();
    if (is_last && what.comes_first) what.complete();
    what.actions[i].what();
    if (is_last && what.comes_first) return;
    if (is_last && what.is_racing) break;
    if (is_last && !what.is_completed) {
      is_late = !await_long([&] { return what.is_over.load(); });
      break;
    }
    // Callbacks first: the thread may have been asleep in the midst of them.
    is_late = is_late || !await_long([&] { return reactions_ >= what.actions[i].reactions; });
    is_late = is_late || !await_long([&] { return kernel_state(sleeper) == 'S'; });
  }
  if (is_late) {
    const std::lock_guard lock(receipts_lock_);
    wrong_ = "it slept on";
  }
  if (is_late || what.is_completed) what.complete();
}

}  // namespace sigexc::test::fuzz
