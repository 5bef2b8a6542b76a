// workcell: plays scenarios of a robot cell whose mission is interrupted by exceptions.
//
// A single run plays in this process. Several play in a process each, one after the other, because
// OMPL can be seeded only before its first random number; and a run that crashes spoils no other.
//
// Ctrl-C is an interrupt of the main thread. It is blocked but where a run is waited for, and
// between two runs: so whatever was begun is ended well, and its report written.
#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>
#include <CLI/CLI.hpp>
#include <sigexc/sigexc.hpp>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "scenarios/run.hpp"
#include "scenarios/scenario.hpp"
#include "view/picture.hpp"
#include "view/report.hpp"
#include "view/timeline.hpp"

namespace {

namespace fs = std::filesystem;
using namespace workcell;

enum exit_code { good = 0, invariant_violated = 1, wrong_usage = 2, interrupted = 130 };

struct arguments {
  std::string scenario;
  std::optional<std::uint64_t> seed;
  std::uint64_t seeds = 0;
  bool realtime = false;
  bool list = false;
  fs::path out = "workcell-out";
  fs::path scenarios = WORKCELL_SCENARIOS;
  fs::path scene = WORKCELL_SCENE;
};

struct assignment {
  fs::path file;
  std::optional<std::uint64_t> seed;
  fs::path out;
  bool is_brief;  // one of a sweep: a line and no pictures
};

/// One line on a terminal, written over and over; in a file, and in real time, one for each phase.
class progress_line {
 public:
  progress_line(std::string name, bool realtime) : name_(std::move(name)), realtime_(realtime) {}
  ~progress_line() {
    if (is_shown_) fmt::print(stderr, "\r\033[K");
  }
  progress_line(const progress_line&) = delete;
  progress_line& operator=(const progress_line&) = delete;
  void show(sim_time now, const std::string& phase) {
    if (!is_terminal_) {
      if (realtime_ && std::exchange(last_, phase) != phase) {
        fmt::print(stderr, "{} {:6.1f} s  {}\n", name_, in_seconds(now), phase);
      }
      return;
    }
    is_shown_ = true;
    fmt::print(stderr, "\r\033[K{} {:6.1f} s  {}", name_, in_seconds(now), phase);
  }

 private:
  std::string name_;
  bool realtime_;
  std::string last_;
  bool is_terminal_ = isatty(STDERR_FILENO) == 1;
  bool is_shown_ = false;
};

void draw_pictures(const scenarios::scenario& played, scenarios::run_result& result,
                   const fs::path& out) {
  view::draw_timeline(result.what_happened, played, out / "timeline.svg");
  try {
    view::draw_picture(*result.model, *result.picture, out / "cell.png");
  } catch (const view::cannot_render& reason) {
    fmt::print(stderr, "workcell: no picture of the cell: {}\n", reason.what());
  }
}

int play_one(const assignment& what, const arguments& given) {
  const scenarios::scenario played = scenarios::load(what.file, what.seed);
  scenarios::run_result result;
  {
    progress_line line(played.name, given.realtime);
    result = scenarios::play(played, {.scene = given.scene,
                                      .realtime = given.realtime,
                                      .progress = [&](sim_time now, const std::string& phase) {
                                        line.show(now, phase);
                                      }});
  }
  fs::create_directories(what.out);
  view::write_log(what.out / "log.txt", played, result);
  view::write_json(what.out / "report.json", played, result);
  if (what.is_brief) {
    view::print_brief(stdout, played, result);
  } else {
    view::print_run(stdout, played, result);
    draw_pictures(played, result, what.out);
    fmt::print("  pictures and log: {}\n\n", what.out.string());
  }
  if (!result.violations.empty()) return invariant_violated;
  return result.what_happened.was_interrupted ? interrupted : good;
}

int play_in_a_process(const assignment& what, const arguments& given) {
  std::fflush(nullptr);
  const pid_t child = fork();
  if (child < 0) throw std::runtime_error("cannot start a process for a run");
  if (child == 0) {
    int code = invariant_violated;
    try {
      code = play_one(what, given);
    } catch (const std::exception& failure) {
      fmt::print(stderr, "workcell: {}: {}\n", what.file.stem().string(), failure.what());
    }
    std::fflush(nullptr);
    std::exit(code);
  }
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) continue;  // it has heard Ctrl-C as well
  if (WIFEXITED(status)) return WEXITSTATUS(status);
  fmt::print("{} ended by signal {}\n", what.file.stem().string(), WTERMSIG(status));
  return invariant_violated;
}

