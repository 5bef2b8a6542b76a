// A planner object lives for one plan: nothing of an interrupted search is used again.
#include "plan/planner.hpp"

#include <ompl/base/PlannerTerminationCondition.h>
#include <ompl/base/objectives/PathLengthOptimizationObjective.h>
#include <ompl/base/spaces/RealVectorStateSpace.h>
#include <ompl/geometric/PathSimplifier.h>
#include <ompl/geometric/planners/rrt/RRTConnect.h>
#include <ompl/geometric/planners/rrt/RRTstar.h>
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

/// From here to there, clear of everything. Each validity check is a safe point.
struct planner::problem {
  problem(collision_checker& known_world, const joints& start, const joints& goal,
          const progress& told)
      : checker(known_world),
        from(start),
        to(goal),
        space(std::make_shared<ob::SpaceInformation>(joint_space())) {
    space->setStateValidityChecker([this, &told](const ob::State* state) {
      ++checks;
      told.checked();
      sigexc::safe_point();
      return checker.is_free(to_joints(state));
    });
    space->setup();
    definition = std::make_shared<ob::ProblemDefinition>(space);
    definition->setStartAndGoalStates(to_state(space, from), to_state(space, to));
  }
  problem(const problem&) = delete;
  problem& operator=(const problem&) = delete;

  void solve(ob::Planner& search, const ob::PlannerTerminationCondition& give_up) {
    search.setProblemDefinition(definition);
    search.setup();
    if (search.solve(give_up) == ob::PlannerStatus::EXACT_SOLUTION) return;
    throw no_path(checker.is_free(from) ? checker.is_free(to) ? "no way found" : "the goal collides"
                                        : "the start collides");
  }
  og::PathGeometric& path() { return *definition->getSolutionPath()->as<og::PathGeometric>(); }
  std::vector<joints> points() {
    std::vector<joints> all;
    for (const ob::State* state : path().getStates()) all.push_back(to_joints(state));
    return all;
  }

  collision_checker& checker;
  const joints from;
  const joints to;
  ob::SpaceInformationPtr space;
  ob::ProblemDefinitionPtr definition;
  int checks = 0;
};

std::vector<joints> planner::plan(const joints& from, const joints& to, const progress& told) {
  problem posed(checker_, from, to, told);
  const ob::PlannerTerminationCondition give_up([&posed] {
    sigexc::safe_point();
    return posed.checks > most_checks;
  });
  og::RRTConnect search(posed.space);
  search.setRange(step_length);
  posed.solve(search, give_up);

  told.simplifying();
  og::PathSimplifier(posed.space).simplify(posed.path(), give_up);
  return posed.points();
}

std::vector<joints> planner::plan_short(const joints& from, const joints& to, double at_most,
                                        const progress& told) {
  problem posed(checker_, from, to, told);
  const auto length = std::make_shared<ob::PathLengthOptimizationObjective>(posed.space);
  length->setCostThreshold(ob::Cost(at_most));
  posed.definition->setOptimizationObjective(length);
  const ob::PlannerTerminationCondition never([] {
    sigexc::safe_point();
    return false;
  });
  og::RRTstar search(posed.space);
  search.setRange(step_length);
  posed.solve(search, never);
  return posed.points();
}

}  // namespace workcell::plan
