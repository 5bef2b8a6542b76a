// Lanes from top to bottom: events, phases (one row for each depth), gripper, arm speed, person.
#include "view/timeline.hpp"

#include <cairo-svg.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <stdexcept>
#include <string>

#include "mission/workplace.hpp"

namespace workcell::view {
namespace {

struct colour {
  double red, green, blue;
};
constexpr colour ink{0.13, 0.15, 0.18};
constexpr colour pale{0.55, 0.58, 0.62};
constexpr colour line{0.88, 0.89, 0.91};
constexpr colour alarm{0.78, 0.12, 0.20};

colour colour_of(const std::string& phase) {
  static const std::map<std::string, colour> known{{"run", {0.86, 0.88, 0.91}},
                                                   {"pick", {0.69, 0.80, 0.93}},
                                                   {"carry", {0.70, 0.87, 0.74}},
                                                   {"move_to", {0.85, 0.84, 0.95}},
                                                   {"plan", {0.99, 0.87, 0.62}},
                                                   {"search", {0.98, 0.74, 0.36}},
                                                   {"simplify", {0.93, 0.60, 0.25}},
                                                   {"follow", {0.62, 0.72, 0.90}},
                                                   {"grip", {0.90, 0.66, 0.80}},
                                                   {"park", {0.75, 0.75, 0.55}},
                                                   {"return", {0.75, 0.75, 0.55}},
                                                   {"release", {0.90, 0.66, 0.80}},
                                                   {"protective stop", {0.93, 0.42, 0.40}}};
  const auto found = known.find(phase);
  return found != known.end() ? found->second : colour{0.78, 0.84, 0.88};
}

class chart {
 public:
  chart(const std::filesystem::path& file, sim_time end, double height)
      : file_(file),
        surface_(cairo_svg_surface_create(file.c_str(), width, height)),
        pen_(cairo_create(surface_)),
        scale_((width - left - right) / std::max(in_seconds(end), 0.1)) {
    set({1, 1, 1});
    cairo_paint(pen_);
    cairo_select_font_face(pen_, "sans-serif", CAIRO_FONT_SLANT_NORMAL, CAIRO_FONT_WEIGHT_NORMAL);
  }
  ~chart() {
    cairo_destroy(pen_);
    cairo_surface_destroy(surface_);
  }
  chart(const chart&) = delete;
  chart& operator=(const chart&) = delete;

  /// Nothing is on the disk before this.
  void finish() {
    cairo_surface_finish(surface_);
    const cairo_status_t status = cairo_surface_status(surface_);
    if (status == CAIRO_STATUS_SUCCESS) return;
    throw std::runtime_error("cannot write " + file_.string() + ": " +
                             cairo_status_to_string(status));
  }

  [[nodiscard]] double x(sim_time time) const { return left + scale_ * in_seconds(time); }

  void box(sim_time begin, sim_time end, double y, double height, const colour& fill) {
    set(fill);
    cairo_rectangle(pen_, x(begin), y, std::max(x(end) - x(begin), 0.7), height);
    cairo_fill(pen_);
  }
  void stroke(double x1, double y1, double x2, double y2, const colour& with,
              double thickness = 1) {
    set(with);
    cairo_set_line_width(pen_, thickness);
    cairo_move_to(pen_, x1, y1);
    cairo_line_to(pen_, x2, y2);
    cairo_stroke(pen_);
  }
  [[nodiscard]] double length(const std::string& words, double size) {
    cairo_text_extents_t extents;
    cairo_set_font_size(pen_, size);
    cairo_text_extents(pen_, words.c_str(), &extents);
    return extents.x_advance;
  }
  void write(double at_x, double y, const std::string& words, double size, const colour& with) {
    set(with);
    cairo_set_font_size(pen_, size);
    cairo_move_to(pen_, at_x, y);
    cairo_show_text(pen_, words.c_str());
  }
  void curve(const std::vector<scenarios::sample>& samples, double y, double height, double top,
             const std::function<double(const scenarios::sample&)>& value, const colour& with) {
    set(with);
    cairo_set_line_width(pen_, 1.4);
    for (const auto& each : samples) {
      cairo_line_to(pen_, x(each.when), y + height * (1 - std::min(value(each) / top, 1.0)));
    }
    cairo_stroke(pen_);
  }

  static constexpr double width = 1500;
  static constexpr double left = 130;
  static constexpr double right = 30;

 private:
  void set(const colour& to) { cairo_set_source_rgb(pen_, to.red, to.green, to.blue); }

