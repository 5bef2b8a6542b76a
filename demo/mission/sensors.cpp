#include "mission/sensors.hpp"

#include <fmt/format.h>
#include <sigexc/safe_point.hpp>

#include <cmath>
#include <string_view>

namespace workcell::mission {
namespace {

constexpr sim_time sampling{4};
constexpr double slip_limit = 0.006;  // metres
constexpr double hot = 60;            // °C
constexpr double cool = 50;           // °C
constexpr double heating = 2;         // °C/s at 1 rad/s, with the square of the speed
constexpr double cooling = 0.02;      // 1/s, towards the ambient temperature

/// Takes a look every `sampling`, until the thread is terminated at its safe point. Throws:
/// sensor_failed.
template <class Look>
void look_again_and_again(workplace& at, lockstep_clock::seat& seat, const std::string& sensor,
                          Look&& look) {
  for (;;) {
    seat.wait(sampling);
    sigexc::safe_point();
    if (at.unplugged == sensor) {
      at.log.note(fmt::format("the {} fails   [{}]", sensor, at.log.path()));
      throw sensor_failed(sensor);
    }
    look();
  }
}

double distance(const vec3& a, const vec3& b) {
  return std::hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]);
}

}  // namespace

sensor_failed::sensor_failed(const std::string& which)
    : std::runtime_error("the " + which + " does not answer") {}

void watch_for_obstacles(workplace& at, lockstep_clock::seat& seat, const sigexc::target& mission) {
  bool is_known = false;
  look_again_and_again(at, seat, "obstacle sensor", [&] {
    const auto& present = at.cell.present_obstacle();
    if (!present || is_known) return;
    is_known = true;
    at.books.send(mission, obstacle_appeared{{}, *present}, "obstacle sensor");
  });
}

void watch_for_people(workplace& at, lockstep_clock::seat& seat, const sigexc::target& mission) {
  bool is_inside = false;
  look_again_and_again(at, seat, "person sensor", [&] {
    const double now = at.seen.person_distance = at.cell.person_distance();
    if (is_inside && now > clear_distance) is_inside = false;
    if (is_inside || now > warning_distance) return;
    is_inside = true;
    at.books.send(mission, person_entered{{}, now, at.cell.person_place()}, "person sensor");
  });
}

void watch_for_slip(workplace& at, lockstep_clock::seat& seat, const sigexc::target& mission) {
  std::optional<std::string> part;
  vec3 first_seen{};
  look_again_and_again(at, seat, "slip sensor", [&] {
    const auto held = at.gripper.is_opening() ? std::nullopt : at.cell.held_part();
    if (held != part) {
      part = held;
      if (part) first_seen = at.cell.part_in_hand(*part);
    }
    if (!part) return;
    const double creep = distance(at.cell.part_in_hand(*part), first_seen);
    if (creep < slip_limit) return;
    first_seen = at.cell.part_in_hand(*part);
    at.books.send(mission, slip{{}, creep}, "slip sensor");
  });
}

void watch_temperature(workplace& at, lockstep_clock::seat& seat, const sigexc::target& mission,
                       double ambient) {
  double temperature = ambient;
  bool is_hot = false;
  look_again_and_again(at, seat, "temperature sensor", [&] {
    const double speed = at.cell.arm_speed();
    temperature +=
        in_seconds(sampling) * (heating * speed * speed - cooling * (temperature - ambient));
    if (is_hot && temperature < cool) is_hot = false;
    if (is_hot || temperature < hot) return;
    is_hot = true;
    at.books.send(mission, overheated{{}, temperature}, "temperature sensor");
  });
}

void watch_battery(workplace& at, lockstep_clock::seat& seat) {
  std::optional<sigexc::target> asked;
  look_again_and_again(at, seat, "battery sensor", [&] {
    if (!at.battery->is_low() || !at.search || asked == at.search) return;
    asked = at.search;
    at.seen.low_battery =
        at.books.send(*at.search, battery_low(at.battery->charge()), "battery sensor");
  });
}

}  // namespace workcell::mission
