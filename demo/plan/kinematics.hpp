// The arm's geometry and its inverse kinematics for a tool that points straight down.
//
// The wrist is spherical and the forearm's roll stays at zero, so four numbers (place and yaw of
// the tool) have one closed-form answer with the elbow up. That is all that picking from above
// needs, and unlike an iteration it is continuous along a straight line and cannot get stuck.
#pragma once

#include <optional>

#include "world/units.hpp"

namespace workcell::plan {

/// Where the tool's centre between the finger pads shall be, pointing down.
struct tool_pose {
  vec3 place;
  double yaw = 0;  // of the fingers' opening direction, about the vertical; radians, modulo pi
};

/// The joint vector that reaches `pose`; nothing where the arm cannot.
[[nodiscard]] std::optional<joints> reach(const tool_pose& pose);

/// The inverse of `reach` for such joint vectors: used to go on from where the arm stands.
[[nodiscard]] tool_pose tool_of(const joints& position);

/// Limits of the joints, as in scene/cell.xml.
extern const joints lower_limit;
extern const joints upper_limit;

}  // namespace workcell::plan
