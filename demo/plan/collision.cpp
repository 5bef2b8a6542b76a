// Two bits of MuJoCo's filter: the arm's geoms look for both, the arm itself wears one, the rest of
// the cell the other.
#include "plan/collision.hpp"

#include <algorithm>

namespace workcell::plan {
namespace {

constexpr int cell_bit = 1;
constexpr int arm_bit = 2;
constexpr double clearance = 0.015;  // metres that a path keeps from everything

bool is_part_of_arm(const mjModel& model, int body) {
  const int first = mj_name2id(&model, mjOBJ_BODY, "link1");
  while (body > first) body = model.body_parentid[body];
  return body == first;
}

}  // namespace

collision_checker::collision_checker(const world::cell& cell)
    : model_(mj_copyModel(nullptr, &cell.model())), data_(mj_makeData(model_.get())) {
  for (int geom = 0; geom < model_->ngeom; ++geom) {
    const bool is_solid = model_->geom_contype[geom] != 0;
    if (is_part_of_arm(*model_, model_->geom_bodyid[geom])) {
      model_->geom_contype[geom] = is_solid ? cell_bit | arm_bit : 0;
      model_->geom_conaffinity[geom] = is_solid ? arm_bit : 0;
      model_->geom_margin[geom] = clearance;
    } else {
      model_->geom_contype[geom] = 0;
      model_->geom_conaffinity[geom] = is_solid ? cell_bit : 0;
    }
  }
  look(cell);
}

void collision_checker::look(const world::cell& cell) {
  mju_copy(data_->qpos, cell.data().qpos, model_->nq);
  const auto held = cell.held_part();
  for (const std::string& part : world::part_names) {
    const int geom = mj_name2id(model_.get(), mjOBJ_GEOM, part.c_str());
    model_->geom_conaffinity[geom] = part == held ? 0 : cell_bit;
  }
  model_->geom_contype[mj_name2id(model_.get(), mjOBJ_GEOM, "held")] = held ? cell_bit : 0;
}

void collision_checker::add(const world::obstacle& what) {
  world::place_obstacle(*model_, *data_, what);
}

bool collision_checker::is_free(const joints& position) {
  std::copy(position.begin(), position.end(), data_->qpos);
  mj_kinematics(model_.get(), data_.get());
  mj_comPos(model_.get(), data_.get());  // mj_collision's broad phase reads what it computes
  mj_collision(model_.get(), data_.get());
  return data_->ncon == 0;
}

}  // namespace workcell::plan
