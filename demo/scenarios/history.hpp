// What a run has left behind: plain facts, from which the invariants are judged.
//
// The facts come from two sides that know nothing of each other: the world (what MuJoCo's state was
// in every tick) and the books (what the mission and the library say they did). An invariant
// compares.
#pragma once

#include <sigexc/target.hpp>

#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "control/gripper.hpp"
#include "mission/journal.hpp"
#include "mission/ledger.hpp"
#include "mission/search_account.hpp"
#include "world/cell.hpp"

namespace workcell::scenarios {

/// Something that must not be, when it was first seen, and where the mission was.
struct sighting {
  sim_time when;
  std::string where;  // the mission's open phases
  std::string what;
};

struct part_fact {
  std::string name;
  world::whereabouts place;
};

/// The curves of the timeline.
struct sample {
  sim_time when;
  double person_distance;  // metres
  double arm_speed;        // rad/s
};

/// The bus as its three parties saw it, byte for byte.
struct bus_account {
  std::string written;  // by the operator
  std::string read;     // by the listener
  std::string left;     // in the kernel's pipe
};

struct history {
  // Seen in the world, tick by tick.
  std::vector<sample> samples;
  std::vector<control::interval> drive_powered;  // the gripper's drive
  std::optional<sighting> too_near;              // the arm moved within the protective distance
  std::optional<sighting> collision;
  double nearest_while_moving = std::numeric_limits<double>::infinity();  // the person, metres
  std::vector<part_fact> parts;                                           // at the end
  std::vector<control::interval> docked;  // the arm stood at the dock

  // From the books.
  std::vector<control::interval> openings;
  std::vector<mission::ledger::entry> interrupts;
  std::vector<sigexc::delivery> deliveries;  // the receipts' states, one for each interrupt
  bus_account bus;
  std::vector<mission::search_account> searches;  // those that could be paused
  std::vector<std::string> raised_in_block;
  std::vector<mission::journal::span> phases;
  std::vector<mission::journal::line> log;
  std::string ended_by;  // the first cause; empty: the order was worked off
  bool ended_by_emergency = false;
  bool was_interrupted = false;  // by Ctrl-C, before it had ended by itself
  sim_time mission_ended{};
  sim_time ended{};
};

/// Sees the world in every physics step.
class monitor {
 public:
  explicit monitor(history& kept) : history_(kept) {}
  void step(const world::cell& cell, const mission::journal& log);

 private:
  history& history_;
};

}  // namespace workcell::scenarios
