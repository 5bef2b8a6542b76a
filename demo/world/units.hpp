// The words that every room of the demo shares: places, joint vectors, and simulated time.
//
// Simulated time counts physics ticks of one millisecond; it is an integer so that two runs of one
// seed compare equal, event by event.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>

namespace workcell {

using sim_time = std::chrono::milliseconds;
using wall_clock = std::chrono::steady_clock;

inline constexpr std::size_t joint_count = 6;
using joints = std::array<double, joint_count>;  // radians, from the pedestal outward
using vec3 = std::array<double, 3>;  // metres; x forward from the arm, z up from the floor

inline constexpr sim_time one_tick{1};

/// Seconds, for arithmetic and for text.
[[nodiscard]] constexpr double in_seconds(sim_time time) {
  return std::chrono::duration<double>(time).count();
}

}  // namespace workcell
