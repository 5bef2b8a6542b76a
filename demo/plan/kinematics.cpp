// A planar two-link triangle (shoulder, elbow, wrist) in the vertical plane that joint 1 turns.
#include "plan/kinematics.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace workcell::plan {
namespace {

constexpr double shoulder_height = 0.80 + 0.15 + 0.15;
constexpr double upper_arm = 0.40;
constexpr double forearm = 0.40;
constexpr double wrist_to_tool = 0.07 + 0.15;
constexpr double pi = std::numbers::pi;

/// The turn nearest to zero that brings the two-fold symmetric gripper to `angle`.
double wrap_half_turn(double angle) { return angle - pi * std::round(angle / pi); }

bool within_limits(const joints& position) {
  for (std::size_t i = 0; i < joint_count; ++i) {
    if (position[i] < lower_limit[i] || position[i] > upper_limit[i]) return false;
  }
  return true;
}

}  // namespace

const joints lower_limit{-2.6, -1.2, -0.2, -2.6, -2.4, -3.1};
const joints upper_limit{2.6, 1.9, 2.8, 2.6, 2.4, 3.1};

std::optional<joints> reach(const tool_pose& pose) {
  const auto [x, y, z] = pose.place;
  const double out = std::hypot(x, y);
  const double up = z + wrist_to_tool - shoulder_height;
  const double distance = std::hypot(out, up);
  if (distance >= upper_arm + forearm || distance < 0.1) return std::nullopt;

  const double elbow_cosine =
      (distance * distance - upper_arm * upper_arm - forearm * forearm) / (2 * upper_arm * forearm);
  const double elbow = std::acos(std::clamp(elbow_cosine, -1.0, 1.0));
  const double lean = std::atan2(out, up) -
                      std::atan2(forearm * std::sin(elbow), upper_arm + forearm * std::cos(elbow));
  const double pan = std::atan2(y, x);
  const joints answer{pan, lean, elbow, 0, pi - lean - elbow, wrap_half_turn(pan - pose.yaw)};
  if (!within_limits(answer)) return std::nullopt;
  return answer;
}

tool_pose tool_of(const joints& position) {
  const double pan = position[0];
  const double lean = position[1];
  const double elbow = position[2];
  const double out = upper_arm * std::sin(lean) + forearm * std::sin(lean + elbow);
  const double up = upper_arm * std::cos(lean) + forearm * std::cos(lean + elbow);
  return {{out * std::cos(pan), out * std::sin(pan), shoulder_height + up - wrist_to_tool},
          wrap_half_turn(pan - position[5])};
}

}  // namespace workcell::plan
