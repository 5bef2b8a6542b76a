// The story, from the outermost level to the innermost, then the few words that it is told in.
#include "mission/mission.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "mission/answer.hpp"

namespace workcell::mission {
namespace {

using namespace std::chrono_literals;

constexpr double lifted = 0.18;       // metres above where a part lies: clear of its neighbours
constexpr double drop_height = 0.86;  // of a part's centre when it is let go over the bin's floor
constexpr double gentle = 0.5;        // share of the planned speed
constexpr int checks_in_a_cycle = 2;  // validity checks that the planner's computer does in 1 ms
constexpr int checks_at_least = 200;  // of a search, before its time can be over: so that what OMPL
                                      // draws random numbers for is the same in each run
constexpr double line_step = 0.004;   // metres between two points of a straight line

plan::tool_pose above(plan::tool_pose pose) {
  pose.place[2] += lifted;
  return pose;
}

}  // namespace

mission::mission(workplace& at, lockstep_clock::seat& seat, std::vector<std::string> order,
                 std::uint64_t seed, std::optional<short_way> wish)
    : at_(at), seat_(seat), planner_(at.cell, seed), wish_(wish), order_(std::move(order)) {}

void mission::run() {
  const sigexc::block_scope nobody_is_prepared_yet;
  const auto slower_when_hot = sigexc::attach<overheated>([this](const overheated& drives) {
    at_.books.note_callback(drives);
    at_.arm.limit_pace(gentle);
    at_.books.answered(drives, "callback");
  });
  const control::power drives_on(at_.arm);
  const sigexc::unblock_scope<emergency_stop, sigexc::terminated, overheated> at_any_time;

  const auto phase = at_.log.enter("run");
  work_off_order();
}

void mission::work_off_order() {
  for (;;) {
    try {
      const sigexc::unblock_scope<order_changed> between_two_parts;
      if (order_.empty()) return;
      deliver(order_.front());
    } catch (...) {
      answer(at_.books, "work_off_order", [&](const order_changed& change) { take_over(change); });
    }
  }
}

void mission::deliver(std::string part) {
  const auto phase = at_.log.enter("deliver " + part);
  const sigexc::block_scope<order_changed> committed;  // what is in hand is delivered first
  pick(part);
  carry(part);
}

void mission::pick(const std::string& part) {
  const auto phase = at_.log.enter("pick");
  const plan::tool_pose grasp{at_.cell.part_place(part), at_.cell.part_yaw(part)};

  sigexc::unblocked<order_changed>(
      [&] { move_to(above(grasp), way::brief); });  // not committed yet

  std::optional<control::opening> fingers_apart(at_.gripper);
  wait_until("the gripper opens", 1s, [&] { return at_.gripper.is_open(); });
  move_to(grasp, way::straight);
  grip(part, fingers_apart);
}

void mission::grip(const std::string& part, std::optional<control::opening>& fingers_apart) {
  const auto phase = at_.log.enter("grip");
  for (bool gripped = false; !gripped;) {
    try {
      const sigexc::unblock_scope<person_entered, obstacle_appeared, order_changed> answered_here;
      uninterrupted("grip", [&] {
        dwell(100ms);
        fingers_apart.reset();  // the drive is off, the springs close
        wait_until("the fingers hold the part", 1s, [&] { return at_.gripper.holds(part); });
        dwell(500ms);
        gripped = true;
      });  // M4, D2: what came meanwhile is raised here, several as one group
    } catch (...) {
      answer(
          at_.books, "grip", [&](const person_entered& seen) { protective_stop(seen); },
          [&](const obstacle_appeared& seen) { planner_.known_world().add(seen.what); },
          [&](const order_changed& change) { take_over(change); });
    }
  }
  if (!at_.gripper.holds(part)) throw mission_failed("the grip on " + part + " was lost at once");
}

void mission::carry(const std::string& part) {
  const auto phase = at_.log.enter("carry");
  const plan::tool_pose slot = slot_in_bin();
  const plan::tool_pose lift = above(plan::tool_of(at_.arm.commanded()));
  for (bool there = false; !there;) {
    try {
      const sigexc::unblock_scope<slip> answered_here;
      if (!at_.gripper.holds(part)) throw mission_failed(part + " was lost on the way");
      if (plan::tool_of(at_.arm.commanded()).place[2] < lift.place[2]) move_to(lift, way::straight);
      move_to(above(slot));
      there = true;
    } catch (...) {
      answer(at_.books, "carry", [&](const slip&) { at_.arm.limit_pace(gentle); });
    }
  }
  move_to(slot, way::straight);
  const control::opening fingers_apart(at_.gripper);  // until they are clear of the part
  release(part);
  move_to(above(slot), way::straight);
}

void mission::release(const std::string& part) {
  const auto phase = at_.log.enter("release");
  uninterrupted("release", [&] {
    wait_until("the gripper opens", 1s, [&] { return at_.gripper.is_open(); });
    dwell(200ms);  // the part falls
    std::erase(order_, part);
    delivered_.push_back(part);
    at_.log.note(part + " is delivered");
  });
}

void mission::move_to(const plan::tool_pose& goal, way how) {
  const auto phase = at_.log.enter("move_to");
  for (bool there = false; !there;) {
    try {
      const sigexc::unblock_scope<obstacle_appeared, person_entered> answered_here;
      auto path = how == way::brief ? plan_short(goal) : std::nullopt;
      if (!path) path = how == way::straight ? straight_line(goal) : plan(goal);
      follow(*std::move(path));
      there = true;
    } catch (...) {
      answer(
          at_.books, "move_to",
          [&](const obstacle_appeared& seen) { planner_.known_world().add(seen.what); },
          [&](const person_entered& seen) { protective_stop(seen); });
    }
  }
}

plan::trajectory mission::plan(const plan::tool_pose& goal) {
  const auto phase = at_.log.enter("plan");
  const auto position = plan::reach(goal);
  if (!position) throw mission_failed("a goal is out of reach");
  planner_.known_world().look(at_.cell);

  std::optional<journal::phase> part_of_plan(std::in_place, at_.log, "search");
  search_account* const account = at_.battery ? &at_.searches.emplace_back() : nullptr;
  const auto compute = [&] {
    int checks = 0;
    const auto computing_takes_time = [&] {
      ++checks;
      if (account) note_check(*account, checks);
      if (checks % checks_in_a_cycle == 0) next_cycle(one_tick, *computer_);
    };
    const auto found_one = [&] {
      if (account) ++account->found;
      part_of_plan.reset();
      part_of_plan.emplace(at_.log, "simplify");
    };
    if (account) ++account->begun;
    return planner_.plan(at_.arm.commanded(), *position, {computing_takes_time, found_one});
  };
  return {account ? search_sparing_battery(compute, *account) : compute(), plan::transfer_limits};
}

/// The way that is wished for, if there is a wish and time enough. No simulated time goes by: for
/// so long the cell waits.
std::optional<plan::trajectory> mission::plan_short(const plan::tool_pose& goal) {
  const auto position = plan::reach(goal);
  if (!wish_ || !position) return std::nullopt;
  planner_.known_world().look(at_.cell);
  const joints start = at_.arm.commanded();
  double direct = 0;
  for (std::size_t i = 0; i < joint_count; ++i) direct += std::pow((*position)[i] - start[i], 2);

  int checks = 0;
  const auto time_may_be_over = [&checks] {
    if (++checks <= checks_at_least) return;
    const sigexc::unblock_scope<sigexc::interruption> deadlines_too;  // M3: a safe point
  };
  sigexc::deadline_scope patience(wish_->think_for);
  auto path = patience.run([&] {
    const auto phase = at_.log.enter("plan_short");
    return planner_.plan_short(start, *position, wish_->detour * std::sqrt(direct),
                               {time_may_be_over, [] {}});
  });
  if (!path) {
    at_.log.note(
        fmt::format("no short way in time, takes any   [raised in {}]", at_.log.note_catch()));
    return std::nullopt;
  }
  return plan::trajectory(*std::move(path), plan::transfer_limits);
}

/// Down to a part or a slot and up again: between two poses right above one another, of which the
/// upper one was planned to be free, and where the fingers have to come nearer than a plan allows.
plan::trajectory mission::straight_line(const plan::tool_pose& goal) {
  return {straight_points(goal), plan::precise_limits};
}

std::vector<joints> mission::straight_points(const plan::tool_pose& goal) {
  const joints start = at_.arm.commanded();
  const plan::tool_pose from = plan::tool_of(start);
  double length = 0;
  for (std::size_t i = 0; i < 3; ++i) length += std::abs(goal.place[i] - from.place[i]);
  const auto pieces = static_cast<int>(std::ceil(length / line_step));
  std::vector<joints> path{start};
  for (int piece = 1; piece <= pieces; ++piece) {
    plan::tool_pose point = goal;
    for (std::size_t i = 0; i < 3; ++i) {
      point.place[i] = from.place[i] + (goal.place[i] - from.place[i]) * piece / pieces;
    }
    const auto position = plan::reach(point);
    if (!position) throw mission_failed("a straight line leaves the arm's reach");
    path.push_back(*position);
  }
  return path;
}

/// Waits, at the end of a motion, until the arm stands: left by an exception it brakes on its path.
/// A destructor must not throw, and what comes in its safe points is held by the library until it
/// is over.
class mission::standstill {
 public:
  explicit standstill(mission& of) : of_(of) {}
  standstill(const standstill&) = delete;
  standstill& operator=(const standstill&) = delete;
  ~standstill() {
    if (of_.at_.arm.stands_still()) return;
    try {
      const auto phase = of_.at_.log.enter("braking");
      while (!of_.at_.arm.stands_still()) of_.next_cycle();
    } catch (const clock_stopped&) {  // the run is over
    }
  }

