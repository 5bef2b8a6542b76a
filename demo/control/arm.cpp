// Computed torque: the wanted acceleration, from the planned state and the error, through the arm's
// own mass matrix. Its bandwidth of 40 rad/s keeps the error below a millimetre at the tool.
#include "control/arm.hpp"

#include <algorithm>
#include <utility>

namespace workcell::control {
namespace {

constexpr double stiffness = 1600;     // 1/s²
constexpr double damping = 80;         // 1/s: critical
constexpr double braking_time = 0.12;  // seconds from full speed to standstill
constexpr double rate_step = in_seconds(one_tick) / braking_time;

}  // namespace

void arm::control() {
  const double wanted_rate = powered_ && may_move_ ? pace_ : 0;
  rate_ += std::clamp(wanted_rate - rate_, -rate_step, rate_step);
  plan::trajectory::sample wanted{start_, {}};
  if (trajectory_) {
    time_ += rate_ * in_seconds(one_tick);
    wanted = trajectory_->at(time_);
    if (finished()) rate_ = 0;
  }

  const joints position = cell_.arm_position();
  const joints velocity = cell_.arm_velocity();
  joints acceleration;
  for (std::size_t i = 0; i < joint_count; ++i) {
    acceleration[i] = stiffness * (wanted.position[i] - position[i]) +
                      damping * (rate_ * wanted.velocity[i] - velocity[i]);
  }
  cell_.accelerate_arm(acceleration);
}

joints arm::commanded() const { return trajectory_ ? trajectory_->at(time_).position : start_; }

bool arm::finished() const { return !trajectory_ || time_ >= trajectory_->duration(); }

motion::motion(arm& moved, plan::trajectory along) : arm_(moved) {
  arm_.trajectory_ = std::move(along);
  arm_.time_ = 0;
  arm_.rate_ = 0;
  arm_.may_move_ = true;
}

}  // namespace workcell::control
