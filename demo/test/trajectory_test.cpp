// A timed path stays on its polyline and within its limits.
#include <gtest/gtest.h>

#include <cmath>

#include "plan/trajectory.hpp"

namespace workcell::plan {
namespace {

const std::vector<joints> corner{{0, 0, 0, 0, 0, 0}, {1, 0, 0, 0, 0, 0}, {1, 0.5, 0, 0, 0, 0}};

TEST(Trajectory, BeginsAndEndsWhereThePathDoes) {
  const trajectory timed(corner, transfer_limits);
  EXPECT_EQ(joint_distance(timed.at(0).position, corner.front()), 0);
  EXPECT_EQ(joint_distance(timed.at(timed.duration() + 1).position, corner.back()), 0);
}

TEST(Trajectory, KeepsItsSpeedLimitAndSlowsDownInACorner) {
  const trajectory timed(corner, transfer_limits);
  double slowest_at_corner = transfer_limits.speed;
  for (double time = 0; time < timed.duration(); time += 0.001) {
    const auto sample = timed.at(time);
    double speed = 0;
    for (const double each : sample.velocity) speed = std::max(speed, std::abs(each));
    EXPECT_LE(speed, transfer_limits.speed * 1.0001);
    if (joint_distance(sample.position, corner[1]) < 0.02) {
      slowest_at_corner = std::min(slowest_at_corner, speed);
    }
  }
  EXPECT_LT(slowest_at_corner, 0.5);
}

TEST(Trajectory, OfASinglePointHasNoDuration) {
  const trajectory timed({corner.front()}, transfer_limits);
  EXPECT_EQ(timed.duration(), 0);
  EXPECT_EQ(joint_distance(timed.at(1).position, corner.front()), 0);
}

}  // namespace
}  // namespace workcell::plan
