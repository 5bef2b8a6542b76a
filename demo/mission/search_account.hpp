// What a search did that could be paused, as its own callback saw it, and what the mission did with
// it: two accounts that scenarios/invariants.hpp compares with each other and with the world.
#pragma once

#include <sys/types.h>

#include <optional>
#include <vector>

#include "world/units.hpp"

namespace workcell::mission {

struct search_account {
  // By the search.
  struct check {
    int number;  // counted on the search's own stack, from 1
    sim_time when;
    pid_t thread;
  };
  int begun = 0;  // calls of OMPL's solve()
  int found = 0;  // and how many of them have returned with a path
  std::vector<check> checks;

  // By the mission.
  struct pause {
    sim_time paused;
    std::optional<sim_time> parked;    // the arm is at the dock
    std::optional<sim_time> released;  // the search may go on
  };
  std::vector<pause> pauses;
  bool was_dropped = false;  // something else came up, and it was unwound
};

}  // namespace workcell::mission
