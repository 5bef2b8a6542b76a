#include "scenarios/history.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "mission/workplace.hpp"

namespace workcell::scenarios {
namespace {

constexpr sim_time sampling{10};
constexpr double standing =
    0.03;  // rad/s: what the fastest joint may still do in an arm that stands

void add_tick(std::vector<control::interval>& to, sim_time now) {
  if (to.empty() || to.back().end != now) to.push_back({now, now});
  to.back().end = now + one_tick;
}

}  // namespace

void monitor::step(const world::cell& cell, const mission::journal& log) {
  const sim_time now = log.now();
  if (now.count() % sampling.count() == 0) {
    history_.samples.push_back({now, cell.person_distance(), cell.arm_speed()});
  }
  if (cell.gripper_drive_powered()) add_tick(history_.drive_powered, now);
  if (cell.is_docked()) add_tick(history_.docked, now);
  if (cell.arm_speed() > standing) {
    const double distance = cell.person_distance();
    history_.nearest_while_moving = std::min(history_.nearest_while_moving, distance);
    if (distance < mission::protective_distance && !history_.too_near) {
      history_.too_near = {now, log.path(),
                           fmt::format("the arm moves at {:.2f} rad/s, the person is {:.2f} m away",
                                       cell.arm_speed(), distance)};
    }
  }
  if (!history_.collision) {
    if (const auto touched = cell.collision()) {
      history_.collision = {now, log.path(), "the arm touches the " + *touched};
    }
  }
}

}  // namespace workcell::scenarios
