// What must hold in every run, whatever happened in it.
//
//   parts         each part is in one place, none is lost
//   gripper       its drive never had power outside an opening
//   blocks        no interrupt was raised inside a block
//   interrupts    each was raised or handled, and answered, exactly once; or is reported
//                 undelivered
//   bus           what was written was read or is still in the pipe, byte for byte; and each
//   complete
//                 message that was read became one interrupt
//   distance      the arm never moved within the protective distance of a person
//   collisions    the arm touched nothing but the parts that it grips
//   searches      one that was paused went on in the same solve(), on another thread, and counted
//                 on; nothing of it ran while it was paused; and before it went on, the arm was
//                 parked at the dock
//   scenario      the run showed what its scenario is for, and ended as it must
//
// Of a run that was interrupted, it cannot be asked what it was for, nor where each part must be.
//
// Pure functions of a history: the tests feed them bad ones.
#pragma once

#include <string>
#include <vector>

#include "scenarios/history.hpp"
#include "scenarios/scenario.hpp"

namespace workcell::scenarios {

struct violation {
  std::string which;
  sim_time when{};
  std::string where;
  std::string what;
};

/// The invariants that can already be violated while the run is on: it ends with the first.
[[nodiscard]] std::vector<violation> check_so_far(const history& so_far);

/// All of them, at the end.
[[nodiscard]] std::vector<violation> check(const history& whole, const scenario& played);

/// The interrupts that were never delivered: no violation, but reported.
[[nodiscard]] std::vector<std::string> undelivered(const history& whole);

}  // namespace workcell::scenarios
