// The judge is judged: histories with one wrong each must be found out, a good one must not.
#include <gtest/gtest.h>

#include <string>

#include "scenarios/invariants.hpp"

namespace workcell::scenarios {
namespace {

using sigexc::delivery;
using world::whereabouts;

scenario plain_scenario() {
  scenario played;
  played.places = {{"red", whereabouts::bin}, {"blue", whereabouts::tray}};
  played.answers = {{"person_entered", "follow", "follow", 1}};
  return played;
}

/// Of a search that was paused behind its second check, and went on by another thread.
mission::search_account paused_search() {
  mission::search_account search;
  search.begun = search.found = 1;
  search.checks = {{1, sim_time(200), 7}, {2, sim_time(201), 7}, {3, sim_time(260), 8}};
  search.pauses = {{sim_time(202), sim_time(230), sim_time(260)}};
  return search;
}

history good_history() {
  history good;
  good.parts = {{"red", whereabouts::bin},
                {"blue", whereabouts::tray},
                {"green", whereabouts::tray},
                {"yellow", whereabouts::tray}};
  good.openings = {{sim_time(100), sim_time(500)}};
  good.drive_powered = {{sim_time(100), sim_time(500)}};
  mission::ledger::entry person;
  person.name = "person_entered";
  person.raised_in = "run/carry/move_to/follow";
  person.answered_by = "follow";
  person.answers = 1;
  mission::ledger::entry order;
  order.name = "order_changed";
  order.sender = "bus";
  order.answers = 1;
  good.interrupts = {person, order};
  good.deliveries = {delivery::raised, delivery::raised};
  good.searches = {paused_search()};
  good.docked = {{sim_time(0), sim_time(90)}, {sim_time(225), sim_time(300)}};
  good.bus = {.written = "order red\nstop\n", .read = "order red\nst", .left = "op\n"};
  good.ended = sim_time(9000);
  return good;
}

/// The one invariant that is found violated; "none" or "many" otherwise.
std::string verdict(const history& judged) {
  const auto found = check(judged, plain_scenario());
  if (found.empty()) return "none";
  return found.size() == 1 ? found.front().which : "many";
}

TEST(Invariants, FindNothingWrongInAGoodHistory) { EXPECT_EQ(verdict(good_history()), "none"); }

TEST(Invariants, MissAPartThatIsLost) {
  history bad = good_history();
  bad.parts[2].place = whereabouts::elsewhere;
  EXPECT_EQ(verdict(bad), "parts");
}

TEST(Invariants, MissAPartThatNobodyHasSeen) {
  history bad = good_history();
  bad.parts.pop_back();
  EXPECT_EQ(verdict(bad), "parts");
}

TEST(Invariants, FindAPartThatIsInTwoPlaces) {
  history bad = good_history();
  bad.parts.push_back({"red", whereabouts::hand});
  EXPECT_EQ(verdict(bad), "parts");
}

TEST(Invariants, FindAPartInTheWrongPlace) {
  history bad = good_history();
  bad.parts[0].place = whereabouts::tray;
  EXPECT_EQ(verdict(bad), "parts");
}

TEST(Invariants, FindASingleTickOfPowerAfterAnOpening) {
  history bad = good_history();
  bad.drive_powered[0].end += one_tick;
  EXPECT_EQ(verdict(bad), "gripper");
}

TEST(Invariants, FindPowerWithoutAnyOpening) {
  history bad = good_history();
  bad.drive_powered.push_back({sim_time(700), sim_time(710)});
  EXPECT_EQ(verdict(bad), "gripper");
}

TEST(Invariants, FindAnInterruptRaisedInsideABlock) {
  history bad = good_history();
  bad.raised_in_block = {"grip"};
  EXPECT_EQ(verdict(bad), "blocks");
  EXPECT_EQ(check_so_far(bad).size(), 1U);
}

TEST(Invariants, FindAnInterruptThatWasRaisedButNotAnswered) {
  history bad = good_history();
  bad.interrupts.push_back(bad.interrupts.front());
  bad.deliveries.push_back(delivery::raised);
  bad.interrupts.back().answers = 0;
  EXPECT_EQ(verdict(bad), "interrupts");
}

TEST(Invariants, FindAnInterruptThatWasAnsweredTwice) {
  history bad = good_history();
  bad.interrupts.front().answers = 2;
  EXPECT_EQ(verdict(bad), "interrupts");
}

TEST(Invariants, FindAnInterruptThatWasAnsweredThoughItWasNeverDelivered) {
  for (const delivery state : {delivery::withdrawn, delivery::discarded}) {
    history bad = good_history();
    bad.deliveries.front() = state;
    EXPECT_EQ(verdict(bad), "interrupts");
  }
}

TEST(Invariants, FindAnInterruptThatIsStillPendingAtTheEnd) {
  history bad = good_history();
  bad.interrupts.push_back(bad.interrupts.front());
  bad.deliveries.push_back(delivery::pending);
  EXPECT_EQ(verdict(bad), "interrupts");
}

TEST(Invariants, AllowWhatIsReportedUndelivered) {
  history good = good_history();
  good.interrupts.push_back(good.interrupts.front());
  good.interrupts.back().answers = 0;
  good.deliveries.push_back(delivery::discarded);
  EXPECT_EQ(verdict(good), "none");
  ASSERT_EQ(undelivered(good).size(), 1U);
  EXPECT_EQ(undelivered(good).front(), "person_entered (discarded)");
}

TEST(Invariants, MissAByteThatTheBusHasLost) {
  history bad = good_history();
  bad.bus.left = "p\n";
  EXPECT_EQ(verdict(bad), "bus");
}

TEST(Invariants, FindAByteThatTheBusHasTwiceOrInTheWrongPlace) {
  history bad = good_history();
  bad.bus.read += 'o';
  EXPECT_EQ(verdict(bad), "bus");
  bad = good_history();
  bad.bus.left = "po\n";
  EXPECT_EQ(verdict(bad), "bus");
}

TEST(Invariants, FindAMessageThatBecameNoInterruptOrTwo) {
  history bad = good_history();
  bad.interrupts.back().sender = "somebody else";
  EXPECT_EQ(verdict(bad), "bus");
  bad = good_history();
  bad.interrupts.push_back(bad.interrupts.back());
  bad.deliveries.push_back(delivery::raised);
  EXPECT_EQ(verdict(bad), "bus");
}

TEST(Invariants, FindAnArmThatMovesNextToAPerson) {
  history bad = good_history();
  bad.too_near = sighting{sim_time(1234), "run/carry", "0.50 m"};
  EXPECT_EQ(verdict(bad), "distance");
  const auto found = check_so_far(bad);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found.front().when, sim_time(1234));
  EXPECT_EQ(found.front().where, "run/carry");
}

TEST(Invariants, FindACollision) {
  history bad = good_history();
  bad.collision = sighting{sim_time(10), "run", "the arm touches the wall"};
  EXPECT_EQ(verdict(bad), "collisions");
}

TEST(Invariants, FindASearchThatComputesWhileItIsPaused) {
  history bad = good_history();
  bad.searches[0].checks[2].when = sim_time(259);
  EXPECT_EQ(verdict(bad), "searches");
}

TEST(Invariants, FindASearchThatBeganAnewInsteadOfGoingOn) {
  history bad = good_history();
  bad.searches[0].checks[2].number = 1;
  EXPECT_EQ(verdict(bad), "searches");
  bad = good_history();
  bad.searches[0].begun = 2;
  EXPECT_EQ(verdict(bad), "searches");
}

TEST(Invariants, FindASearchThatWentOnByTheSameThread) {
  history bad = good_history();
  bad.searches[0].checks[2].thread = 7;
  EXPECT_EQ(verdict(bad), "searches");
}

TEST(Invariants, FindAnArmThatWasNotParkedOrDidNotStayWhileASearchWasPaused) {
  history bad = good_history();
  bad.searches[0].pauses[0].parked.reset();
  EXPECT_EQ(verdict(bad), "searches");
  bad = good_history();
  bad.docked[1].begin = sim_time(231);
  EXPECT_EQ(verdict(bad), "searches");
  bad = good_history();
  bad.docked = {{sim_time(225), sim_time(240)}, {sim_time(241), sim_time(300)}};
  EXPECT_EQ(verdict(bad), "searches");
}

TEST(Invariants, FindASearchThatWasNeverLetOnOrNeverEnded) {
  history bad = good_history();
  bad.searches[0].pauses[0].released.reset();
  bad.searches[0].found = 0;
  bad.searches[0].checks.pop_back();
  EXPECT_NE(verdict(bad), "none");
  bad.searches[0].was_dropped = true;  // for something else that came up
  EXPECT_EQ(verdict(bad), "none");
  bad = good_history();
  bad.searches[0].found = 0;
  EXPECT_EQ(verdict(bad), "searches");
}

TEST(Invariants, FindARunThatDidNotShowWhatItIsFor) {
  history bad = good_history();
  bad.interrupts.front().raised_in = "run/carry/move_to/plan";
  EXPECT_EQ(verdict(bad), "scenario");
}

TEST(Invariants, AskOfAnInterruptedRunThatTheRobotIsSafeButNotThatItIsDone) {
  history stopped = good_history();
  stopped.was_interrupted = true;
  stopped.ended_by = "Ctrl-C";
  stopped.parts[0].place = whereabouts::hand;
  EXPECT_EQ(verdict(stopped), "none");
  stopped.parts[0].place = whereabouts::elsewhere;
  EXPECT_EQ(verdict(stopped), "parts");
}

TEST(Invariants, FindALogThatDoesNotSayWhatItMust) {
  scenario told = plain_scenario();
  told.notes = {"in time"};
  history whole = good_history();
  EXPECT_EQ(check(whole, told).size(), 1U);
  whole.log = {{sim_time(5), "no way in time, takes any"}};
  EXPECT_TRUE(check(whole, told).empty());
}

TEST(Invariants, FindAMissionThatFailedAndOneThatShouldHaveBeenStopped) {
  history failed = good_history();
  failed.ended_by = "waited too long until the gripper opens";
  EXPECT_EQ(verdict(failed), "scenario");

  scenario to_be_stopped = plain_scenario();
  to_be_stopped.ends_by_emergency = true;
  EXPECT_EQ(check(good_history(), to_be_stopped).size(), 1U);

  scenario to_be_failed = plain_scenario();
  to_be_failed.ends_by = "the slip sensor does not answer";
  EXPECT_EQ(check(good_history(), to_be_failed).size(), 1U);
  EXPECT_EQ(check(failed, to_be_failed).size(), 1U);  // another cause than the first
  failed.ended_by = to_be_failed.ends_by;
  EXPECT_TRUE(check(failed, to_be_failed).empty());
}

}  // namespace
}  // namespace workcell::scenarios
