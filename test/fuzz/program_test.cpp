// Plays random programs in the library and in the model of the rules.
//
// SIGEXC_STRESS_ROUNDS sets how many, SIGEXC_FUZZ_SEED the first seed: each program has its own,
// the next number. What differs is printed as a program to read.
#include "fuzz/program.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstdlib>
#include <random>
#include <string>
#include <vector>

#include "support/rounds.hpp"
#include "support/watchdog.hpp"

namespace sigexc::test::fuzz {
namespace {

// S5, S6, S8, S9, S10, M1, M3, M4, M5, M6, D2, D3, D4, O1
TEST(RandomPrograms, DoWhatTheRulesSay) {
  const char* const wanted = std::getenv("SIGEXC_FUZZ_SEED");
  const auto first = wanted != nullptr ? std::stoul(wanted) : 1;
  const auto programs = static_cast<unsigned long>(stress_rounds(5'000));
  for (unsigned long seed = first; seed < first + programs; ++seed) {
    std::minstd_rand random(static_cast<std::minstd_rand::result_type>(seed));
    std::vector<std::uint8_t> bytes(8 + random() % 256);
    for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(random() >> 8);
    const std::string difference = program(bytes).play();
    ASSERT_EQ(difference, "") << "seed " << seed;
  }
}

}  // namespace
}  // namespace sigexc::test::fuzz
