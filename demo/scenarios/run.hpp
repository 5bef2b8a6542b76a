// One run of one scenario: sets up the cell and its threads, and brings back the history.
#pragma once

#include <filesystem>
#include <functional>

#include "scenarios/history.hpp"
#include "scenarios/invariants.hpp"
#include "scenarios/scenario.hpp"

namespace workcell::scenarios {

struct run_options {
  std::filesystem::path scene;
  bool realtime = false;
  /// Told ten times in a simulated second where the mission is.
  std::function<void(sim_time, const std::string& phase)> progress;
};

struct run_result {
  history what_happened;
  std::vector<violation> violations;
  world::model_ptr model;  // with `picture`, the cell as it was at the most telling moment
  world::data_ptr picture;
  std::chrono::duration<double> wall_time{};
};

/// Plays `played`. Call it once a process: OMPL takes its seed but once.
///
/// The calling thread is a target. A `keyboard_interrupt` ends the run early, with the robot safe
/// and the history complete; here it is let in, whatever the caller's scopes.
[[nodiscard]] run_result play(const scenario& played, const run_options& options);

}  // namespace workcell::scenarios
