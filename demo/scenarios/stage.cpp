#include "scenarios/stage.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sigexc/safe_point.hpp>

#include <cmath>
#include <string>
#include <utility>

namespace workcell::scenarios {
namespace {

constexpr sim_time hand_speed{2};  // how often the operator looks for a cue

/// What the operator types for `what`; empty if it is not theirs to do.
std::string message_of(const happening& what) {
  if (what.what == happening::kind::order) {
    return fmt::format("order {}\n", fmt::join(what.order, " "));
  }
  return what.what == happening::kind::emergency ? "stop\n" : "";
}

std::string visible(std::string bytes) {
  if (bytes.ends_with('\n')) bytes.replace(bytes.size() - 1, 1, "⏎");
  return '"' + bytes + '"';
}

/// A message at its cue, in one piece or in two with a pause between.
class typing {
 public:
  typing(const happening& what, std::string message)
      : cue_(what.when), message_(std::move(message)), pause_(what.rest_after) {
    const auto whole = static_cast<double>(message_.size());
    first_piece_ = static_cast<std::size_t>(std::ceil(what.cut_at * whole));
  }
  /// What is typed in this tick.
  std::string next(const mission::journal& log) {
    if (cue_.is_due(log)) {
      began_ = log.now();
      return take(first_piece_);
    }
    return began_ && log.now() - *began_ >= pause_ ? take(message_.size()) : "";
  }

 private:
  std::string take(std::size_t count) {
    std::string taken = message_.substr(0, count);
    message_.erase(0, count);
    return taken;
  }

  prompter cue_;
  std::string message_;  // what is left of it
  std::size_t first_piece_;
  sim_time pause_;
  std::optional<sim_time> began_;
};

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
    } else if (each.what == happening::kind::failure) {
      cables_.push_back({prompter(each.when), each.sensor});
    } else if (each.what == happening::kind::drain) {
      drains_.push_back({prompter(each.when), each.charge});
    }
  }
}

void stage::step(mission::workplace& at) {
  for (appearing& each : obstacles_) {
    if (each.cue.is_due(at.log)) at.cell.put_obstacle(each.what);
  }
  for (walk& each : people_) each.step(at.cell, at.log);
  for (oil& each : films_) each.step(at.cell, at.log);
  for (cutting& each : cables_) {
    if (each.cue.is_due(at.log)) at.unplugged = each.sensor;
  }
  for (draining& each : drains_) {
    if (each.cue.is_due(at.log)) at.battery->drain_to(each.charge);
  }
  if (at.battery) at.battery->step(at.cell.is_docked());
}

void operate(mission::workplace& at, lockstep_clock::seat& seat, mission::bus& bus,
             const sigexc::target& listener, const scenario& played) {
  std::vector<typing> hands;
  std::optional<prompter> off_switch;
  for (const happening& each : played.happenings) {
    if (each.what == happening::kind::quit) off_switch.emplace(each.when);
    if (const std::string message = message_of(each); !message.empty()) {
      hands.emplace_back(each, message);
    }
  }
  bool is_off = false;
  const lockstep_clock::seat::occupant here(seat);
  for (;;) {
    seat.wait(hand_speed);
    sigexc::safe_point();
    for (typing& each : hands) {
      const std::string bytes = each.next(at.log);
      if (bytes.empty()) continue;
      at.log.note("operator types " + visible(bytes));
      bus.write(bytes);
      bus.summon_listener();
    }
    if (!is_off && (at.mission_is_over || (off_switch && off_switch->is_due(at.log)))) {
      is_off = true;
      at.books.send(listener, mission::quit{}, "operator");
      bus.summon_listener();
    }
  }
}

}  // namespace workcell::scenarios
