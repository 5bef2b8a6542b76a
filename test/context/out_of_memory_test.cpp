// Computations, with each of their allocations failing in turn: what could not be made is said by
// an exception and leaves nothing behind. See thread/out_of_memory_test.cpp.
#include <gtest/gtest.h>

#include <sigexc/resumable.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <new>
#include <stdexcept>
#include <string>

#include "context/at_end.hpp"
#include "support/failing_memory.hpp"
#include "support/interrupts.hpp"

namespace sigexc::test {
namespace {

struct cannot_be_copied {
  cannot_be_copied() = default;
  cannot_be_copied(const cannot_be_copied&) { throw std::runtime_error("no copy"); }
  void operator()() const {}
};

TEST(ComputationThatCannotBeMade, IsNoTarget) {
  const auto alive = targets().size();
  EXPECT_THROW(resumable([] {}, 100), std::invalid_argument);
  EXPECT_EQ(targets().size(), alive);
  const cannot_be_copied body;
  EXPECT_THROW(resumable<void> work(body), std::runtime_error);
  EXPECT_EQ(targets().size(), alive);
  EXPECT_THROW(resumable([] {}, std::size_t{1} << 45), std::bad_alloc);
  EXPECT_EQ(targets().size(), alive);
}

// Runs `scenario` without each of its allocations; what it throws has to be std::bad_alloc.
template <class Scenario>
void expect_clean_failures(Scenario scenario) {
  const auto alive = targets().size();
  for (const bool with_malloc : {false, SIGEXC_TEST_HAS_OWN_MALLOC != 0}) {
    for (int round = 0; round < 2; ++round) {  // the first one makes what is made once
      const int count = at_every_allocation(
          [&] {
            const long before = allocated;
            bool has_thrown = false;
            try {
              scenario();
            } catch (const std::bad_alloc&) {
              has_thrown = true;
            }
            const int left = allocations_left.exchange(-1);
            is_malloc_failing = false;
            EXPECT_TRUE(!has_thrown || left < 0);
            EXPECT_EQ(targets().size(), alive);
            if (round == 1) {
              EXPECT_EQ(allocated, before) << "were not given back";
            }
            if (left >= 0) allocations_left = left;
          },
          with_malloc);
      EXPECT_GT(count, 0);
      EXPECT_LT(count, 200);
    }
  }
}

TEST(ComputationWithoutMemory, IsMadeAndRunsOrIsNot) {
  expect_clean_failures([] {
    resumable<int>* self = nullptr;
    resumable<int> work([&self, much = std::array<char, 100>()] {
      self->pause();
      safe_point();
      return static_cast<int>(much.size());
    });
    self = &work;
    if (work.resume() != progress::paused) std::abort();
    if (work.resume() != progress::finished || work.result() != 100) std::abort();
  });
}

TEST(ComputationWithoutMemory, IsUnwoundWhereItHadPaused) {
  int unwound = 0;
  int begun = 0;
  expect_clean_failures([&] {
    resumable<void>* self = nullptr;
    resumable<void> work([&] {
      ++begun;
      const at_end last{[&] { ++unwound; }};
      self->pause();
      sleep_for(std::chrono::hours(1));
    });
    self = &work;
    work.resume();
  });
  EXPECT_EQ(begun, unwound);
}

TEST(ComputationWithoutMemory, GivesItsInterruptToACallbackWithTheContinuation) {
  expect_clean_failures([] {
    resumable work([] {
      const auto handling = attach_continuation<int>([](int, continuation c) { return c; });
      to_self(1);
      safe_point();
      return 1;
    });
    if (work.resume() != progress::finished || work.result() != 1) std::abort();
  });
}

}  // namespace
}  // namespace sigexc::test
