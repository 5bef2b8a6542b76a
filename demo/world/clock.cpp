// The turn is a single pointer under one mutex: null means that physics has it.
#include "world/clock.hpp"

#include <algorithm>

namespace workcell {

clock_stopped::clock_stopped() : std::runtime_error("the simulated clock has stopped") {}

lockstep_clock::seat& lockstep_clock::add_seat() { return seats_.emplace_back(*this); }

void lockstep_clock::run(const std::function<void()>& step) {
  // Whatever ends this loop, nobody may be left waiting for a turn that never comes.
  struct stopper {
    lockstep_clock& clock;
    ~stopper() {
      const std::lock_guard lock(clock.mutex_);
      clock.stopped_ = true;
      for (seat& each : clock.seats_) each.my_turn_.notify_all();
    }
  } on_leaving{*this};

  for (;;) {
    {
      std::unique_lock lock(mutex_);
      give_turn_to_all_due(lock);
      if (!has_open_seats()) return;
    }
    step();  // unlocked: every seat waits, so nobody else touches the world
    const std::lock_guard lock(mutex_);
    now_ += one_tick;
  }
}

void lockstep_clock::give_turn_to_all_due(std::unique_lock<std::mutex>& lock) {
  for (seat& each : seats_) {
    if (!each.open_ || each.due_ > now_) continue;
    turn_ = &each;
    each.my_turn_.notify_one();
    turn_returned_.wait(lock, [this] { return turn_ == nullptr; });
  }
}

bool lockstep_clock::has_open_seats() const {
  return std::any_of(seats_.begin(), seats_.end(), [](const seat& each) { return each.open_; });
}

void lockstep_clock::seat::wait(sim_time duration) {
  give_turn_away_until(now() + duration);
  wait_for_turn();
}

void lockstep_clock::seat::go_out() { give_turn_away_until(sim_time::max()); }

void lockstep_clock::seat::summon() {
  const std::lock_guard lock(clock_.mutex_);
  due_ = std::min(due_, clock_.now_);
}

void lockstep_clock::seat::give_turn_away_until(sim_time due) {
  const std::lock_guard lock(clock_.mutex_);
  due_ = due;
  clock_.turn_ = nullptr;
  clock_.turn_returned_.notify_one();
}

void lockstep_clock::seat::wait_for_turn() {
  std::unique_lock lock(clock_.mutex_);
  my_turn_.wait(lock, [this] { return clock_.turn_ == this || clock_.stopped_; });
  if (clock_.stopped_) throw clock_stopped();
}

void lockstep_clock::seat::leave() noexcept {
  const std::lock_guard lock(clock_.mutex_);
  open_ = false;
  if (clock_.turn_ != this) return;
  clock_.turn_ = nullptr;
  clock_.turn_returned_.notify_one();
}

}  // namespace workcell
