#include "scenarios/supervisor.hpp"

#include <fmt/format.h>
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
constexpr sim_time last_turns = 10ms;        // in which those who are terminated leave the clock
constexpr sim_time coming_to_rest = 1500ms;  // and proof that a held part stays held without power

/// What ended the crew, if it was not the end of the order.
void take_down_outcome(mission::workplace& at, sigexc::task_group& crew, history& kept) {
  const auto add_cause = [&](const std::string& cause) {
    kept.ended_by += kept.ended_by.empty() ? cause : ", and " + cause;
  };
  try {
    crew.join();
  } catch (...) {
    try {
      mission::answer_at_the_end(
          at.books, "supervisor",
          [&](const mission::emergency_stop& stop) {
            add_cause("emergency stop by the " + stop.pressed_by);
            kept.ended_by_emergency = true;
          },
          [](const mission::event&) {});  // came together with the end: there is nothing left to do
    } catch (...) {
      sigexc::handle_each([&](const std::exception& failure) { add_cause(failure.what()); });
    }
  }
}

}  // namespace

void supervise(mission::workplace& at, lockstep_clock::seat& seat, sigexc::task_group& crew,
               history& kept, const std::function<void(sim_time, const std::string&)>& progress) {
  bool was_terminated = false;
  while (!at.mission_is_over) {
    seat.wait(look_every);
    if (at.mission_is_over) break;
    try {
      const sigexc::unblock_scope<sigexc::keyboard_interrupt> here;  // M3: a safe point
    } catch (const sigexc::keyboard_interrupt&) {
      at.log.note(fmt::format("Ctrl-C: the mission is terminated   [{}]", at.log.path()));
      kept.was_interrupted = true;
      crew.terminate();
    }
    kept.raised_in_block = at.raised_in_block;
    const bool must_end = !check_so_far(kept).empty() || seat.now() > longest_mission;
    if (must_end && !was_terminated) {
      at.log.note("the supervisor terminates the mission");
      crew.terminate();
      was_terminated = true;
    }
    if (progress && seat.now().count() % report_every.count() == 0) {
      progress(seat.now(), at.log.path());
    }
  }
  kept.mission_ended = seat.now();
  seat.wait(last_turns);
  take_down_outcome(at, crew, kept);  // they have left the clock: this waits for no simulated time
  if (kept.ended_by.empty() && !at.order_is_worked_off) {
    kept.ended_by = was_terminated ? "the supervisor, which terminated it" : "Ctrl-C";
  }
  at.log.note(kept.ended_by.empty() ? "the order is worked off" : "ended by " + kept.ended_by);

  seat.wait(coming_to_rest);
  for (const std::string& part : world::part_names) {
    kept.parts.push_back({part, at.cell.where_is(part)});
  }
  kept.ended = seat.now();
}

}  // namespace workcell::scenarios
