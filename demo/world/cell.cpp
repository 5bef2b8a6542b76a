// The arm's joints come first in the scene, so their indices in MuJoCo's arrays are 0 to 5.
#include "world/cell.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <random>
#include <stdexcept>

#include "world/battery.hpp"

namespace workcell::world {
namespace {

constexpr double person_radius = 0.19;
constexpr double arm_radius = 0.10;
constexpr int drive_of_gripper = joint_count;  // its place among the actuators

vec3 to_vec3(const mjtNum* from) { return {from[0], from[1], from[2]}; }

bool is_within(const vec3& place, const vec3& centre, const vec3& half_size) {
  for (std::size_t i = 0; i < 3; ++i) {
    if (std::abs(place[i] - centre[i]) > half_size[i]) return false;
  }
  return true;
}

}  // namespace

const std::vector<std::string> part_names{"red", "blue", "green", "yellow"};

std::string_view to_string(whereabouts place) {
  constexpr std::array<std::string_view, 4> names{"tray", "bin", "hand", "elsewhere"};
  return names[static_cast<std::size_t>(place)];
}

model_ptr load_scene(const std::filesystem::path& file) {
  std::array<char, 1000> reason{};
  model_ptr model(mj_loadXML(file.c_str(), nullptr, reason.data(), int{reason.size()}));
  if (!model) throw std::runtime_error("cannot load " + file.string() + ": " + reason.data());
  return model;
}

void place_obstacle(mjModel& model, mjData& data, const obstacle& what) {
  const int body = mj_name2id(&model, mjOBJ_BODY, "obstacle");
  const int geom = mj_name2id(&model, mjOBJ_GEOM, "obstacle");
  mju_copy3(data.mocap_pos + 3 * model.body_mocapid[body], what.place.data());
  mju_copy3(model.geom_size + 3 * geom, what.half_size.data());
  model.geom_rbound[geom] = mju_norm3(what.half_size.data());
}

cell::cell(const std::filesystem::path& scene, std::uint64_t seed)
    : model_(load_scene(scene)), data_(mj_makeData(model_.get())) {
  dry_friction_.assign(model_->geom_friction, model_->geom_friction + 3 * model_->ngeom);
  scatter_parts(seed);
  mj_forward(model_.get(), data_.get());
}

void cell::scatter_parts(std::uint64_t seed) {
  std::mt19937_64 random(seed);
  // Not std::uniform_real_distribution: its results differ between standard libraries.
  const auto uniform = [&random](double half_width) {
    return half_width * (2 * static_cast<double>(random() >> 11) * 0x1.0p-53 - 1);
  };
  for (const std::string& part : part_names) {
    mjtNum* pose = data_->qpos + model_->jnt_qposadr[model_->body_jntadr[body(part)]];
    pose[0] += uniform(0.010);
    pose[1] += uniform(0.010);
    const double yaw = uniform(0.35);
    pose[3] = std::cos(yaw / 2);
    pose[6] = std::sin(yaw / 2);
  }
}

void cell::step(const std::function<void()>& control) {
  mj_step1(model_.get(), data_.get());
  control();
  mj_step2(model_.get(), data_.get());
}

joints cell::arm_position() const {
  joints position;
  std::copy_n(data_->qpos, joint_count, position.begin());
  return position;
}

joints cell::arm_velocity() const {
  joints velocity;
  std::copy_n(data_->qvel, joint_count, velocity.begin());
  return velocity;
}

double cell::arm_speed() const {
  double fastest = 0;
  for (const double speed : arm_velocity()) fastest = std::max(fastest, std::abs(speed));
  return fastest;
}

void cell::accelerate_arm(const joints& acceleration) {
  std::vector<mjtNum> wanted(static_cast<std::size_t>(model_->nv));
  std::vector<mjtNum> torque(wanted.size());
  std::copy(acceleration.begin(), acceleration.end(), wanted.begin());
  mj_mulM(model_.get(), data_.get(), torque.data(), wanted.data());
  for (std::size_t i = 0; i < joint_count; ++i) {
    data_->ctrl[i] = torque[i] + data_->qfrc_bias[i] - data_->qfrc_passive[i];
  }
}

void cell::put_arm(const joints& position) {
  std::copy(position.begin(), position.end(), data_->qpos);
  mj_forward(model_.get(), data_.get());
}

void cell::power_gripper_drive(bool on) { data_->ctrl[drive_of_gripper] = on ? 1 : 0; }
bool cell::gripper_drive_powered() const { return data_->ctrl[drive_of_gripper] > 0; }
double cell::finger_travel() const { return data_->qpos[joint_count]; }

bool cell::holds(std::string_view part) const {
  return touch(body("finger_left"), body(part)) && touch(body("finger_right"), body(part));
}

std::optional<std::string> cell::held_part() const {
  for (const std::string& part : part_names) {
    if (holds(part)) return part;
  }
  return std::nullopt;
}

std::optional<std::string> cell::collision() const {
  for (int i = 0; i < data_->ncon; ++i) {
    int inner = model_->geom_bodyid[data_->contact[i].geom1];
    int outer = model_->geom_bodyid[data_->contact[i].geom2];
    if (!belongs_to_arm(inner)) std::swap(inner, outer);
    if (!belongs_to_arm(inner)) continue;
    const bool is_finger = inner == body("finger_left") || inner == body("finger_right");
    const bool is_part = model_->body_dofnum[outer] == 6;
    if (is_finger && is_part) continue;
    return std::string(mj_id2name(model_.get(), mjOBJ_BODY, outer));
  }
  return std::nullopt;
}

vec3 cell::part_place(std::string_view part) const { return to_vec3(data_->xpos + 3 * body(part)); }

double cell::part_yaw(std::string_view part) const {
  const mjtNum* rotation = data_->xmat + 9 * body(part);
  return std::atan2(rotation[3], rotation[0]);
}

void cell::oil_fingers(bool oily) {
  // Of two geoms in contact MuJoCo takes the larger friction, so all are oiled; who stands still
  // does not feel it.
  constexpr double film = 0.012;
  for (int geom = 0; geom < 3 * model_->ngeom; ++geom) {
    const double dry = dry_friction_[static_cast<std::size_t>(geom)];
    model_->geom_friction[geom] = oily ? film * dry : dry;
  }
}

vec3 cell::part_in_hand(std::string_view part) const {
  const int hand = body("hand");
  vec3 offset;
  mju_sub3(offset.data(), data_->xpos + 3 * body(part), data_->xpos + 3 * hand);
  vec3 turned;
  mju_rotVecMatT(turned.data(), offset.data(), data_->xmat + 9 * hand);
  return turned;
}

whereabouts cell::where_is(std::string_view part) const {
  if (holds(part)) return whereabouts::hand;
  const vec3 place = part_place(part);
  if (is_within(place, {0.47, -0.40, 0.84}, {0.16, 0.16, 0.04})) return whereabouts::tray;
  if (is_within(place, {0.47, 0.40, 0.85}, {0.16, 0.16, 0.05})) return whereabouts::bin;
  return whereabouts::elsewhere;
}

void cell::put_person(const vec3& place) {
  mju_copy3(data_->mocap_pos + 3 * model_->body_mocapid[body("person")], place.data());
}

vec3 cell::person_place() const {
  return to_vec3(data_->mocap_pos + 3 * model_->body_mocapid[body("person")]);
}

double cell::person_distance() const {
  const vec3 person = person_place();
  double nearest = std::numeric_limits<double>::infinity();
  const auto look_at = [&](const mjtNum* point) {
    nearest = std::min(nearest, std::hypot(point[0] - person[0], point[1] - person[1]));
  };
  for (const char* link : {"link2", "link3", "link4", "link5", "hand"}) {
    look_at(data_->xpos + 3 * body(link));
  }
  look_at(data_->site_xpos);  // the tool's centre, the scene's only site
  return nearest - person_radius - arm_radius;
}

bool cell::is_docked() const {
  constexpr double contact = 0.005;       // metres
  constexpr double standing = 0.03;       // rad/s
  const mjtNum* tool = data_->site_xpos;  // the scene's only site
  return std::hypot(tool[0] - dock[0], tool[1] - dock[1], tool[2] - dock[2]) < contact &&
         arm_speed() < standing;
}

void cell::put_obstacle(const obstacle& what) {
  obstacle_ = what;
  place_obstacle(*model_, *data_, what);
}

data_ptr cell::snapshot() const {
  return data_ptr(mj_copyData(nullptr, model_.get(), data_.get()));
}

int cell::body(std::string_view name) const {
  const int id = mj_name2id(model_.get(), mjOBJ_BODY, std::string(name).c_str());
  if (id < 0) throw std::out_of_range("the scene has no body \"" + std::string(name) + "\"");
  return id;
}

bool cell::touch(int body_a, int body_b) const {
  for (int i = 0; i < data_->ncon; ++i) {
    const int first = model_->geom_bodyid[data_->contact[i].geom1];
    const int second = model_->geom_bodyid[data_->contact[i].geom2];
    if ((first == body_a && second == body_b) || (first == body_b && second == body_a)) return true;
  }
  return false;
}

bool cell::belongs_to_arm(int body_id) const {
  const int root = body("link1");
  for (int id = body_id; id > 0; id = model_->body_parentid[id]) {
    if (id == root) return true;
  }
  return false;
}

}  // namespace workcell::world
