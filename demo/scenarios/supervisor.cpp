#include "scenarios/supervisor.hpp"

#include <sigexc/sigexc.hpp>

#include <exception>

#include "mission/answer.hpp"
#include "scenarios/invariants.hpp"

namespace workcell::scenarios {
namespace {

using namespace std::chrono_literals;

constexpr sim_time look_every = 10ms;
constexpr sim_time report_every = 100ms;
constexpr sim_time longest_mission = 180s;
constexpr sim_time coming_to_rest = 1500ms;  // and proof that a held part stays held without power

/// What ended the mission, if it was not the end of the order.
void take_down_outcome(mission::workplace& at, sigexc::thread<void>& mission, history& kept) {
  try {
    mission.wait();
  } catch (const sigexc::terminated& ended) {
    ended.acknowledge();  // D5: this was meant for the mission, and it has ended
    kept.ended_by = "the supervisor, which terminated it";
  } catch (const std::exception& failure) {
    kept.ended_by = failure.what();
  } catch (...) {
    kept.ended_by = "an event that nobody answers";
    mission::answer_at_the_end(
        at.books, "supervisor",
        [&](const mission::emergency_stop& stop) {
          kept.ended_by = "emergency stop by the " + stop.pressed_by;
          kept.ended_by_emergency = true;
        },
        [](const mission::event&) {});  // came together with it: there is nothing left to do
  }
}

}  // namespace

void supervise(mission::workplace& at, lockstep_clock::seat& seat, sigexc::thread<void>& mission,
               history& kept, const std::function<void(sim_time, const std::string&)>& progress) {
  bool was_terminated = false;
  while (!at.mission_is_over) {
    seat.wait(look_every);
    kept.raised_in_block = at.raised_in_block;
    const bool must_end = !check_so_far(kept).empty() || seat.now() > longest_mission;
    if (must_end && !was_terminated) {
      at.log.note("the supervisor terminates the mission");
      mission.terminate();
      was_terminated = true;
    }
    if (progress && seat.now().count() % report_every.count() == 0) {
      progress(seat.now(), at.log.path());
    }
  }
  take_down_outcome(at, mission, kept);  // it has left the clock: this waits for no simulated time
  kept.mission_ended = seat.now();
  at.log.note(kept.ended_by.empty() ? "the order is worked off" : "ended by " + kept.ended_by);

  seat.wait(coming_to_rest);
  for (const std::string& part : world::part_names) {
    kept.parts.push_back({part, at.cell.where_is(part)});
  }
  kept.ended = seat.now();
}

}  // namespace workcell::scenarios
