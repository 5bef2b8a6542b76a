// Groups of exceptions: what they hold, how they are taken apart, and how their members are handed
// to handlers.
#include <gtest/gtest.h>

#include <exception>
#include <optional>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <vector>

#include "support/interrupts.hpp"

namespace sigexc::test {
namespace {

template <class... E>
exception_group group_of(const E&... exceptions) {
  return exception_group({std::make_exception_ptr(exceptions)...});
}

std::string words_of(const std::optional<exception_group>& group) {
  return group.has_value() ? words(std::make_exception_ptr(*group)) : "none";
}

// What is left when `exception` is caught and its members are handed to `handlers`.
template <class E, class... Handlers>
std::string left_of(const E& exception, Handlers&&... handlers) {
  return raised_by([&] {
    try {
      throw exception;
    } catch (...) {
      handle_each(handlers...);
    }
  });
}

const auto nested = group_of(1, group_of(std::string("two"), group_of(3)), std::string("four"));

int handled_by_function = 0;
void handle_int(const int& number) { handled_by_function += number; }
void handle_int_quietly(int number) noexcept { handled_by_function += number; }

TEST(Group, HoldsItsMembersInOrder) {  // D2
  const auto one = std::make_exception_ptr(1);
  const auto two = std::make_exception_ptr(2);
  const exception_group group({two, one, two});
  EXPECT_EQ(group.exceptions(), (std::vector{two, one, two}));
  const exception_group copy = group;
  EXPECT_EQ(&copy.exceptions(), &group.exceptions());
  EXPECT_STRNE(group.what(), "");
}

TEST(Group, NeedsMembers) {
  EXPECT_THROW(exception_group({}), std::invalid_argument);
  EXPECT_THROW(exception_group({std::make_exception_ptr(1), nullptr}), std::invalid_argument);
}

TEST(Group, IsAnInterruptionAndNoStandardException) {
  static_assert(std::is_base_of_v<interruption, exception_group>);
  static_assert(!std::is_base_of_v<std::exception, exception_group>);
  static_assert(!std::is_base_of_v<std::exception, terminated>);
}

TEST(Subgroup, IsThePartOfAType) {
  const auto group = group_of(1, std::string("two"), 3);
  EXPECT_EQ(words_of(group.subgroup<int>()), "group(1, 3)");
  EXPECT_EQ(words_of(group.subgroup<std::string>()), "group(two)");
  EXPECT_EQ(words_of(group.subgroup<double>()), "none");
}

TEST(Subgroup, MatchesAsACatchClauseWould) {  // M1
  const auto group = group_of(std::out_of_range("far"), std::runtime_error("other"), 1);
  EXPECT_EQ(words_of(group.subgroup<std::logic_error>()), "group(far)");
  EXPECT_EQ(words_of(group.subgroup<std::exception>()), "group(far, other)");
}

TEST(Subgroup, HoldsTheVeryMembers) {
  const auto group = group_of(1, std::string("two"));
  EXPECT_EQ(group.subgroup<std::string>()->exceptions().front(), group.exceptions().back());
}

TEST(Subgroup, KeepsTheShapeOfNestedGroups) {
  EXPECT_EQ(words_of(nested.subgroup<int>()), "group(1, group(group(3)))");
  EXPECT_EQ(words_of(nested.subgroup<std::string>()), "group(group(two), four)");
}

TEST(Subgroup, TakesAWholeNestedGroupThatIsOfTheType) {
  EXPECT_EQ(words_of(nested.subgroup<exception_group>()), "group(group(two, group(3)))");
}

TEST(Split, GivesThePartOfATypeAndTheRest) {
  const auto [numbers, rest] = nested.split<int>();
  EXPECT_EQ(words_of(numbers), "group(1, group(group(3)))");
  EXPECT_EQ(words_of(rest), "group(group(two), four)");
  const auto [none, all] = nested.split<double>();
  EXPECT_FALSE(none.has_value());
  EXPECT_EQ(words_of(all), words_of(nested));
  const auto [everything, nothing] = group_of(1, 2).split<int>();
  EXPECT_EQ(words_of(everything), "group(1, 2)");
  EXPECT_FALSE(nothing.has_value());
}

TEST(HandleEach, HandsEveryMemberToTheFirstHandlerOfItsType) {  // D2
  std::string order;
  const auto left = left_of(
      group_of(1, std::string("two"), 3), [&](const std::string& text) { order += text + " "; },
      [&](const int& number) { order += std::to_string(number) + " "; },
      [&](int) { order += "never "; });
  EXPECT_EQ(left, "nothing");
  EXPECT_EQ(order, "1 two 3 ");
}

TEST(HandleEach, TakesASingleExceptionToo) {
  int seen = 0;
  EXPECT_EQ(left_of(7, [&](int number) { seen = number; }), "nothing");
  EXPECT_EQ(seen, 7);
}

TEST(HandleEach, TakesHandlersOfManyKinds) {
  handled_by_function = 0;
  EXPECT_EQ(left_of(1, handle_int), "nothing");
  EXPECT_EQ(left_of(2, &handle_int_quietly), "nothing");
  EXPECT_EQ(handled_by_function, 3);
  int count = 0;
  EXPECT_EQ(left_of(group_of(1, 2), [n = 0, &count](int) mutable noexcept { count = ++n; }),
            "nothing");
  EXPECT_EQ(count, 2) << "a handler is not copied";
}

TEST(HandleEach, MatchesByBase) {  // M1
  std::string seen;
  EXPECT_EQ(left_of(
                group_of(std::out_of_range("far"), terminated()),
                [&](const std::logic_error& e) { seen += e.what(); },
                [&](const interruption&) { seen += " stop"; }),
            "nothing");
  EXPECT_EQ(seen, "far stop");
}

TEST(HandleEach, RethrowsTheOneThatIsLeftAsItself) {
  EXPECT_EQ(left_of(group_of(1, std::string("two")), [](int) {}), "two");
}

TEST(HandleEach, RethrowsSeveralThatAreLeftAsAGroup) {
  EXPECT_EQ(left_of(group_of(std::string("one"), 2, std::string("three")), [](int) {}),
            "group(one, three)");
}

TEST(HandleEach, RethrowsWhatItCannotHandleAsItWas) {
  const auto group = group_of(std::string("alone"));
  EXPECT_EQ(left_of(group, [](int) {}), "group(alone)");
  EXPECT_EQ(left_of(std::string("single"), [](int) {}), "single");
  EXPECT_EQ(left_of(group_of(group_of(1, 2)), [](double) {}), "group(group(1, 2))");
  EXPECT_EQ(left_of(1), "1");  // no handlers at all
}

TEST(HandleEach, ThrowsWhatHandlersThrowAfterAllHaveRun) {
  int runs = 0;
  EXPECT_EQ(left_of(group_of(1, 2, std::string("three"), 4),
                    [&](int number) {
                      ++runs;
                      if (number != 2) throw std::string("from " + std::to_string(number));
                    }),
            "group(from 1, three, from 4)");
  EXPECT_EQ(runs, 3);
}

TEST(HandleEach, LetsAHandlerRethrowItsMember) {
  EXPECT_EQ(left_of(group_of(1, 2, 3),
                    [](int number) {
                      if (number == 2) throw;
                    }),
            "2");
}

TEST(HandleEach, TakesNestedGroupsApart) {
  int sum = 0;
  EXPECT_EQ(left_of(nested, [&](int number) { sum += number; }), "group(two, four)");
  EXPECT_EQ(sum, 4);
}

TEST(HandleEach, HandsANestedGroupToAHandlerOfGroups) {
  std::string seen;
  EXPECT_EQ(
      left_of(
          group_of(1, group_of(2, 3)), [&](int number) { seen += std::to_string(number) + " "; },
          [&](const exception_group& group) { seen += words_of(group); }),
      "nothing");
  EXPECT_EQ(seen, "1 group(2, 3)");
}

TEST(HandleEach, CanBeUsedInsideAHandler) {  // there the member is the current exception
  std::string order;
  const auto take_apart = [&](const std::string&) {
    handle_each([&](int) { order += "never"; }, [&](const std::string& text) { order += text; });
  };
  EXPECT_EQ(left_of(group_of(1, std::string("two")), take_apart), "1");
  EXPECT_EQ(order, "two");
}

TEST(HandleEach, OutsideACatchClauseIsALogicError) {
  EXPECT_THROW(handle_each([](int) {}), std::logic_error);
  EXPECT_THROW(handle_each(), std::logic_error);
}

TEST(HandleEach, IsNoSafePoint) {
  const enrollment self;
  EXPECT_EQ(left_of(group_of(1, 2), [](int number) { to_self(std::to_string(number)); }),
            "nothing");
  EXPECT_EQ(raised_here(), "group(1, 2)");
}

TEST(HandleEach, HandlesWhatIsDelivered) {  // D2
  const enrollment self;
  int sum = 0;
  to_self(1);
  to_self(std::string("two"));
  to_self(3);
  EXPECT_EQ(raised_by([&] {
              try {
                safe_point();
              } catch (...) {
                handle_each([&](int number) { sum += number; });
              }
            }),
            "two");
  EXPECT_EQ(sum, 4);
}

}  // namespace
}  // namespace sigexc::test
