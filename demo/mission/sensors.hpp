// The sensors: each a thread that looks at the cell and interrupts the mission when something is
// up.
//
// A sensor knows nothing of what the mission does or where; it sends an exception with its data,
// and where that is answered is the mission's business. Each loops until it is terminated, or
// fails: an arm that is watched no more must not go on.
#pragma once

#include <sigexc/target.hpp>

#include <stdexcept>
#include <string>

#include "mission/workplace.hpp"

namespace workcell::mission {

/// A sensor does not answer. An error, not an event: it ends the thread that throws it.
class sensor_failed : public std::runtime_error {
 public:
  explicit sensor_failed(const std::string& which);
};

/// Sends obstacle_appeared, with the obstacle, once for each.
void watch_for_obstacles(workplace& at, lockstep_clock::seat& seat, const sigexc::target& mission);

/// Sends person_entered when somebody comes nearer than warning_distance; again after they have
/// left.
void watch_for_people(workplace& at, lockstep_clock::seat& seat, const sigexc::target& mission);

/// Sends slip when the part in hand has moved between the fingers.
void watch_for_slip(workplace& at, lockstep_clock::seat& seat, const sigexc::target& mission);

/// Sends overheated when the drives pass their limit; again after they have cooled down.
void watch_temperature(workplace& at, lockstep_clock::seat& seat, const sigexc::target& mission,
                       double ambient);

/// Sends battery_low to the search that is on, if there is one, and once to each.
void watch_battery(workplace& at, lockstep_clock::seat& seat);

}  // namespace workcell::mission
