// A path made drivable: joint positions over time, smooth in speed, within limits.
//
// The path is resampled densely, a speed limit is computed for each sample (joint speed, and the
// acceleration that its curvature costs), and a forward and a backward pass bound how fast the
// speed itself may change. Playback may stretch time (a protective stop is a stretch to
// standstill): the arm never leaves the path that was checked for collisions.
#pragma once

#include <vector>

#include "world/units.hpp"

namespace workcell::plan {

struct limits {
  double speed;         // of the fastest joint, rad/s
  double acceleration;  // rad/s²
};

inline constexpr limits transfer_limits{2.0, 4.0};
inline constexpr limits precise_limits{0.45,
                                       0.8};  // lowering and lifting: a jerk would cost the part

class trajectory {
 public:
  /// Times the polyline `path` (at least one position).
  trajectory(const std::vector<joints>& path, const limits& within);

  struct sample {
    joints position;
    joints velocity;
  };
  /// The state `time` seconds after the start, clamped to both ends.
  [[nodiscard]] sample at(double time) const;
  [[nodiscard]] double duration() const { return times_.back(); }

 private:
  std::vector<joints> points_;
  std::vector<double> times_;
};

/// The largest difference of any joint.
[[nodiscard]] double joint_distance(const joints& a, const joints& b);

}  // namespace workcell::plan
