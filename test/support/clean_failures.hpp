// Does something with each of its allocations failing in turn, and looks whether the failure was a
// clean one: said by std::bad_alloc (or std::system_error, where the memory was the kernel's or
// pthreads' to give), without anything kept, and with a runtime that goes on.
#pragma once

#include <gtest/gtest.h>
#include <sigexc/sigexc.hpp>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <exception>
#include <new>
#include <system_error>

#include "support/failing_memory.hpp"
#include "support/interrupts.hpp"

namespace sigexc::test {

// Longer than what a string keeps in itself.
inline const char* const long_name = "a thread with a name that does not fit into a string itself";

inline bool is_want_of_memory(const std::exception_ptr& thrown) {
  try {
    std::rethrow_exception(thrown);
  } catch (const std::bad_alloc&) {
    return true;
  } catch (const std::system_error& e) {
    return e.code().value() == EAGAIN || e.code().value() == ENOMEM;
  } catch (...) {
    return false;
  }
}

// Sends itself something, as a new target, and gets it.
inline void expect_all_works() {
  sigexc::thread other([] {
    to_self(1);
    return raised_here();
  });
  ASSERT_EQ(other.wait(), "1");
}

// Calls `body` with its first allocation failing, its second, ..., and each time `check(thrown)`
// with memory again; `thrown` is null if nothing was. @return how many allocations it has.
template <class Body, class Check>
int expect_clean_failures(Body body, Check check) {
  int most = 0;
  for (const bool with_malloc : {false, true}) {
    if (with_malloc && SIGEXC_TEST_HAS_OWN_MALLOC == 0) continue;
    for (int round = 0; round < 2; ++round) {  // the first one makes what is made once
      const int count = at_every_allocation(
          [&] {
            const long before = allocated;
            {
              std::exception_ptr thrown;
              bool has_failed = false;
              try {
                body();
              } catch (...) {
                has_failed = allocations_left < 0;
                thrown = std::current_exception();
              }
              const int left = allocations_left.exchange(-1);
              is_malloc_failing = false;
              if (thrown != nullptr) {
                EXPECT_TRUE(has_failed && is_want_of_memory(thrown)) << words(thrown);
              }
              check(thrown);
              if (left >= 0) allocations_left = left;  // for `at_every_allocation`
            }
            if (round == 1) {
              EXPECT_EQ(allocated, before) << "were not given back";
            }
          },
          with_malloc);
      EXPECT_LT(count, 300);
      most = std::max(most, count);
    }
  }
  expect_all_works();
  return most;
}

template <class Body>
int expect_clean_failures(Body body) {
  return expect_clean_failures(body, [](const std::exception_ptr&) {});
}

inline std::atomic<int> unobserved{0};
class counting_unobserved {
 public:
  counting_unobserved() {
    unobserved = 0;
    before_ =
        set_unobserved_handler([](const target&, std::exception_ptr) noexcept { ++unobserved; });
  }
  counting_unobserved(const counting_unobserved&) = delete;
  counting_unobserved& operator=(const counting_unobserved&) = delete;
  ~counting_unobserved() { set_unobserved_handler(before_); }

 private:
  unobserved_handler before_;
};

}  // namespace sigexc::test
