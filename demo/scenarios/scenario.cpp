#include "scenarios/scenario.hpp"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <random>

namespace workcell::scenarios {
namespace {

using nlohmann::json;

/// Numbers of a file: a number is itself, a pair [from, to] is drawn from the seed.
class dice {
 public:
  explicit dice(std::uint64_t seed) : random_(seed) {}

  double number(const json& value) {
    if (value.is_number()) return value.get<double>();
    const double from = value.at(0).get<double>();
    const double to = value.at(1).get<double>();
    return from + (to - from) * static_cast<double>(random_() >> 11) * 0x1.0p-53;
  }
  vec3 place(const json& value) {
    return {number(value.at(0)), number(value.at(1)), number(value.at(2))};
  }
  sim_time milliseconds(const json& value) {
    return sim_time(static_cast<sim_time::rep>(std::lround(number(value))));
  }

 private:
  std::mt19937_64 random_;
};

happening::kind kind_of(const std::string& word) {
  if (word == "obstacle") return happening::kind::obstacle;
  if (word == "person") return happening::kind::person;
  if (word == "oil") return happening::kind::oil;
  if (word == "order") return happening::kind::order;
  if (word == "emergency") return happening::kind::emergency;
  if (word == "quit") return happening::kind::quit;
  if (word == "failure") return happening::kind::failure;
  if (word == "drain") return happening::kind::drain;
  throw bad_scenario("unknown happening \"" + word + "\"");
}

std::string sensor_of(const std::string& word) {
  for (const std::string name : {"obstacle", "person", "slip", "temperature"}) {
    if (word == name) return name + " sensor";
  }
  throw bad_scenario("no sensor \"" + word + "\"; say obstacle, person, slip or temperature");
}

world::whereabouts whereabouts_of(const std::string& word) {
  for (const auto place :
       {world::whereabouts::tray, world::whereabouts::bin, world::whereabouts::hand}) {
    if (word == to_string(place)) return place;
  }
  throw bad_scenario("a part cannot be \"" + word + "\"; say tray, bin or hand");
}

happening read_happening(const json& from, dice& drawn) {
  happening read;
  read.what = kind_of(from.at("what"));
  read.when.in = from.at("in").get<std::vector<std::string>>();
  read.when.nth = from.value("nth", 1);
  read.when.after = drawn.milliseconds(from.at("after_ms"));
  switch (read.what) {
    case happening::kind::obstacle:
      read.place = drawn.place(from.at("place"));
      read.half_size = drawn.place(from.at("half_size"));
      break;
    case happening::kind::person:
      read.place = drawn.place(from.at("walks_to"));
      read.speed = drawn.number(from.at("speed"));
      read.stay = drawn.milliseconds(from.at("stays_ms"));
      break;
    case happening::kind::oil:
      read.stay = drawn.milliseconds(from.at("stays_ms"));
      break;
    case happening::kind::order:
      read.order = from.at("order").get<std::vector<std::string>>();
      break;
    case happening::kind::failure:
      read.sensor = sensor_of(from.at("sensor"));
      break;
    case happening::kind::drain:
      read.charge = drawn.number(from.at("leaves"));
      break;
    case happening::kind::emergency:
    case happening::kind::quit:
      break;
  }
  if (from.contains("cut_at")) {
    read.cut_at = drawn.number(from.at("cut_at"));
    read.rest_after = drawn.milliseconds(from.at("rest_after_ms"));
  }
  return read;
}

scenario read_scenario(const json& from, std::optional<std::uint64_t> seed) {
  scenario read;
  read.title = from.at("title");
  read.seed = seed.value_or(from.at("seed").get<std::uint64_t>());
  read.order = from.at("order").get<std::vector<std::string>>();
  read.ambient_temperature = from.value("ambient_temperature", read.ambient_temperature);
  if (from.contains("short_way")) {
    const json& wish = from.at("short_way");
    read.wish = {wish.at("detour").get<double>(),
                 std::chrono::milliseconds(wish.at("think_for_ms").get<int>())};
  }
  if (from.contains("battery")) read.battery = from.at("battery").get<double>();
  dice drawn(read.seed);
  for (const json& each : from.at("happenings")) {
    read.happenings.push_back(read_happening(each, drawn));
    if (read.happenings.back().what == happening::kind::drain && !read.battery) {
      throw bad_scenario("there is no battery to drain; say its charge, as \"battery\": 0.6");
    }
  }
  const json& expected = from.at("expect");
  read.ends_by_emergency = expected.value("ends_by_emergency", false);
  read.ends_by = expected.value("ends_by", "");
  for (const auto& [part, place] : expected.at("places").items()) {
    read.places[part] = whereabouts_of(place);
  }
  read.notes = expected.value("notes", read.notes);
  for (const json& each : expected.at("answers")) {
    read.answers.push_back({each.at("event"), each.at("raised_in"), each.at("answered_by"),
                            each.value("group_size", std::size_t{1})});
  }
  return read;
}

}  // namespace

scenario load(const std::filesystem::path& file, std::optional<std::uint64_t> seed) {
  std::ifstream text(file);
  if (!text) throw bad_scenario("cannot read " + file.string());
  try {
    scenario read = read_scenario(json::parse(text), seed);
    read.name = file.stem().string();
    return read;
  } catch (const std::exception& wrong) {
    throw bad_scenario(fmt::format("{}: {}", file.string(), wrong.what()));
  }
}

std::map<std::string, std::filesystem::path> find_all(const std::filesystem::path& folder) {
  std::map<std::string, std::filesystem::path> found;
  std::error_code cannot_open;
  for (const auto& entry : std::filesystem::directory_iterator(folder, cannot_open)) {
    if (entry.path().extension() == ".json") found[entry.path().stem().string()] = entry.path();
  }
  return found;
}

}  // namespace workcell::scenarios
