// Nine threads, one turn at a time: physics, four sensors, the operator, the bus, the mission, the
// supervisor. On a battery two more: its sensor, and the dock's computer.
#include "scenarios/run.hpp"

#include <sigexc/sigexc.hpp>

#include <array>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include "mission/bus.hpp"
#include "mission/dock.hpp"
#include "mission/mission.hpp"
#include "mission/sensors.hpp"
#include "plan/kinematics.hpp"
#include "scenarios/stage.hpp"
#include "scenarios/supervisor.hpp"

namespace workcell::scenarios {
namespace {

using occupant = lockstep_clock::seat::occupant;

constexpr plan::tool_pose home{world::dock, 0};

/// Keeps simulated time from running ahead of the wall's.
class pacemaker {
 public:
  explicit pacemaker(bool is_wanted) : is_wanted_(is_wanted) {}
  void keep_pace(sim_time now) const {
    if (is_wanted_) std::this_thread::sleep_until(start_ + now);
  }

 private:
  bool is_wanted_;
  wall_clock::time_point start_ = wall_clock::now();
};

/// Takes the picture when the first event has just been answered: that is what the run is about.
class photographer {
 public:
  void look(const world::cell& cell, const mission::ledger& books, sim_time now) {
    for (const auto& each : books.entries()) {
      if (!picture_ && each.answers > 0 && each.name != "overheated" &&
          now > each.delivered + delay) {
        picture_ = cell.snapshot();
      }
    }
  }
  world::data_ptr take(const world::cell& cell) {
    return picture_ ? std::move(picture_) : cell.snapshot();
  }

 private:
  static constexpr sim_time delay{900};
  world::data_ptr picture_;
};

/// A task of `crew` that does `work` at `seat`. When it is over, in whatever way, so is the
/// others'.
///
/// A group tells the others by itself when one has failed, but when the thread has ended, and so
/// has left the clock: they would hear of it at a tick that the wall clock decides. So they are
/// told while it still has the turn.
template <class Work>
auto as_one_of(sigexc::task_group& crew, lockstep_clock::seat& seat, Work work) {
  return [&crew, &seat, work = std::move(work)] {
    const occupant here(seat);
    const struct last_word {
      sigexc::task_group& to;
      ~last_word() { to.terminate(); }
    } before_leaving{crew};
    work();
  };
}

history with_books(history kept, const mission::workplace& at) {
  kept.openings = at.gripper.openings();
  kept.interrupts = at.books.entries();
  for (const auto& each : kept.interrupts) kept.deliveries.push_back(each.receipt.value().state());
  kept.searches.assign(at.searches.begin(), at.searches.end());
  kept.raised_in_block = at.raised_in_block;
  kept.phases = at.log.spans();
  kept.log = at.log.lines();
  return kept;
}

}  // namespace

run_result play(const scenario& played, const run_options& options) {
  const auto started = wall_clock::now();
  run_result result;
  history kept;

  world::cell cell(options.scene, played.seed);
  cell.put_arm(plan::reach(home).value());
  control::arm arm(cell);
  lockstep_clock clock;
  control::gripper gripper(cell, clock);
  mission::journal log(clock);
  mission::ledger books(log);
  mission::workplace at{cell, arm, gripper, log, books, {}, {}, false};
  stage outside(played);
  monitor observer(kept);
  photographer camera;

  // The order of the turns within a tick: who sends comes before who receives.
  std::array<lockstep_clock::seat*, 4> sensors{};
  for (auto& seat : sensors) seat = &clock.add_seat();
  auto& operator_seat = clock.add_seat();
  auto& bus_seat = clock.add_seat();
  auto* const battery_seat = played.battery ? &clock.add_seat() : nullptr;
  std::optional<mission::dock_computer> dock;
  if (played.battery) {
    at.battery.emplace(*played.battery);
    at.dock = &dock.emplace(clock.add_seat());
  }
  auto& mission_seat = clock.add_seat();
  auto& supervisor_seat = clock.add_seat();
  mission::bus bus(bus_seat);
  mission::mission worker(at, mission_seat, played.order, played.seed, played.wish);

  const sigexc::thread physics({.name = "physics"}, [&] {
    const sigexc::block_scope physics_is_never_interrupted;
    const pacemaker pace(options.realtime);
    clock.run([&] {
      outside.step(at);
      cell.step([&] { arm.control(); });
      observer.step(cell, log);
      camera.look(cell, books, log.now());
      pace.keep_pace(log.now());
    });
  });
  // The mission and those who watch over it: none goes on without the others.
  sigexc::task_group crew;
  const auto mission = crew.spawn({.name = "mission"}, as_one_of(crew, mission_seat, [&] {
                                    const struct end_of_mission {
                                      bool& is_over;
                                      ~end_of_mission() { is_over = true; }
                                    } at_the_end{at.mission_is_over};
                                    worker.run();
                                    at.order_is_worked_off = true;
                                  }));
  const sigexc::target whom = mission.get_target();
  const auto watch = [&](std::string name, lockstep_clock::seat& seat, auto look) {
    crew.spawn({.name = std::move(name)},
               as_one_of(crew, seat, [&at, &seat, whom, look] { look(at, seat, whom); }));
  };
  watch("obstacles", *sensors[0], mission::watch_for_obstacles);
  watch("people", *sensors[1], mission::watch_for_people);
  watch("slip", *sensors[2], mission::watch_for_slip);
  watch("temperature", *sensors[3], [&played](auto& place, auto& seat, const auto& target) {
    mission::watch_temperature(place, seat, target, played.ambient_temperature);
  });
  if (played.battery) {
    crew.spawn({.name = "battery"}, as_one_of(crew, *battery_seat, [&at, battery_seat] {
                 mission::watch_battery(at, *battery_seat);
               }));
    crew.spawn({.name = "dock"}, as_one_of(crew, dock->seat(), [&dock] { dock->work(); }));
  }
  sigexc::thread listener({.name = "bus"}, [&, whom] { return bus.listen(at, whom); });
  const sigexc::thread at_the_desk({.name = "operator"}, operate, std::ref(at),
                                   std::ref(operator_seat), std::ref(bus), listener.get_target(),
                                   std::cref(played));
  sigexc::thread supervisor({.name = "supervisor"}, [&] {
    const sigexc::block_scope but_where_it_looks_around;
    const occupant here(supervisor_seat);
    supervise(at, supervisor_seat, crew, kept, options.progress);
    // It has quit, and left the clock: this waits for no simulated time.
    kept.bus = {bus.written(), listener.wait(), bus.drain()};
    // Copied while this thread has the turn: physics goes on, and writes its own.
    result.what_happened = with_books(kept, at);
    result.model.reset(mj_copyModel(nullptr, &cell.model()));
    result.picture = camera.take(cell);
  });
  try {
    const sigexc::unblock_scope<sigexc::keyboard_interrupt> at_any_time;
    supervisor.wait();
  } catch (const sigexc::keyboard_interrupt& pressed) {
    supervisor.interrupt(pressed);  // who ends the mission in a turn of its own
    const sigexc::block_scope<sigexc::keyboard_interrupt> once_is_enough;
    supervisor.wait();
  }

  result.violations = check(result.what_happened, played);
  result.wall_time = wall_clock::now() - started;
  return result;
}  // what still runs is terminated and joined; physics ends when the last seat is left

}  // namespace workcell::scenarios
