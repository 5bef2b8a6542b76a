// The mission's catch clause: members of a group are answered where they can be, and counted; an
// emergency among them waits for nobody.
#include <gtest/gtest.h>

#include <sigexc/sigexc.hpp>

#include "mission/answer.hpp"

namespace workcell::mission {
namespace {

struct desk {
  lockstep_clock clock;
  journal log{clock};
  ledger books{log};
  sigexc::enrollment me{"test"};
  template <class E>
  void send(E what) {
    books.send(me.get_target(), what, "test");
  }
};

/// Runs `arrivals` inside a block; leaving it raises what they sent.
template <class Arrivals>
void in_a_block(journal& log, Arrivals&& arrivals) {
  const auto phase = log.enter("blocked");
  const sigexc::block_scope block;
  arrivals();
}

TEST(Answer, GivesEachMemberOfAGroupToItsLevelAndTicksItOffOnce) {  // D2
  desk at;
  try {
    const auto phase = at.log.enter("outer");
    try {
      in_a_block(at.log, [&] {
        at.send(person_entered{{}, 1.0, {}});
        at.send(order_changed{{}, {"red"}});
      });
      FAIL() << "nothing was raised";
    } catch (...) {
      answer(at.books, "inner", [](const person_entered& seen) { EXPECT_EQ(seen.distance, 1.0); });
      FAIL() << "the order was swallowed";
    }
  } catch (...) {
    answer(at.books, "outer",
           [](const order_changed& change) { EXPECT_EQ(change.order.size(), 1U); });
  }
  ASSERT_EQ(at.books.entries().size(), 2U);
  const auto& person = at.books.entries()[0];
  const auto& order = at.books.entries()[1];
  EXPECT_EQ(person.answered_by, "inner");
  EXPECT_EQ(order.answered_by, "outer");
  for (const auto& each : at.books.entries()) {
    EXPECT_EQ(each.answers, 1);
    EXPECT_EQ(each.group_size, 2U);
    EXPECT_EQ(each.raised_in, "outer/blocked");  // not where it was passed on
    EXPECT_EQ(each.receipt->state(), sigexc::delivery::raised);
  }
}

TEST(Answer, LetsAnEmergencyPassAtOnceWithWhateverCameWithIt) {
  desk at;
  try {
    try {
      in_a_block(at.log, [&] {
        at.send(person_entered{{}, 1.0, {}});
        at.send(emergency_stop{{}, "test"});
      });
      FAIL() << "nothing was raised";
    } catch (...) {
      answer(at.books, "inner", [](const person_entered&) { FAIL() << "the emergency waits"; });
    }
    FAIL() << "the emergency was swallowed";
  } catch (...) {
    answer_at_the_end(
        at.books, "end", [](const emergency_stop&) {}, [](const event&) {});
  }
  for (const auto& each : at.books.entries()) {
    EXPECT_EQ(each.answers, 1);
    EXPECT_EQ(each.answered_by, "end");
  }
}

TEST(Answer, PassesOnWhatIsNoEvent) {
  desk at;
  const auto fail = [&] {
    try {
      throw std::runtime_error("no event");
    } catch (...) {
      answer(at.books, "here", [](const event&) { FAIL() << "this is no event"; });
    }
  };
  EXPECT_THROW(fail(), std::runtime_error);
}

}  // namespace
}  // namespace workcell::mission
