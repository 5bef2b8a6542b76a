// The work cell in MuJoCo: the scene, its state, and the questions that sensors may ask of it.
//
// One object owns the model and the data. It is stepped by the physics thread and read by whoever
// has the turn at the clock (world/clock.hpp), hence it has no lock of its own.
#pragma once

#include <mujoco/mujoco.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "world/units.hpp"

namespace workcell::world {

struct model_deleter {
  void operator()(mjModel* model) const { mj_deleteModel(model); }
};
struct data_deleter {
  void operator()(mjData* data) const { mj_deleteData(data); }
};
using model_ptr = std::unique_ptr<mjModel, model_deleter>;
using data_ptr = std::unique_ptr<mjData, data_deleter>;

/// Loads the scene. Throws: std::runtime_error with MuJoCo's own words.
[[nodiscard]] model_ptr load_scene(const std::filesystem::path& file);

/// A box that stands where none was.
struct obstacle {
  vec3 place;
  vec3 half_size;
};

/// Puts the scene's one obstacle body to `what`, in the true world or in a planner's copy of it.
void place_obstacle(mjModel& model, mjData& data, const obstacle& what);

enum class whereabouts { tray, bin, hand, elsewhere };
[[nodiscard]] std::string_view to_string(whereabouts place);

extern const std::vector<std::string> part_names;

class cell {
 public:
  /// @param seed of the small disorder in which the parts lie on the tray.
  cell(const std::filesystem::path& scene, std::uint64_t seed);

  /// One millisecond of physics. `control` sets the drives between the two halves of the step.
  void step(const std::function<void()>& control);

  // The arm and its gripper.
  [[nodiscard]] joints arm_position() const;
  [[nodiscard]] joints arm_velocity() const;
  [[nodiscard]] double arm_speed() const;  // of the fastest joint, rad/s
  /// The tool is at the dock, and the arm stands.
  [[nodiscard]] bool is_docked() const;
  /// Drives the joints with this acceleration; inertia and gravity are compensated.
  void accelerate_arm(const joints& acceleration);
  void put_arm(const joints& position);
  void power_gripper_drive(bool on);
  [[nodiscard]] bool gripper_drive_powered() const;
  [[nodiscard]] double finger_travel() const;  // 0: closed
  /// Both fingers touch `part`.
  [[nodiscard]] bool holds(std::string_view part) const;
  [[nodiscard]] std::optional<std::string> held_part() const;
  /// What the arm collides with, beyond fingers on parts.
  [[nodiscard]] std::optional<std::string> collision() const;

  // Parts.
  [[nodiscard]] vec3 part_place(std::string_view part) const;
  [[nodiscard]] double part_yaw(std::string_view part) const;
  /// Makes fingers and parts as slippery as a film of oil does, or dry again.
  void oil_fingers(bool oily);
  /// Where `part` is as seen from the hand: constant unless it slips.
  [[nodiscard]] vec3 part_in_hand(std::string_view part) const;
  [[nodiscard]] whereabouts where_is(std::string_view part) const;

  // The person and the obstacle.
  void put_person(const vec3& place);
  [[nodiscard]] vec3 person_place() const;
  /// From the person's outline to the nearest joint or tool of the arm, each taken as a ball.
  [[nodiscard]] double person_distance() const;
  void put_obstacle(const obstacle& what);
  [[nodiscard]] const std::optional<obstacle>& present_obstacle() const { return obstacle_; }

  [[nodiscard]] const mjModel& model() const { return *model_; }
  [[nodiscard]] const mjData& data() const { return *data_; }
  /// A copy of the present state, for a picture.
  [[nodiscard]] data_ptr snapshot() const;

 private:
  [[nodiscard]] int body(std::string_view name) const;
  [[nodiscard]] bool touch(int body_a, int body_b) const;
  [[nodiscard]] bool belongs_to_arm(int body) const;
  void scatter_parts(std::uint64_t seed);

  model_ptr model_;
  data_ptr data_;
  std::vector<mjtNum> dry_friction_;
  std::optional<obstacle> obstacle_;
};

}  // namespace workcell::world
