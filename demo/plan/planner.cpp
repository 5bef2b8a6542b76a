// A planner object lives for one plan: nothing of an interrupted search is used again.
#include "plan/planner.hpp"

#include <ompl/base/PlannerTerminationCondition.h>
#include <ompl/base/spaces/RealVectorStateSpace.h>
#include <ompl/geometric/PathSimplifier.h>
#include <ompl/geometric/planners/rrt/RRTConnect.h>
#include <ompl/util/Console.h>
#include <ompl/util/RandomNumbers.h>

#include <algorithm>
#include <sigexc/safe_point.hpp>

#include "plan/kinematics.hpp"

namespace workcell::plan {
namespace {

namespace ob = ompl::base;
namespace og = ompl::geometric;

constexpr int most_checks = 40'000;  // then there is no path, as far as we can wait
constexpr double step_length = 0.5;  // of the search, radians over all joints
constexpr double check_length =
    0.006;  // share of the space's extent between two checks of a motion

joints to_joints(const ob::State* state) {
  const double* values = state->as<ob::RealVectorStateSpace::StateType>()->values;
  joints position;
  std::copy_n(values, joint_count, position.begin());
  return position;
}

ob::ScopedState<> to_state(const ob::SpaceInformationPtr& space, const joints& position) {
  ob::ScopedState<> state(space);
  for (std::size_t i = 0; i < joint_count; ++i) state[static_cast<unsigned>(i)] = position[i];
  return state;
}

std::shared_ptr<ob::RealVectorStateSpace> joint_space() {
  auto space = std::make_shared<ob::RealVectorStateSpace>(unsigned{joint_count});
  ob::RealVectorBounds bounds(unsigned{joint_count});
  for (std::size_t i = 0; i < joint_count; ++i) {
    bounds.setLow(static_cast<unsigned>(i), lower_limit[i]);
    bounds.setHigh(static_cast<unsigned>(i), upper_limit[i]);
  }
  space->setBounds(bounds);
  space->setLongestValidSegmentFraction(check_length);
  return space;
}

}  // namespace

planner::planner(const world::cell& cell, std::uint64_t seed) : checker_(cell) {
  ompl::msg::setLogLevel(ompl::msg::LOG_NONE);
  ompl::RNG::setSeed(static_cast<std::uint_fast32_t>(seed % 0x7fffffff + 1));
}

std::vector<joints> planner::plan(const joints& from, const joints& to, const progress& told) {
  const auto space = std::make_shared<ob::SpaceInformation>(joint_space());
  int checks = 0;
  space->setStateValidityChecker([&](const ob::State* state) {
    ++checks;
    told.checked();
    sigexc::safe_point();
    return checker_.is_free(to_joints(state));
  });
  space->setup();
  const ob::PlannerTerminationCondition give_up([&checks] {
    sigexc::safe_point();
    return checks > most_checks;
  });

  const auto problem = std::make_shared<ob::ProblemDefinition>(space);
  problem->setStartAndGoalStates(to_state(space, from), to_state(space, to));
  og::RRTConnect search(space);
  search.setRange(step_length);
  search.setProblemDefinition(problem);
  search.setup();
  if (search.solve(give_up) != ob::PlannerStatus::EXACT_SOLUTION) {
    throw no_path(checker_.is_free(from)
                      ? checker_.is_free(to) ? "no way found" : "the goal collides"
                      : "the start collides");
  }

  told.simplifying();
  auto& path = *problem->getSolutionPath()->as<og::PathGeometric>();
  og::PathSimplifier(space).simplify(path, give_up);

  std::vector<joints> points;
  for (const ob::State* state : path.getStates()) points.push_back(to_joints(state));
  return points;
}

}  // namespace workcell::plan