std::vector<assignment> assignments(const arguments& given,
                                    const std::map<std::string, fs::path>& chosen) {
  std::vector<assignment> all;
  for (const auto& [name, file] : chosen) {
    if (given.seeds == 0) all.push_back({file, given.seed, given.out / name, false});
    for (std::uint64_t seed = 1; seed <= given.seeds; ++seed) {
      all.push_back({file, seed, given.out / name / fmt::format("seed-{}", seed), true});
    }
  }
  return all;
}

int play_all(const std::vector<assignment>& all, const arguments& given) {
  if (all.size() == 1) return play_one(all.front(), given);
  std::vector<view::reaction> reactions;
  std::size_t held = 0;
  for (const assignment& each : all) {
    fs::remove(each.out / "report.json");  // an old one must not speak for a run that crashes
    const int code = play_in_a_process(each, given);
    if (code == interrupted) return interrupted;
    if (code == good) ++held;
    const auto more = view::read_reactions(each.out / "report.json");
    reactions.insert(reactions.end(), more.begin(), more.end());
    const sigexc::unblock_scope<sigexc::keyboard_interrupt> between_two_runs;  // a safe point
  }
  view::print_reactions(stdout, reactions);
  fmt::print("{} of {} runs held every invariant\n", held, all.size());
  return held == all.size() ? good : invariant_violated;
}

int wrong(const std::string& what) {
  fmt::print(stderr, "workcell: {}\n", what);
  return wrong_usage;
}

int work(const arguments& given) {
  auto known = scenarios::find_all(given.scenarios);
  if (known.empty()) {
    return wrong(fmt::format("no scenarios in {}; name their folder with --scenarios",
                             given.scenarios.string()));
  }
  if (given.list) {
    for (const auto& [name, file] : known) {
      fmt::print("{:<16} {}\n", name, scenarios::load(file).title);
    }
    return good;
  }
  if (!given.scenario.empty()) {
    const auto found = known.find(given.scenario);
    if (found == known.end()) {
      std::string names;
      for (const auto& [name, file] : known) names += " " + name;
      return wrong(fmt::format("no scenario \"{}\"; there are:{}", given.scenario, names));
    }
    known = {*found};
  }
  return play_all(assignments(given, known), given);
}

}  // namespace

int main(int argc, char** argv) {
  arguments given;
  CLI::App app(
      "A robot cell whose mission is interrupted by exceptions: plays scenarios, checks "
      "their invariants, reports and draws them.\n"
      "Ctrl-C ends the run with the robot safe and its report written; the third one at once.\n"
      "Exit code: 0 all invariants held, 1 one was violated, 2 wrong usage, 130 interrupted.");
  app.add_option("--scenario", given.scenario, "play only this one (see --list); without it, all");
  auto* seed = app.add_option("--seed", given.seed, "instead of the scenario's own seed");
  app.add_option("--seeds", given.seeds,
                 "play each scenario with the seeds 1 to N, without pictures")
      ->check(CLI::PositiveNumber)
      ->excludes(seed);
  app.add_flag("--realtime", given.realtime, "keep pace with the clock on the wall");
  app.add_option("--out", given.out, "folder for logs, reports and pictures")
      ->capture_default_str();
  app.add_flag("--list", given.list, "list the scenarios");
  app.add_option("--scenarios", given.scenarios, "folder of the scenarios")->capture_default_str();
  app.add_option("--scene", given.scene, "the MuJoCo scene")->capture_default_str();
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? good : wrong_usage;
  }
  try {
    const sigexc::enrollment self("main");
    const sigexc::signal_bridge ctrl_c;
    const sigexc::block_scope what_is_begun_is_ended_well;
    return work(given);
  } catch (const sigexc::keyboard_interrupt&) {
    return interrupted;
  } catch (const scenarios::bad_scenario& mistake) {
    return wrong(mistake.what());
  } catch (const std::exception& failure) {
    fmt::print(stderr, "workcell: {}\n", failure.what());
    return invariant_violated;
  }
}
