// Scenario files: the ones that we have, and the mistakes that one can make.
#include <gtest/gtest.h>

#include <fstream>
#include <string>

#include "scenarios/scenario.hpp"

namespace workcell::scenarios {
namespace {

std::filesystem::path file_with(const std::string& text) {
  const auto path = std::filesystem::path(testing::TempDir()) / "workcell_scenario_test.json";
  std::ofstream(path) << text;
  return path;
}

TEST(Scenario, OursAreThereAndCanBeRead) {
  const auto all = find_all(WORKCELL_SCENARIOS);
  for (const char* name : {"obstacle", "person", "order", "emergency", "three_at_once", "slip",
                           "bus", "braking", "sensor_fails", "deadline", "battery"}) {
    ASSERT_TRUE(all.contains(name)) << name;
    const scenario read = load(all.at(name));
    EXPECT_EQ(read.name, name);
    EXPECT_EQ(read.places.size(), world::part_names.size());
    EXPECT_FALSE(read.answers.empty() && read.ends_by.empty() && read.notes.empty());
  }
}

TEST(Scenario, DrawsTheSameFromTheSameSeedAndOtherwiseFromAnother) {
  const auto file = find_all(WORKCELL_SCENARIOS).at("emergency");
  const auto after = [&](std::uint64_t seed) {
    return load(file, seed).happenings.at(0).when.after;
  };
  EXPECT_EQ(after(3), after(3));
  EXPECT_NE(after(3), after(4));
}

TEST(Scenario, NamesTheFileAndTheMistake) {
  const auto file = file_with(R"({"title": "t", "seed": 1, "order": [],
    "happenings": [{"what": "earthquake", "in": [], "after_ms": 0}],
    "expect": {"places": {}, "answers": []}})");
  try {
    (void)load(file);
    FAIL() << "read";
  } catch (const bad_scenario& mistake) {
    const std::string said = mistake.what();
    EXPECT_NE(said.find("earthquake"), std::string::npos) << said;
    EXPECT_NE(said.find("workcell_scenario_test.json"), std::string::npos) << said;
  }
  EXPECT_THROW((void)load(file_with("{")), bad_scenario);
  EXPECT_THROW((void)load(file_with(R"({"title": "t", "seed": 1, "order": [],
    "happenings": [{"what": "drain", "in": [], "after_ms": 0, "leaves": 0.1}],
    "expect": {"places": {}, "answers": []}})")),
               bad_scenario);  // there is no battery
  EXPECT_THROW((void)load("/nowhere/at_all.json"), bad_scenario);
}

}  // namespace
}  // namespace workcell::scenarios
