#include "view/report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <iterator>
#include <map>
#include <nlohmann/json.hpp>

namespace workcell::view {
namespace {

using nlohmann::json;
using std::chrono::nanoseconds;
using text = fmt::memory_buffer;

constexpr std::array<std::string_view, 9> invariants{"parts",      "gripper",  "blocks",
                                                     "interrupts", "bus",      "distance",
                                                     "collisions", "searches", "scenario"};

template <class... Arguments>
void add(text& to, fmt::format_string<Arguments...> words, Arguments&&... arguments) {
  fmt::format_to(std::back_inserter(to), words, std::forward<Arguments>(arguments)...);
}

void write(std::FILE* to, const text& words) {
  std::fwrite(words.data(), 1, words.size(), to);
  std::fflush(to);
}

double in_microseconds(nanoseconds time) {
  return std::chrono::duration<double, std::micro>(time).count();
}

void add_story(text& to, const scenarios::history& of) {
  for (const auto& line : of.log) add(to, "  {:8.3f} s  {}\n", in_seconds(line.when), line.text);
}

void add_violations(text& to, const std::vector<scenarios::violation>& violations) {
  for (const auto& each : violations) {
    add(to, "  VIOLATED  {}, at {:.3f} s, in {}: {}\n", each.which, in_seconds(each.when),
        each.where.empty() ? "no phase" : each.where, each.what);
  }
}

void add_undelivered(text& to, const scenarios::run_result& result) {
  for (const std::string& name : undelivered(result.what_happened)) {
    add(to, "  undelivered: {}\n", name);
  }
}

void add_invariants(text& to, const scenarios::run_result& result) {
  add(to, "  invariants:");
  for (const std::string_view name : invariants) {
    const bool holds = std::none_of(result.violations.begin(), result.violations.end(),
                                    [&](const auto& each) { return each.which == name; });
    const bool is_judged = name != "scenario" || !result.what_happened.was_interrupted;
    add(to, " {} {}", name, !is_judged ? "interrupted" : holds ? "ok" : "VIOLATED");
    if (name != invariants.back()) add(to, ",");
  }
  add(to, "\n");
  add_violations(to, result.violations);
  add_undelivered(to, result);
  add(to, "  the person was never nearer than {:.2f} m while the arm moved\n",
      result.what_happened.nearest_while_moving);
}

/// What the three parties have of the bus's bytes. It is not in the log: a `quit` that meets bytes
/// on their way decides by the wall clock who has them, and either is right.
void add_bus(text& to, const scenarios::bus_account& bus) {
  add(to,
      "  the bus: {} bytes written, {} read, {} of them of a message half read; {} left in it\n",
      bus.written.size(), bus.read.size(), bus.read.size() - (bus.read.rfind('\n') + 1),
      bus.left.size());
}

/// Where each event was raised, or given to its callback: the functions from the safe point
/// outward. Without addresses, which differ from run to run.
void add_traces(text& to, const scenarios::history& of) {
  for (const auto& each : of.interrupts) {
    if (each.trace.empty()) continue;
    add(to, "  {} came at\n", each.name);
    for (const auto& frame : each.trace.frames()) {
      const std::string object = std::filesystem::path(frame.object).filename();
      add(to, "    {}   [{}]\n", frame.symbol.empty() ? "?" : frame.symbol, object);
    }
  }
}

nanoseconds quantile(std::vector<nanoseconds> times, double share) {
  std::sort(times.begin(), times.end());
  const auto last = static_cast<double>(times.size() - 1);
  return times[static_cast<std::size_t>(share * last + 0.5)];
}

}  // namespace

std::vector<reaction> reactions(const scenarios::history& of) {
  std::vector<reaction> all;
  for (const auto& each : of.interrupts) {
    if (!each.is_delivered) continue;
    all.push_back({each.name, each.answered_by,
                   each.safe_points_when_delivered - each.safe_points_when_sent,
                   each.delivered - each.sent, each.delivered_at - each.sent_at});
  }
  return all;
}

void print_run(std::FILE* to, const scenarios::scenario& played,
               const scenarios::run_result& result) {
  text words;
  add(words, "{}: {} (seed {})\n", played.name, played.title, played.seed);
  add_story(words, result.what_happened);
  add(words, "  {:<18} {:<22} {:>11} {:>13} {:>12}\n", "event", "answered by", "safe points",
      "simulated", "wall clock");
  for (const auto& each : result.what_happened.interrupts) {
    if (each.answers == 0) continue;
    add(words, "  {:<18} {:<22} {:>11} {:>10} ms {:>9.1f} µs\n", each.name,
        each.group_size > 1 ? fmt::format("{} (group of {})", each.answered_by, each.group_size)
                            : each.answered_by,
        each.safe_points_when_delivered - each.safe_points_when_sent,
        (each.delivered - each.sent).count(), in_microseconds(each.delivered_at - each.sent_at));
  }
  add_invariants(words, result);
  add_bus(words, result.what_happened.bus);
  const double simulated = in_seconds(result.what_happened.ended);
  add(words, "  {:.1f} s simulated in {:.2f} s, {:.1f} times real time\n", simulated,
      result.wall_time.count(), simulated / result.wall_time.count());
  write(to, words);
}

void print_brief(std::FILE* to, const scenarios::scenario& played,
                 const scenarios::run_result& result) {
  text words;
  add(words, "{:<16} seed {:<4} {:>6.2f} s simulated in {:>5.2f} s  {}\n", played.name, played.seed,
      in_seconds(result.what_happened.ended), result.wall_time.count(),
      !result.violations.empty()             ? "VIOLATED"
      : result.what_happened.was_interrupted ? "interrupted, what can be judged holds"
                                             : "all invariants hold");
  add_violations(words, result.violations);
  add_undelivered(words, result);
  write(to, words);
}

void print_reactions(std::FILE* to, const std::vector<reaction>& of_all_runs) {
  std::map<std::string, std::vector<reaction>> by_event;
  for (const reaction& each : of_all_runs) {
    by_event[fmt::format("{} by {}", each.event, each.answered_by)].push_back(each);
  }
  text words;
  add(words, "{:<32} {:>6} {:>11} {:>9} {:>11} {:>11} {:>11}\n", "reactions, at most", "events",
      "safe points", "simulated", "median", "90 %", "worst");
  for (const auto& [event, all] : by_event) {
    std::vector<nanoseconds> wall;
    std::uint64_t most_points = 0;
    sim_time longest{};
    for (const reaction& each : all) {
      wall.push_back(each.wall);
      most_points = std::max(most_points, each.safe_points);
      longest = std::max(longest, each.simulated);
    }
    add(words, "{:<32} {:>6} {:>11} {:>6} ms {:>8.0f} µs {:>8.0f} µs {:>8.0f} µs\n", event,
        all.size(), most_points, longest.count(), in_microseconds(quantile(wall, 0.5)),
        in_microseconds(quantile(wall, 0.9)), in_microseconds(quantile(wall, 1)));
  }
  write(to, words);
}

void write_log(const std::filesystem::path& file, const scenarios::scenario& played,
               const scenarios::run_result& result) {
  text words;
  add(words, "{} seed {}\n", played.name, played.seed);
  add_story(words, result.what_happened);
  for (const reaction& each : reactions(result.what_happened)) {
    add(words, "  {}: {} safe points, {} ms\n", each.event, each.safe_points,
        each.simulated.count());
  }
  add_invariants(words, result);
  add_traces(words, result.what_happened);
  std::ofstream(file).write(words.data(), static_cast<std::streamsize>(words.size()));
}

void write_json(const std::filesystem::path& file, const scenarios::scenario& played,
                const scenarios::run_result& result) {
  json report{{"scenario", played.name},
              {"seed", played.seed},
              {"simulated_seconds", in_seconds(result.what_happened.ended)},
              {"wall_seconds", result.wall_time.count()},
              {"ended_by", result.what_happened.ended_by},
              {"violations", json::array()},
              {"reactions", json::array()}};
  for (const auto& each : result.violations) {
    report["violations"].push_back({{"which", each.which},
                                    {"seconds", in_seconds(each.when)},
                                    {"where", each.where},
                                    {"what", each.what}});
  }
  for (const reaction& each : reactions(result.what_happened)) {
    report["reactions"].push_back({{"event", each.event},
                                   {"answered_by", each.answered_by},
                                   {"safe_points", each.safe_points},
                                   {"simulated_ms", each.simulated.count()},
                                   {"wall_ns", each.wall.count()}});
  }
  std::ofstream(file) << report.dump(2) << '\n';
}

std::vector<reaction> read_reactions(const std::filesystem::path& file) {
  std::vector<reaction> read;
  std::ifstream stream(file);
  if (!stream) return read;  // that run ended before it could report: its exit code says so
  const json report = json::parse(stream);
  for (const json& each : report.at("reactions")) {
    read.push_back({each.at("event"), each.at("answered_by"), each.at("safe_points"),
                    sim_time(each.at("simulated_ms").get<sim_time::rep>()),
                    nanoseconds(each.at("wall_ns").get<nanoseconds::rep>())});
  }
  return read;
}

}  // namespace workcell::view
