// Enrolling, sending and attaching, with each of their allocations failing in turn: it is done, or
// it is not and std::bad_alloc says so. Delivering is in deliver/out_of_memory_test.cpp.
#include <gtest/gtest.h>

#include <cstdlib>
#include <exception>
#include <optional>
#include <string>

#include "support/child.hpp"
#include "support/clean_failures.hpp"

namespace sigexc::test {
namespace {

TEST(WithoutMemory, AnEnrollmentIsMadeOrIsNot) {
  const auto alive = targets().size();
  EXPECT_GT(expect_clean_failures(
                [] {
                  const enrollment self(long_name);
                  if (current_policy() != policy::immediate) std::abort();
                },
                [&](const std::exception_ptr&) { EXPECT_EQ(targets().size(), alive); }),
            1);
}

TEST(WithoutMemory, TheFirstEnrollmentOfAProcessCanBeTriedAgain) {
  SIGEXC_TEST_STARTS_THREADS_IN_CHILDREN();
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(
      {
        expect_clean_failures([] { const enrollment self(long_name); });
        std::_Exit(testing::Test::HasFailure() ? 1 : 0);
      },
      testing::ExitedWithCode(0), "");
}

TEST(WithoutMemory, WhatIsSentIsQueuedOrWasNot) {  // S1, S8
  const enrollment self;
  const auto here = this_thread::get_target();
  const std::string text(100, 'x');
  expect_clean_failures([&] { here.interrupt(text); },
                        [&](const std::exception_ptr& thrown) {
                          EXPECT_EQ(here.pending(), thrown == nullptr ? 1U : 0U);
                          EXPECT_EQ(raised_here(), thrown == nullptr ? text : "nothing");
                        });
  const auto exception = std::make_exception_ptr(1);
  expect_clean_failures([&] { here.interrupt(exception); },
                        [&](const std::exception_ptr& thrown) {
                          EXPECT_EQ(raised_here(), thrown == nullptr ? "1" : "nothing");
                        });
}

TEST(WithoutMemory, ATerminationIsQueuedAndRequestsStopOrNeither) {  // D5
  std::optional<enrollment> self;
  expect_clean_failures(
      [&] {
        self.emplace();
        this_thread::get_target().terminate();
      },
      [&](const std::exception_ptr& thrown) {
        if (self.has_value()) {
          EXPECT_EQ(self->get_stop_token().stop_requested(), thrown == nullptr);
          EXPECT_EQ(self->get_target().pending(), thrown == nullptr ? 1U : 0U);
        }
        self.reset();
      });
}

TEST(WithoutMemory, APreparedInterruptIsMadeOrIsNotAndFiringTakesNone) {  // S10
  const enrollment self;
  const auto here = this_thread::get_target();
  expect_clean_failures(
      [&] {
        prepared_interrupt bell(here, std::string(100, 'x'));
        const int left = allocations_left.exchange(0);
        bell.fire();
        if (allocations_left != 0) std::abort();
        allocations_left = left;
      },
      [&](const std::exception_ptr& thrown) {
        EXPECT_EQ(raised_here(), thrown == nullptr ? std::string(100, 'x') : "nothing");
      });
}

TEST(WithoutMemory, ACallbackIsAttachedOrIsNot) {  // D3
  const enrollment self;
  int handled = 0;
  std::optional<attachment<int>> attached;
  expect_clean_failures(
      [&] {
        attached.emplace(attach<int>([&handled, much = std::string(100, 'x')](int) { ++handled; }));
      },
      [&](const std::exception_ptr& thrown) {
        to_self(1);
        EXPECT_EQ(raised_here(), thrown == nullptr ? "nothing" : "1");
        EXPECT_EQ(handled, thrown == nullptr ? 1 : 0);
        handled = 0;
        attached.reset();
      });
}

TEST(WithoutMemory, HandlersHaveAllRunOrNone) {  // D2
  int seen = 0;
  const exception_group both({std::make_exception_ptr(1), std::make_exception_ptr('a'),
                              std::make_exception_ptr(2.0), std::make_exception_ptr(2.0F)});
  expect_clean_failures(
      [&] {
        try {
          throw both;
        } catch (...) {
          try {
            handle_each([&](int) { ++seen; }, [&](char) { ++seen; });
          } catch (const exception_group&) {  // the two that nobody takes
          }
        }
      },
      [&](const std::exception_ptr&) {
        EXPECT_TRUE(seen == 0 || seen == 2) << seen;
        seen = 0;
      });
}

}  // namespace
}  // namespace sigexc::test
