// The closed-form kinematics against the scene: two descriptions of one arm must agree.
#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "plan/kinematics.hpp"
#include "world/cell.hpp"

namespace workcell {
namespace {

vec3 tool_in_scene(world::cell& cell, const joints& position) {
  cell.put_arm(position);
  const mjtNum* place = cell.data().site_xpos;
  return {place[0], place[1], place[2]};
}

TEST(Kinematics, ReachesWhatItIsAskedForInMuJoCosOwnReckoning) {
  world::cell cell(WORKCELL_SCENE, 1);
  for (double x = 0.35; x < 0.6; x += 0.05) {
    for (double y = -0.5; y < 0.51; y += 0.1) {
      const vec3 wanted{x, y, 0.95};
      const auto position = plan::reach({wanted, 0.3});
      ASSERT_TRUE(position.has_value()) << x << ' ' << y;
      const vec3 there = tool_in_scene(cell, *position);
      for (std::size_t i = 0; i < 3; ++i) EXPECT_NEAR(there[i], wanted[i], 1e-9);
    }
  }
}

TEST(Kinematics, ToolOfIsTheInverseOfReach) {
  const plan::tool_pose wanted{{0.45, -0.3, 1.0}, 0.4};
  const plan::tool_pose back = plan::tool_of(plan::reach(wanted).value());
  for (std::size_t i = 0; i < 3; ++i) EXPECT_NEAR(back.place[i], wanted.place[i], 1e-12);
  EXPECT_NEAR(back.yaw, wanted.yaw, 1e-12);
}

TEST(Kinematics, OpensTheFingersAlongTheYaw) {
  world::cell cell(WORKCELL_SCENE, 1);
  cell.put_arm(plan::reach({{0.45, 0.2, 1.0}, 0.25}).value());
  const mjtNum* hand = cell.data().xmat + 9 * mj_name2id(&cell.model(), mjOBJ_BODY, "hand");
  const double turned = std::atan2(-hand[1], hand[4]);  // of the hand's y axis against the world's
  EXPECT_NEAR(std::remainder(turned - 0.25, std::numbers::pi), 0, 1e-9);
}

TEST(Kinematics, SaysWhatIsOutOfReach) {
  EXPECT_FALSE(plan::reach({{2.0, 0, 1.0}, 0}).has_value());
  EXPECT_FALSE(plan::reach({{0.0, 0.0, 0.88}, 0}).has_value());
}

}  // namespace
}  // namespace workcell
