// The report in words: what happened, how fast it was answered, what held.
#pragma once

#include <cstdio>
#include <filesystem>
#include <vector>

#include "scenarios/run.hpp"

namespace workcell::view {

/// How one event was answered.
struct reaction {
  std::string event;
  std::string answered_by;
  std::uint64_t safe_points = 0;  // reached after it was sent, the raising one included
  sim_time simulated{};           // from sending to the catch clause or callback
  std::chrono::nanoseconds wall{};
};
[[nodiscard]] std::vector<reaction> reactions(const scenarios::history& of);

/// The whole story of one run.
void print_run(std::FILE* to, const scenarios::scenario& played,
               const scenarios::run_result& result);

/// One line for one run.
void print_brief(std::FILE* to, const scenarios::scenario& played,
                 const scenarios::run_result& result);

/// Medians and tails over the events of many runs.
void print_reactions(std::FILE* to, const std::vector<reaction>& of_all_runs);

/// What is the same in each run of one seed: no wall-clock time.
void write_log(const std::filesystem::path& file, const scenarios::scenario& played,
               const scenarios::run_result& result);

/// For programs, and for gathering the reactions of runs in processes of their own.
void write_json(const std::filesystem::path& file, const scenarios::scenario& played,
                const scenarios::run_result& result);
[[nodiscard]] std::vector<reaction> read_reactions(const std::filesystem::path& file);

}  // namespace workcell::view
