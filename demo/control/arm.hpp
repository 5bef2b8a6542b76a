// The arm's controller: plays trajectories at 1 kHz, brakes on their path, holds still.
//
// It runs inside the physics step. The mission starts a motion and watches it; the motion's
// lifetime is the permission to move: when the object goes, in whatever way, the arm brakes *on the
// planned path* by stretching time, and then holds. So an exception that unwinds the mission can
// never leave a moving arm behind, nor send it where no plan has looked for collisions.
#pragma once

#include <optional>

#include "plan/trajectory.hpp"
#include "world/cell.hpp"
#include "world/units.hpp"

namespace workcell::control {

class arm {
 public:
  explicit arm(world::cell& cell) : cell_(cell), start_(cell.arm_position()) {}

  /// One control cycle, called in every physics step.
  void control();

  [[nodiscard]] bool stands_still() const { return rate_ == 0; }
  /// Where the controller wants the arm; a plan that starts here starts without a jump.
  [[nodiscard]] joints commanded() const;
  /// Slows every motion down to this share of its planned speed, in (0, 1].
  void limit_pace(double share) { pace_ = share; }

 private:
  friend class motion;
  friend class power;
  [[nodiscard]] bool finished() const;

  world::cell& cell_;
  std::optional<plan::trajectory> trajectory_;
  double time_ = 0;        // on the trajectory, seconds
  double rate_ = 0;        // of its time against simulated time: 0 stands, 1 as planned
  bool may_move_ = false;  // a motion lives and is not paused
  bool powered_ = false;
  double pace_ = 1;
  joints start_;  // where to stand before the first motion
};

/// The permission to move along one trajectory. Destroyed: the arm brakes on the path.
class motion {
 public:
  motion(arm& moved, plan::trajectory along);
  ~motion() { arm_.may_move_ = false; }
  motion(const motion&) = delete;
  motion& operator=(const motion&) = delete;

  [[nodiscard]] bool finished() const { return arm_.finished(); }
  void pause() { arm_.may_move_ = false; }
  void resume() { arm_.may_move_ = true; }

 private:
  arm& arm_;
};

/// Power on the arm's drives. Destroyed: they brake the arm to a standstill, then are off, and
/// mechanical brakes hold it (a stop of category 1, IEC 60204-1).
class power {
 public:
  explicit power(arm& powered) : arm_(powered) { arm_.powered_ = true; }
  ~power() { arm_.powered_ = false; }
  power(const power&) = delete;
  power& operator=(const power&) = delete;

 private:
  arm& arm_;
};

}  // namespace workcell::control
