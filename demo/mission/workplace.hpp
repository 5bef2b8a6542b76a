// What the threads of a run share. They take turns at the clock, so none of it needs a lock.
#pragma once

#include <sigexc/target.hpp>

#include <deque>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "control/arm.hpp"
#include "control/gripper.hpp"
#include "mission/journal.hpp"
#include "mission/ledger.hpp"
#include "mission/search_account.hpp"
#include "world/battery.hpp"
#include "world/cell.hpp"
#include "world/clock.hpp"

namespace workcell::mission {

/// What the sensors have last seen.
struct readings {
  double person_distance = std::numeric_limits<double>::infinity();
  event low_battery;  // sent last
};

class dock_computer;

struct workplace {
  world::cell& cell;
  control::arm& arm;
  control::gripper& gripper;
  journal& log;
  ledger& books;
  readings seen;
  std::vector<std::string> raised_in_block;  // actions that an interrupt got into: must stay empty
  bool mission_is_over = false;
  bool order_is_worked_off = false;
  std::string unplugged{};  // the sensor whose cable is cut; empty: none is
  // Where the cell runs on a battery:
  std::optional<world::battery> battery{};
  dock_computer* dock = nullptr;
  std::optional<sigexc::target> search{};  // that is on, and can be paused
  std::deque<search_account> searches{};   // a deque: they stay where they are
};

/// A person nearer than this stops the arm; further than that lets it go on.
inline constexpr double warning_distance = 1.20;
inline constexpr double clear_distance = 1.35;
/// Within this the arm must stand: what the warning distance leaves for reaction and braking.
inline constexpr double protective_distance = 0.80;

}  // namespace workcell::mission
