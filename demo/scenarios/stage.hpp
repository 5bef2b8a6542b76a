// What happens to the cell from outside, at its cue: an obstacle, a person, oil, a cut cable, a
// drained battery, the operator's hand.
//
// The world's part is played in the physics step; nobody is told, the sensors must see it. The
// operator is a thread, since what it does is to write to the bus and to interrupt it.
#pragma once

#include <sigexc/target.hpp>

#include <optional>
#include <string>
#include <vector>

#include "mission/bus.hpp"
#include "mission/workplace.hpp"
#include "scenarios/scenario.hpp"

namespace workcell::scenarios {

/// Watches for one cue.
class prompter {
 public:
  explicit prompter(cue awaited) : awaited_(std::move(awaited)) {}
  /// True once: when the cue is there. To be asked in every tick.
  [[nodiscard]] bool is_due(const mission::journal& log);

 private:
  cue awaited_;
  int entered_ = 0;
  std::optional<sim_time> inside_since_;
  bool is_over_ = false;
};

/// A person who walks in at their cue, stays, and walks out the way they came.
class walk {
 public:
  explicit walk(const happening& what) : what_(what), cue_(what.when) {}
  void step(world::cell& cell, const mission::journal& log);

 private:
  enum class leg { waiting, coming, staying, leaving, gone };
  [[nodiscard]] bool step_towards(world::cell& cell, const vec3& goal) const;

  happening what_;
  prompter cue_;
  leg leg_ = leg::waiting;
  vec3 start_{};
  sim_time arrived_{};
};

/// A film of oil between the fingers and the part, which is wiped off after a moment.
class oil {
 public:
  explicit oil(const happening& what) : cue_(what.when), stay_(what.stay) {}
  void step(world::cell& cell, const mission::journal& log);

 private:
  prompter cue_;
  sim_time stay_;
  std::optional<sim_time> since_;
};

/// What happens in the world of a scenario.
class stage {
 public:
  explicit stage(const scenario& played);
  /// One tick, inside the physics step.
  void step(mission::workplace& at);

 private:
  struct appearing {
    prompter cue;
    world::obstacle what;
  };
  struct cutting {
    prompter cue;
    std::string sensor;
  };
  struct draining {
    prompter cue;
    double charge;
  };
  std::vector<appearing> obstacles_;
  std::vector<cutting> cables_;
  std::vector<draining> drains_;
  std::vector<walk> people_;
  std::vector<oil> films_;
};

/// The operator's thread: types messages for the mission on the bus, at their cues. Switches it
/// off, by a `quit` to `listener`, at the cue for that or when the mission is over; a message that
/// is half typed then is typed to its end.
void operate(mission::workplace& at, lockstep_clock::seat& seat, mission::bus& bus,
             const sigexc::target& listener, const scenario& played);

}  // namespace workcell::scenarios
