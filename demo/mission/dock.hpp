// The dock's computer: a thread that runs on the search that somebody else has begun.
//
// The search is a sigexc::resumable: its stack, with OMPL's frames on it, moves from one thread to
// another between two checks, and neither OMPL nor the planner knows.
#pragma once

#include <sigexc/resumable.hpp>

#include <vector>

#include "world/clock.hpp"

namespace workcell::mission {

using pausable_search = sigexc::resumable<std::vector<joints>>;

class dock_computer {
 public:
  explicit dock_computer(lockstep_clock::seat& seat) : seat_(seat) {}

  /// Its thread: runs what it gets, until it is terminated; a search that it has then is paused.
  void work();

  /// Runs `what` from the next tick on, until it ends or pauses.
  void take(pausable_search& what) { job_ = &what; }
  [[nodiscard]] bool is_busy() const { return job_ != nullptr; }
  /// Where the search has to wait for its ticks while it runs here.
  [[nodiscard]] lockstep_clock::seat& seat() const { return seat_; }

 private:
  lockstep_clock::seat& seat_;
  pausable_search* job_ = nullptr;  // set in a turn of the mission, cleared in one of this thread
};

}  // namespace workcell::mission