  std::filesystem::path file_;
  cairo_surface_t* surface_;
  cairo_t* pen_;
  double scale_;
};

constexpr double title_height = 52;
constexpr double event_row = 17;
constexpr double phase_row = 24;
constexpr double curve_height = 62;
constexpr double gap = 16;

void draw_seconds(chart& on, sim_time end, double top, double bottom) {
  const int step = in_seconds(end) > 30 ? 5 : in_seconds(end) > 12 ? 2 : 1;
  for (int second = 0; second <= in_seconds(end); second += step) {
    const double x = on.x(std::chrono::seconds(second));
    on.stroke(x, top, x, bottom, line);
    on.write(x - 8, bottom + 16, fmt::format("{} s", second), 11, pale);
  }
}

/// One row for each event, so that labels never overlap; lines lead down to the phases.
void draw_events(chart& on, const scenarios::history& of, double top, double bottom) {
  double y = top;
  for (const auto& each : of.interrupts) {
    const bool is_answered = each.answers > 0;
    const sim_time end = is_answered ? each.delivered : of.mission_ended;
    on.stroke(on.x(each.sent), y - 4, on.x(each.sent), bottom, alarm, 0.6);
    on.box(each.sent, end, y - 7, 6, alarm);
    const std::string words = is_answered
                                  ? fmt::format("{} → {}, {} ms", each.name, each.answered_by,
                                                (each.delivered - each.sent).count())
                                  : fmt::format("{}: not delivered", each.name);
    const double room = chart::width - chart::right - on.x(end) - 8;
    const double needed = on.length(words, 12);
    on.write(needed < room ? on.x(end) + 8 : on.x(each.sent) - needed - 8, y, words, 12, ink);
    y += event_row;
  }
}

void draw_phases(chart& on, const scenarios::history& of, double top) {
  for (const auto& each : of.phases) {
    const double y = top + phase_row * static_cast<double>(each.depth);
    on.box(each.begin, each.end, y, phase_row - 3, colour_of(each.name));
    if (each.left_by_exception) {
      on.stroke(on.x(each.end), y, on.x(each.end), y + phase_row - 3, alarm, 2.5);
    }
    const double room = on.x(each.end) - on.x(each.begin) - 8;
    if (on.length(each.name, 11) < room) {
      on.write(on.x(each.begin) + 4, y + 14.5, each.name, 11, ink);
    }
  }
}

}  // namespace

void draw_timeline(const scenarios::history& of, const scenarios::scenario& played,
                   const std::filesystem::path& file) {
  std::size_t depth = 0;
  for (const auto& each : of.phases) depth = std::max(depth, each.depth + 1);
  const double events = title_height + 14;
  const double phases = events + event_row * static_cast<double>(of.interrupts.size()) + gap;
  const double gripper = phases + phase_row * static_cast<double>(depth) + gap;
  const double speed = gripper + phase_row + gap;
  const double distance = speed + curve_height + gap;
  const double bottom = distance + curve_height;

  chart on(file, of.ended, bottom + 46);
  on.write(20, 28, fmt::format("{} (seed {})", played.title, played.seed), 18, ink);
  draw_seconds(on, of.ended, title_height, bottom);
  draw_phases(on, of, phases);
  draw_events(on, of, events, bottom);

  for (const auto& each : of.drive_powered) {
    on.box(each.begin, each.end, gripper, phase_row - 3, {0.74, 0.45, 0.62});
  }
  on.curve(of.samples, speed, curve_height, 2.5, [](const auto& s) { return s.arm_speed; },
           {0.20, 0.40, 0.72});
  const auto height_of = [&](double metres) { return distance + curve_height * (1 - metres / 2); };
  const double end = chart::width - chart::right;
  on.stroke(chart::left, height_of(mission::warning_distance), end,
            height_of(mission::warning_distance), {0.95, 0.75, 0.30});
  on.stroke(chart::left, height_of(mission::protective_distance), end,
            height_of(mission::protective_distance), alarm);
  on.curve(of.samples, distance, curve_height, 2, [](const auto& s) { return s.person_distance; },
           {0.25, 0.55, 0.35});

  if (!of.interrupts.empty()) on.write(20, events, "events", 12, pale);
  on.write(20, phases + 15, "mission", 12, pale);
  on.write(20, gripper + 15, "gripper's drive", 12, pale);
  on.write(20, speed + 15, "arm", 12, pale);
  on.write(20, speed + 30, "0 to 2.5 rad/s", 10, pale);
  on.write(20, distance + 15, "person", 12, pale);
  on.write(20, distance + 30, "0 to 2 m away", 10, pale);
  on.write(20, distance + 44, "stop at 1.2, limit 0.8", 10, pale);
  on.finish();
}

}  // namespace workcell::view
