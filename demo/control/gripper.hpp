// The gripper: springs close it, a drive opens it, and the drive has power only within an
// `opening`.
//
// So every way out of an opening, an exception included, closes the fingers: a part that was
// between them is held, and it stays held without power.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "world/cell.hpp"
#include "world/clock.hpp"

namespace workcell::control {

struct interval {
  sim_time begin;
  sim_time end;
};

class gripper {
 public:
  gripper(world::cell& cell, const lockstep_clock& clock) : cell_(cell), clock_(clock) {}

  [[nodiscard]] bool is_open() const { return cell_.finger_travel() > 0.040; }
  [[nodiscard]] bool is_opening() const { return opening_since_.has_value(); }
  [[nodiscard]] bool holds(std::string_view part) const { return cell_.holds(part); }
  /// When openings were asked for, to be compared with when the drive had power.
  [[nodiscard]] const std::vector<interval>& openings() const { return openings_; }

 private:
  friend class opening;
  world::cell& cell_;
  const lockstep_clock& clock_;
  std::optional<sim_time> opening_since_;
  std::vector<interval> openings_;
};

/// While it lives, the drive pulls the fingers apart. Destroyed: the springs close them.
class opening {
 public:
  explicit opening(gripper& opened) : gripper_(opened) {
    gripper_.opening_since_ = gripper_.clock_.now();
    gripper_.cell_.power_gripper_drive(true);
  }
  ~opening() {
    gripper_.cell_.power_gripper_drive(false);
    gripper_.openings_.push_back({*gripper_.opening_since_, gripper_.clock_.now()});
    gripper_.opening_since_.reset();
  }
  opening(const opening&) = delete;
  opening& operator=(const opening&) = delete;

 private:
  gripper& gripper_;
};

}  // namespace workcell::control
