// Paths by OMPL: RRTConnect searches, PathSimplifier shortens and smooths.
//
// Both are pure computation inside a foreign library that knows nothing of interrupts and is not
// changed. They become interruptible by the two callbacks that they have anyway: the validity check
// and the termination condition are safe points, and the exception leaves through OMPL's frames.
// The simplifier has no other way out: it asks its termination condition only between its passes.
//
// What must not be used so: OMPL's planners with threads of their own (PRM, SPARS, CForest, pRRT)
// and its periodic termination condition. They would call back on a thread that is no target.
//
// OMPL keeps a few allocations of a search in raw pointers; an exception through it leaks some
// hundred bytes (lsan.supp names the functions). Its planner objects, which own the trees, are
// freed.
#pragma once

#include <cstdint>
#include <functional>
#include <stdexcept>

#include "plan/collision.hpp"
#include "plan/trajectory.hpp"

namespace workcell::plan {

class no_path : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// What the owner of the planner hears while it works. Both may throw.
struct progress {
  std::function<void()> checked;      // after every validity check: computing takes time
  std::function<void()> simplifying;  // the search has succeeded, the path is being simplified
};

class planner {
 public:
  /// Seeds OMPL, which must happen before its first random number: one planner a process.
  planner(const world::cell& cell, std::uint64_t seed);

  /// A path from `from` to `to`, or throws no_path.
  /// Safe point: always, at every validity check and termination check.
  [[nodiscard]] std::vector<joints> plan(const joints& from, const joints& to,
                                         const progress& told);

  /// A path no longer than `at_most` (radians, in joint space), by RRT*. It is sought until there
  /// is one, for ever if there is none: whoever calls this sets a deadline. Not simplified. Safe
  /// point: as `plan`. Throws: no_path if one of the ends collides.
  [[nodiscard]] std::vector<joints> plan_short(const joints& from, const joints& to, double at_most,
                                               const progress& told);

  [[nodiscard]] collision_checker& known_world() { return checker_; }

 private:
  struct problem;

  collision_checker checker_;
};

}  // namespace workcell::plan
