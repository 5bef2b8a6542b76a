// A scenario: the order, what happens during it, and how it must end. Read from a JSON file.
//
// What happens is cued by what the mission does ("in carry/search, 20 ms after it began"), never by
// a thread's luck. Ranges in the file are drawn from the seed, so that each seed is a run of its
// own.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "mission/journal.hpp"
#include "mission/mission.hpp"
#include "world/cell.hpp"

namespace workcell::scenarios {

/// The file does not say what a scenario must say.
class bad_scenario : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// When something happens: `after` the mission has entered these nested phases for the `nth` time.
struct cue {
  std::vector<std::string> in;
  int nth = 1;
  sim_time after{0};
};

struct happening {
  enum class kind { obstacle, person, oil, order, emergency, quit, failure, drain };
  kind what = kind::obstacle;
  cue when;
  vec3 place{};                    // obstacle: its centre; person: where they walk to
  vec3 half_size{};                // obstacle
  double speed = 0;                // person, m/s
  sim_time stay{0};                // person, oil
  std::vector<std::string> order;  // order
  std::string sensor;              // failure: whose cable is cut
  double charge = 0;               // drain: what somebody else leaves of the battery
  double cut_at = 1;               // order, emergency: the share of the message typed at the cue
  sim_time rest_after{0};          // and how much later the rest is
};

/// That an event was raised in a phase and answered by a level.
struct expected_answer {
  std::string event;
  std::string raised_in;  // a phase on the path
  std::string answered_by;
  std::size_t group_size = 1;
};

struct scenario {
  std::string name;
  std::string title;
  std::uint64_t seed = 1;
  std::vector<std::string> order;
  double ambient_temperature = 22;
  std::optional<mission::short_way> wish;
  std::optional<double> battery;  // its charge at first; empty: the cell has none
  std::vector<happening> happenings;

  bool ends_by_emergency = false;
  std::string ends_by;  // what else must end the mission; empty: nothing
  std::map<std::string, world::whereabouts> places;  // where each part must be at the end
  std::vector<expected_answer> answers;
  std::vector<std::string> notes;  // each must be found in a line of the log
};

/// @param seed instead of the file's own. Throws: bad_scenario.
[[nodiscard]] scenario load(const std::filesystem::path& file,
                            std::optional<std::uint64_t> seed = std::nullopt);

/// The scenario files of a folder, by name.
[[nodiscard]] std::map<std::string, std::filesystem::path> find_all(
    const std::filesystem::path& folder);

}  // namespace workcell::scenarios
