// What is remembered from one look at the stack to the next: of places in the program, and of the
// frame that holds.
#include "unwind/examine.hpp"

#include <dlfcn.h>
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "support/interrupts.hpp"

namespace sigexc::test {
namespace {

using detail::caller;
using detail::examine;
using detail::is_known_to_hold;
using detail::stack_position;

struct thrown {};

// Compilers leave calls of what cannot throw out of the tables. So what asks has to be able to.
volatile bool throws = false;

// Whether a raise by this function would be survived.
[[gnu::noinline]] bool survives(const std::type_info& type = typeid(thrown)) {
  if (throws) throw thrown();
  const stack_position from = caller();
  const detail::verdict found = examine(&type, from);
  if (!found.survives) detail::remember_holding(from, found, found.frames);
  return found.survives;
}
[[gnu::noinline]] bool is_remembered_to_hold() {
  if (throws) throw thrown();
  return is_known_to_hold(caller());
}

template <class F>
[[gnu::noinline]] void in_noexcept(F&& body) noexcept {
  body();
}

[[gnu::noinline]] void recurse(int depth, const std::function<void()>& body) {
  if (depth == 0) return body();
  recurse(depth - 1, body);
  asm volatile("");  // no tail call
}

TEST(Holding, IsRememberedInTheHoldingFrameAndForgottenBehindIt) {  // R4
  EXPECT_FALSE(is_remembered_to_hold());
  in_noexcept([] {
    recurse(3, [] {
      EXPECT_FALSE(survives());
      EXPECT_TRUE(is_remembered_to_hold());
      recurse(100, [] { EXPECT_TRUE(is_remembered_to_hold()); });
    });
  });
  EXPECT_FALSE(is_remembered_to_hold());
  EXPECT_TRUE(survives());
}

TEST(Holding, DoesNotComeBackToTheSamePlaceForEachLook) {  // R2, R4
  const enrollment self;
  to_self(thrown());
  bool is_raised = false;
  const auto safe_point_above_garbage = [] {
    std::array<char, 4096> garbage;
    asm volatile("" : : "r"(garbage.data()) : "memory");
    safe_point();
  };
  for (int round = 0; round < 10'000 && !is_raised; ++round) {
    in_noexcept([] { safe_point(); });
    try {
      safe_point_above_garbage();
      safe_point_above_garbage();
    } catch (const thrown&) {
      is_raised = true;
    }
  }
  EXPECT_TRUE(is_raised);
}

TEST(Holding, IsForgottenWhenTheHoldingFrameCallsElsewhere) {  // R4
  const auto body = []() noexcept {
    recurse(3, [] { EXPECT_FALSE(survives()); });
    EXPECT_FALSE(is_remembered_to_hold());  // is called from another place
  };
  body();
}

TEST(Holding, IsLookedAtAgainAfterAsManyAnswersAsThereWereFrames) {  // R2, R4
  in_noexcept([] {
    for (const int depth : {0, 1000}) {
      recurse(depth, [depth] {
        EXPECT_FALSE(survives());
        int answers = 0;
        while (is_remembered_to_hold()) ++answers;
        EXPECT_GE(answers, depth == 0 ? 8 : depth);
        EXPECT_LE(answers, depth + 100);
      });
    }
  });
}

[[gnu::noinline]] std::uintptr_t find_holder() { return examine(&typeid(thrown), caller()).holder; }
[[gnu::noinline]] std::uintptr_t my_counter() { return caller().counter; }

TEST(Holding, NamesTheFrame) {  // R2
  std::uintptr_t before = 0, holder = 0;
  const auto body = [&]() noexcept {
    before = my_counter();
    recurse(5, [&holder] { holder = find_holder(); });
  };
  body();
  detail::function_entry expected, found;
  ASSERT_TRUE(detail::find_function(before - 1, expected));
  ASSERT_TRUE(detail::find_function(holder - 1, found));
  EXPECT_EQ(found.begin, expected.begin);
}

TEST(Verdicts, AreRightInManyThreadsAtOnce) {  // R1: they share what was found out
  std::atomic<int> wrong{0};
  std::vector<std::jthread> all;
  for (int i = 0; i < 4; ++i)
    all.emplace_back([&wrong] {
      try {
        for (int round = 0; round < 2000; ++round) {
          // Other types, so that entries are replaced all the time.
          for (const std::type_info* const type :
               {&typeid(thrown), &typeid(int), &typeid(std::string), &typeid(long)}) {
            recurse(round % 20, [&] {
              const auto here = [&] { return survives(*type); };
              if (!here()) ++wrong;
              in_noexcept([&] {
                if (here()) ++wrong;
                try {
                  if (here() != (*type == typeid(int))) ++wrong;
                } catch (int) {
                }
              });
            });
          }
        }
      } catch (...) {
      }
    });
  all.clear();
  EXPECT_EQ(wrong, 0);
}

bool survived_in_plugin = false;
std::uintptr_t counter_in_plugin = 0;

[[gnu::noinline]] void look() {
  if (throws) throw thrown();
  const stack_position from = caller();
  counter_in_plugin = from.counter;
  survived_in_plugin = examine(&typeid(thrown), from).survives;
}

TEST(Verdicts, AreNotThoseOfALibraryThatWasClosed) {  // R1
  std::uintptr_t last = 0;
  for (int round = 0; round < 4; ++round) {
    const bool lets_out = round % 2 == 0;
    void* const library = dlopen(lets_out ? OPEN_PLUGIN : CLOSED_PLUGIN, RTLD_NOW | RTLD_LOCAL);
    ASSERT_NE(library, nullptr) << dlerror();
    reinterpret_cast<void (*)(void (*)())>(dlsym(library, "run"))(look);
    EXPECT_EQ(survived_in_plugin, lets_out) << round;
    if (last != 0 && last != counter_in_plugin)
      GTEST_SKIP() << "the libraries were not mapped at the same place";
    last = counter_in_plugin;
    dlclose(library);
  }
}

}  // namespace
}  // namespace sigexc::test
