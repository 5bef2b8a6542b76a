// What the arm would touch if it stood elsewhere: the planner's own copy of the scene.
//
// A second model and data of the same scene, whose contact filter is turned into a question: geoms
// of the arm against everything else and against links that are not neighbours, with a margin. It
// knows only what it is told: the parts as they lie, the obstacles that somebody has reported. A
// held part is a box in the hand.
#pragma once

#include "world/cell.hpp"

namespace workcell::plan {

class collision_checker {
 public:
  explicit collision_checker(const world::cell& cell);

  /// Takes over where the parts lie now, and which of them is in the hand.
  void look(const world::cell& cell);
  /// From now on paths keep clear of this.
  void add(const world::obstacle& what);

  [[nodiscard]] bool is_free(const joints& position);

 private:
  world::model_ptr model_;
  world::data_ptr data_;
};

}  // namespace workcell::plan
