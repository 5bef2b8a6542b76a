// Time-optimal speed along a fixed path, discretised: limits first, then two passes of v² <= v² +
// 2as.
#include "plan/trajectory.hpp"

#include <algorithm>
#include <cmath>

namespace workcell::plan {
namespace {

constexpr double spacing = 0.01;        // rad between two samples, in the fastest joint
constexpr double creeping = 0.02;       // rad/s: the speed of the very first and last sample
constexpr std::size_t corner_span = 3;  // samples on either side that a corner is seen over

joints between(const joints& a, const joints& b, double share) {
  joints point;
  for (std::size_t i = 0; i < joint_count; ++i) point[i] = a[i] + share * (b[i] - a[i]);
  return point;
}

std::vector<joints> resample(const std::vector<joints>& path) {
  std::vector<joints> points{path.front()};
  for (std::size_t leg = 1; leg < path.size(); ++leg) {
    const double length = joint_distance(path[leg - 1], path[leg]);
    const auto pieces = static_cast<int>(std::ceil(length / spacing));
    for (int piece = 1; piece <= pieces; ++piece) {
      points.push_back(between(path[leg - 1], path[leg], static_cast<double>(piece) / pieces));
    }
  }
  return points;
}

/// How far the path turns away from its own direction at `index`, per squared length.
double curvature(const std::vector<joints>& points, std::size_t index) {
  const std::size_t before = index >= corner_span ? index - corner_span : 0;
  const std::size_t after = std::min(index + corner_span, points.size() - 1);
  const double back = joint_distance(points[before], points[index]);
  const double ahead = joint_distance(points[index], points[after]);
  if (back <= 0 || ahead <= 0) return 0;
  double largest = 0;
  for (std::size_t i = 0; i < joint_count; ++i) {
    const double turn = (points[after][i] - points[index][i]) / ahead -
                        (points[index][i] - points[before][i]) / back;
    largest = std::max(largest, std::abs(turn) / (0.5 * (back + ahead)));
  }
  return largest;
}

}  // namespace

double joint_distance(const joints& a, const joints& b) {
  double largest = 0;
  for (std::size_t i = 0; i < joint_count; ++i) largest = std::max(largest, std::abs(a[i] - b[i]));
  return largest;
}

trajectory::trajectory(const std::vector<joints>& path, const limits& within)
    : points_(resample(path)) {
  const std::size_t count = points_.size();
  std::vector<double> speed(count, within.speed);
  for (std::size_t i = 0; i < count; ++i) {
    const double bend = curvature(points_, i);
    if (bend > 0) speed[i] = std::min(speed[i], std::sqrt(within.acceleration / bend));
    speed[i] = std::max(speed[i], creeping);
  }
  speed.front() = speed.back() = creeping;

  const auto reachable = [&](double from, std::size_t a, std::size_t b) {
    return std::sqrt(from * from +
                     2 * within.acceleration * joint_distance(points_[a], points_[b]));
  };
  for (std::size_t i = 1; i < count; ++i) {
    speed[i] = std::min(speed[i], reachable(speed[i - 1], i - 1, i));
  }
  for (std::size_t i = count - 1; i > 0; --i) {
    speed[i - 1] = std::min(speed[i - 1], reachable(speed[i], i, i - 1));
  }

  times_.push_back(0);
  for (std::size_t i = 1; i < count; ++i) {
    const double mean = 0.5 * (speed[i - 1] + speed[i]);
    times_.push_back(times_.back() + joint_distance(points_[i - 1], points_[i]) / mean);
  }
}

trajectory::sample trajectory::at(double time) const {
  if (time <= 0 || times_.size() < 2) return {points_.front(), {}};
  if (time >= duration()) return {points_.back(), {}};
  const auto next = static_cast<std::size_t>(std::upper_bound(times_.begin(), times_.end(), time) -
                                             times_.begin());
  const double span = times_[next] - times_[next - 1];
  sample now{between(points_[next - 1], points_[next], (time - times_[next - 1]) / span), {}};
  for (std::size_t i = 0; i < joint_count; ++i) {
    now.velocity[i] = (points_[next][i] - points_[next - 1][i]) / span;
  }
  return now;
}

}  // namespace workcell::plan
