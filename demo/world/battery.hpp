// The battery that the cell runs on, and the dock that charges it.
//
// Just enough of one: its charge falls slowly, or at once when somebody else draws from it, and
// rises while the arm stands at the dock. Written in the physics step, read by whoever has the
// turn.
#pragma once

#include <algorithm>

#include "world/units.hpp"

namespace workcell::world {

/// Where the tool is when the arm is parked.
inline constexpr vec3 dock{0.42, -0.20, 1.22};

class battery {
 public:
  explicit battery(double charge) : charge_(charge) {}

  /// One tick.
  void step(bool is_docked) {
    const double rate = is_docked ? charging : -draining;
    charge_ = std::clamp(charge_ + rate * in_seconds(one_tick), 0.0, 1.0);
  }
  void drain_to(double charge) { charge_ = std::min(charge_, charge); }

  [[nodiscard]] double charge() const { return charge_; }  // the share that is left
  [[nodiscard]] bool is_low() const { return charge_ < low; }
  [[nodiscard]] bool is_charged() const { return charge_ > enough; }

 private:
  static constexpr double charging = 0.10;   // 1/s
  static constexpr double draining = 0.001;  // 1/s
  static constexpr double low = 0.15;
  static constexpr double enough = 0.20;

  double charge_;
};

}  // namespace workcell::world
