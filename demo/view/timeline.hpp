// The run as a picture: the mission's nested phases, the gripper's drive, the person, the events.
#pragma once

#include <filesystem>

#include "scenarios/history.hpp"
#include "scenarios/scenario.hpp"

namespace workcell::view {

/// Draws the timeline into an SVG file. Throws: std::runtime_error where it cannot be written.
void draw_timeline(const scenarios::history& of, const scenarios::scenario& played,
                   const std::filesystem::path& file);

}  // namespace workcell::view
