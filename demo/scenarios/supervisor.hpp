// The supervisor's thread: watches the run, ends it when it must, and takes down how it ended.
#pragma once

#include <sigexc/structured.hpp>

#include <functional>

#include "mission/workplace.hpp"
#include "scenarios/history.hpp"

namespace workcell::scenarios {

/// Watches until the mission is over and the cell has come to rest. What ended it comes out of the
/// crew's `join()`: what a member failed by, but not that the others were terminated for it; and
/// the events that no level of the mission could answer. A `keyboard_interrupt` to the calling
/// thread ends the mission early; the caller has blocked it.
void supervise(mission::workplace& at, lockstep_clock::seat& seat, sigexc::task_group& crew,
               history& kept, const std::function<void(sim_time, const std::string&)>& progress);

}  // namespace workcell::scenarios
