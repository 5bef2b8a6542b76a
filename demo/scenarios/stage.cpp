#include "scenarios/stage.hpp"

#include <sigexc/safe_point.hpp>

#include <cmath>

namespace workcell::scenarios {
namespace {

constexpr sim_time hand_speed{2};  // how often the operator looks for a cue

}  // namespace

bool prompter::is_due(const mission::journal& log) {
  if (is_over_) return false;
  if (!log.is_in(awaited_.in)) {
    inside_since_.reset();
    return false;
  }
  if (!inside_since_) {
    inside_since_ = log.now();
    ++entered_;
  }
  is_over_ = entered_ >= awaited_.nth && log.now() - *inside_since_ >= awaited_.after;
  return is_over_;
}

void walk::step(world::cell& cell, const mission::journal& log) {
  switch (leg_) {
    case leg::waiting:
      if (!cue_.is_due(log)) return;
      start_ = cell.person_place();
      leg_ = leg::coming;
      return;
    case leg::coming:
      if (!step_towards(cell, what_.place)) return;
      arrived_ = log.now();
      leg_ = leg::staying;
      return;
    case leg::staying:
      if (log.now() - arrived_ >= what_.stay) leg_ = leg::leaving;
      return;
    case leg::leaving:
      if (step_towards(cell, start_)) leg_ = leg::gone;
      return;
    case leg::gone:
      return;
  }
}

bool walk::step_towards(world::cell& cell, const vec3& goal) const {
  const vec3 now = cell.person_place();
  const double left = std::hypot(goal[0] - now[0], goal[1] - now[1]);
  const double stride = what_.speed * in_seconds(one_tick);
  if (left <= stride) {
    cell.put_person(goal);
    return true;
  }
  cell.put_person({now[0] + (goal[0] - now[0]) * stride / left,
                   now[1] + (goal[1] - now[1]) * stride / left, now[2]});
  return false;
}

void oil::step(world::cell& cell, const mission::journal& log) {
  if (cue_.is_due(log)) {
    since_ = log.now();
    cell.oil_fingers(true);
  } else if (since_ && log.now() - *since_ >= stay_) {
    since_.reset();
    cell.oil_fingers(false);
  }
}

stage::stage(const scenario& played) {
  for (const happening& each : played.happenings) {
    if (each.what == happening::kind::obstacle) {
      obstacles_.push_back({prompter(each.when), {each.place, each.half_size}});
    } else if (each.what == happening::kind::person) {
      people_.emplace_back(each);
    } else if (each.what == happening::kind::oil) {
      films_.emplace_back(each);
    }
  }
}

void stage::step(world::cell& cell, const mission::journal& log) {
  for (appearing& each : obstacles_) {
    if (each.cue.is_due(log)) cell.put_obstacle(each.what);
  }
  for (walk& each : people_) each.step(cell, log);
  for (oil& each : films_) each.step(cell, log);
}

void operate(mission::workplace& at, lockstep_clock::seat& seat, const sigexc::target& mission,
             const scenario& played) {
  struct duty {
    prompter cue;
    const happening& what;
  };
  std::vector<duty> duties;
  for (const happening& each : played.happenings) {
    if (each.what == happening::kind::order || each.what == happening::kind::emergency) {
      duties.push_back({prompter(each.when), each});
    }
  }
  const lockstep_clock::seat::occupant here(seat);
  for (;;) {
    seat.wait(hand_speed);
    sigexc::safe_point();
    for (duty& each : duties) {
      if (!each.cue.is_due(at.log)) continue;
      if (each.what.what == happening::kind::order) {
        at.books.send(mission, mission::order_changed{{}, each.what.order}, "operator");
      } else {
        at.books.send(mission, mission::emergency_stop{{}, "operator"}, "operator");
      }
    }
  }
}

}  // namespace workcell::scenarios
