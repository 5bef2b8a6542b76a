// The mission: plain sequential code that delivers parts, and answers what happens on the way.
//
//   run                 emergency_stop: nobody answers, everything unwinds
//   └ work_off_order    order_changed: takes the new order
//     └ deliver
//       ├ pick
//       │ ├ move_to     obstacle_appeared: plans anew; person_entered while planning: waits
//       │ │ ├ plan_short  the end of its time: gives up, and so plans
//       │ │ ├ plan        (raised out of OMPL's frames); on a battery: pauses (sparing.cpp)
//       │ │ └ follow    person_entered: protective stop, then goes on from where the arm stands
//       │ └ grip        three at once: one group, answered member by member
//       └ carry         slip: goes on more gently
//         └ move_to …
//
// overheated is answered by a callback wherever it arrives: the arm slows down, nothing is raised.
//
// One rule keeps this simple: everything is blocked, and each level opens, inside its own `try`,
// what it can answer. So no event can come where nobody is prepared, not even in a catch clause
// (D7).
#pragma once

#include <sigexc/sigexc.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "mission/workplace.hpp"
#include "plan/kinematics.hpp"
#include "plan/planner.hpp"

namespace workcell::mission {

/// The work itself went wrong: an error, not an event.
class mission_failed : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// A wish for the way to a part: at most `detour` times as long as the direct one, in joint space.
/// Below 1 there is none.
struct short_way {
  double detour = 1;
  std::chrono::milliseconds think_for{0};  // of the wall clock
};

class mission {
 public:
  mission(workplace& at, lockstep_clock::seat& seat, std::vector<std::string> order,
          std::uint64_t seed, std::optional<short_way> wish = std::nullopt);

  /// Works off the order. Leaves by mission_failed, no_path, or by what it does not answer:
  /// emergency_stop and sigexc::terminated.
  void run();

 private:
  enum class way { planned, brief, straight };
  class standstill;
  class loan;
  class pausable;

  void work_off_order();
  void deliver(std::string part);  // by value: the order may change meanwhile
  void pick(const std::string& part);
  void grip(const std::string& part, std::optional<control::opening>& fingers_apart);
  void carry(const std::string& part);
  void release(const std::string& part);
  void move_to(const plan::tool_pose& goal, way how = way::planned);
  [[nodiscard]] plan::trajectory plan(const plan::tool_pose& goal);
  [[nodiscard]] std::optional<plan::trajectory> plan_short(const plan::tool_pose& goal);
  [[nodiscard]] std::vector<joints> search_sparing_battery(
      const std::function<std::vector<joints>()>& compute, search_account& account);
  void park(const std::vector<joints>& line);
  void note_check(search_account& account, int number);
  [[nodiscard]] plan::trajectory straight_line(const plan::tool_pose& goal);
  [[nodiscard]] std::vector<joints> straight_points(const plan::tool_pose& goal);
  void follow(plan::trajectory path);

  void protective_stop(const person_entered& seen);
  void take_over(const order_changed& change);
  [[nodiscard]] plan::tool_pose slot_in_bin() const;

  template <class Action>
  void uninterrupted(std::string_view what, Action&& action);
  void next_cycle(sim_time duration = control_cycle) { next_cycle(duration, seat_); }
  void next_cycle(sim_time duration, lockstep_clock::seat& seat);
  void wait_until(std::string_view what, sim_time at_most, const std::function<bool()>& condition);
  void dwell(sim_time duration);

  static constexpr sim_time control_cycle{2};

  workplace& at_;
  lockstep_clock::seat& seat_;
  lockstep_clock::seat* computer_ = &seat_;  // where planning takes its time
  plan::planner planner_;
  std::optional<short_way> wish_;
  std::vector<std::string> order_;  // what is still to be delivered
  std::vector<std::string> delivered_;
};

}  // namespace workcell::mission
