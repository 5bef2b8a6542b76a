// A picture of the cell, rendered by MuJoCo without a display, through EGL, and written by cairo.
#pragma once

#include <mujoco/mujoco.h>

#include <filesystem>
#include <stdexcept>

namespace workcell::view {

/// There is no way to render here. The run goes on without a picture.
class cannot_render : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Draws the scene as its camera "overview" sees it into a PNG file. Throws: cannot_render.
void draw_picture(const mjModel& model, mjData& data, const std::filesystem::path& file);

}  // namespace workcell::view
