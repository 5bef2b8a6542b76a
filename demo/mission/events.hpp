// What may happen to a mission, and to the bus. These are the interrupts: plain data, thrown as
// they are.
//
// None is a std::exception: they report no error of the code that they interrupt, and a
// `catch (const std::exception&)` on their way shall not take them for one.
#pragma once

#include <sigexc/exceptions.hpp>

#include <string>
#include <string_view>
#include <vector>

#include "world/cell.hpp"

namespace workcell::mission {

/// Each event carries the number under which the ledger has it.
struct event {
  int number = -1;
};

struct obstacle_appeared : event {
  static constexpr std::string_view name = "obstacle_appeared";
  world::obstacle what;
};

struct person_entered : event {
  static constexpr std::string_view name = "person_entered";
  double distance = 0;  // metres between the person and the arm
  vec3 place{};
};

struct order_changed : event {
  static constexpr std::string_view name = "order_changed";
  std::vector<std::string> order;  // what is wanted now, delivered parts included or not
};

struct emergency_stop : event {
  static constexpr std::string_view name = "emergency_stop";
  std::string pressed_by;
};

struct slip : event {
  static constexpr std::string_view name = "slip";
  double creep = 0;  // metres that the part has moved between the fingers
};

struct overheated : event {
  static constexpr std::string_view name = "overheated";
  double temperature = 0;  // of the drives, degrees Celsius
};

/// For a search, not for the mission: pauses it, and raises nothing.
struct battery_low : event, sigexc::pause_request {
  static constexpr std::string_view name = "battery_low";
  explicit battery_low(double left) : charge(left) {}
  double charge;  // the share that is left
};

/// For the bus: the operator switches it off.
struct quit : event {
  static constexpr std::string_view name = "quit";
};

}  // namespace workcell::mission
