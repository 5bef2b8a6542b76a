// The simulated clock: physics and the threads around it in lock-step.
//
// Each thread that lives in simulated time has a seat. A seat is either at work or waits for a
// tick. Physics advances one tick, then gives the turn to every seat that is due, one after the
// other in the order in which the seats were made, and goes on only when each has come back to wait
// (or has left). So threads are real threads, yet whatever they share is touched by one at a time,
// handed on by a mutex, and a run depends on nothing but its seed.
//
// Waiting for the clock is an ordinary blocking wait, no interruptible operation: it always ends
// within a few ticks because physics runs. Who waits adds a safe point behind it, as controllers
// poll between two cycles.
//
// A wait for something else, as a read in the kernel, is made outside: the seat goes out and
// physics goes on without it. Whoever ends that wait, in a turn of their own, summons the seat;
// physics then waits for it. So what comes from outside has its place in the order of turns too.
//
// Rejected: free-running threads that sleep. The interleaving of a sensor's interrupt with the
// mission's safe point would then differ from run to run, and no failure could be played again.
#pragma once

#include <condition_variable>
#include <functional>
#include <list>
#include <mutex>
#include <stdexcept>

#include "world/units.hpp"

namespace workcell {

/// Thrown out of a seat's wait when physics has ended under it.
class clock_stopped : public std::runtime_error {
 public:
  clock_stopped();
};

class lockstep_clock {
 public:
  class seat;

  lockstep_clock() = default;
  lockstep_clock(const lockstep_clock&) = delete;
  lockstep_clock& operator=(const lockstep_clock&) = delete;

  /// Makes a place at the clock, first due at the next tick. All seats are made before `run`.
  [[nodiscard]] seat& add_seat();

  /// Plays `step` once a tick until every seat has left. Runs on the physics thread.
  /// Safe point: never. Throws: what `step` throws; every seat's wait then throws clock_stopped.
  void run(const std::function<void()>& step);

  /// The current tick. To be asked by whoever has the turn.
  [[nodiscard]] sim_time now() const { return now_; }

 private:
  void give_turn_to_all_due(std::unique_lock<std::mutex>& lock);
  [[nodiscard]] bool has_open_seats() const;

  std::mutex mutex_;  // hands everything below, and all simulated state, from turn to turn
  std::condition_variable turn_returned_;
  std::list<seat> seats_;  // a list: seats stay where they are
  seat* turn_ = nullptr;
  sim_time now_{0};
  bool stopped_ = false;
};

class lockstep_clock::seat {
 public:
  explicit seat(lockstep_clock& clock) : clock_(clock) {}
  seat(const seat&) = delete;
  seat& operator=(const seat&) = delete;

  /// Sits down: takes the first turn on construction, leaves for good on destruction.
  class occupant {
   public:
    explicit occupant(seat& place) : place_(place) { place_.wait_for_turn(); }
    ~occupant() { place_.leave(); }
    occupant(const occupant&) = delete;
    occupant& operator=(const occupant&) = delete;

   private:
    seat& place_;
  };

  /// Gives the turn away and has it again `duration` later. Safe point: never.
  void wait(sim_time duration = one_tick);
  [[nodiscard]] sim_time now() const { return clock_.now(); }

  /// Gives the turn away until somebody summons this seat.
  void go_out();
  /// Has the turn again; at once, if it was not given away. Safe point: never.
  void come_back() { wait_for_turn(); }
  /// Makes a seat that is out due now, or at the next tick if its place in this one has passed. To
  /// be called by whoever has the turn and has ended what the seat waits for outside.
  void summon();

 private:
  friend class lockstep_clock;
  void give_turn_away_until(sim_time due);
  void wait_for_turn();
  void leave() noexcept;

  lockstep_clock& clock_;
  std::condition_variable my_turn_;
  sim_time due_{0};
  bool open_ = true;
};

}  // namespace workcell
