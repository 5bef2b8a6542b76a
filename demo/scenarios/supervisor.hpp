// The supervisor's thread: watches the run, ends it when it must, and takes down how it ended.
#pragma once

#include <sigexc/thread.hpp>

#include <functional>

#include "mission/workplace.hpp"
#include "scenarios/history.hpp"

namespace workcell::scenarios {

/// Watches until the mission is over and the cell has come to rest. What ended the mission comes
/// out of its `wait()`: also the events that no level of it could answer.
void supervise(mission::workplace& at, lockstep_clock::seat& seat, sigexc::thread<void>& mission,
               history& kept, const std::function<void(sim_time, const std::string&)>& progress);

}  // namespace workcell::scenarios