 private:
  mission& of_;
};

void mission::follow(plan::trajectory path) {
  const auto phase = at_.log.enter("follow");
  const standstill afterwards(*this);
  control::motion moving(at_.arm, std::move(path));  // left in whatever way, the arm brakes
  while (!moving.finished()) {
    try {
      next_cycle();
    } catch (...) {
      moving.pause();
      answer(at_.books, "follow", [&](const person_entered& seen) { protective_stop(seen); });
      moving.resume();
    }
  }
}

void mission::protective_stop(const person_entered& seen) {
  const auto phase = at_.log.enter("protective stop");
  at_.log.note(fmt::format("stops for a person {:.2f} m away", seen.distance));
  wait_until("the person leaves", 60s,
             [&] { return at_.arm.stands_still() && at_.seen.person_distance > clear_distance; });
  at_.log.note("the person has left, goes on");
}

void mission::take_over(const order_changed& change) {
  order_ = change.order;
  std::erase_if(order_, [&](const std::string& part) {
    return std::find(delivered_.begin(), delivered_.end(), part) != delivered_.end();
  });
}

plan::tool_pose mission::slot_in_bin() const {
  const std::size_t number = delivered_.size();
  const double x = number % 2 == 0 ? 0.405 : 0.535;
  const double y = number < 2 ? 0.335 : 0.465;
  return {{x, y, drop_height}, 0};
}

/// Runs `action` as a whole: only an emergency gets in. Leaving it lets in what came meanwhile.
template <class Action>
void mission::uninterrupted(std::string_view what, Action&& action) {
  const sigexc::block_scope whole;
  try {
    const sigexc::unblock_scope<emergency_stop, sigexc::terminated> but_for_emergencies;
    action();
  } catch (const mission_failed&) {
    throw;
  } catch (const emergency_stop&) {
    throw;
  } catch (const sigexc::terminated&) {
    throw;
  } catch (...) {
    at_.raised_in_block.emplace_back(what);  // the library has broken its promise: on the record
    throw;
  }
}

/// One turn of the control loop: waits for the clock, which nothing interrupts, then a safe point.
void mission::next_cycle(sim_time duration, lockstep_clock::seat& seat) {
  seat.wait(duration);
  at_.log.count_safe_point();
  sigexc::safe_point();
}

void mission::wait_until(std::string_view what, sim_time at_most,
                         const std::function<bool()>& condition) {
  const sim_time deadline = seat_.now() + at_most;
  while (!condition()) {
    if (seat_.now() > deadline) throw mission_failed(fmt::format("waited too long until {}", what));
    next_cycle();
  }
}

void mission::dwell(sim_time duration) {
  const sim_time deadline = seat_.now() + duration;
  while (seat_.now() < deadline) next_cycle();
}

}  // namespace workcell::mission
