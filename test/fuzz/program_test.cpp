// Plays random programs in the library and in the model of the rules.
//
// SIGEXC_STRESS_ROUNDS sets how many, SIGEXC_FUZZ_SEED the first seed: each program has its own,
// the next number. What differs is printed as a program to read, and so is a program in which the
// process ends.
#include "fuzz/program.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <random>
#include <string>
#include <vector>

#include "support/rounds.hpp"
#include "support/watchdog.hpp"

namespace sigexc::test::fuzz {
namespace {

// Without it a raise that is not survived would tell nothing of its program.
const program* played = nullptr;
unsigned long seed_played = 0;
[[noreturn]] void tell_and_end() {
  std::fprintf(stderr, "%sended by std::terminate, seed %lu\n", played->said().c_str(),
               seed_played);
  std::abort();
}

// S5, S6, S8, S9, S10, M1, M3, M4, M5, M6, D2, D3, D4, D5, R1, R2, R3, R4, O1, O2, O3, O5
TEST(RandomPrograms, DoWhatTheRulesSay) {
  const char* const wanted = std::getenv("SIGEXC_FUZZ_SEED");
  const auto first = wanted != nullptr ? std::stoul(wanted) : 1;
  const auto programs = static_cast<unsigned long>(stress_rounds(3'000));
  const auto before = std::set_terminate(tell_and_end);
  for (unsigned long seed = first; seed < first + programs; ++seed) {
    std::minstd_rand random(static_cast<std::minstd_rand::result_type>(seed));
    std::vector<std::uint8_t> bytes(8 + random() % 256);
    for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(random() >> 8);
    program one(bytes);
    played = &one;
    seed_played = seed;
    const std::string difference = one.play();
    played = nullptr;
    ASSERT_EQ(difference, "") << "seed " << seed;
  }
  std::set_terminate(before);
}

}  // namespace
}  // namespace sigexc::test::fuzz
