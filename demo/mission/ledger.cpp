#include "mission/ledger.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sigexc/exceptions.hpp>

#include <exception>
#include <utility>

namespace workcell::mission {

int ledger::enter(std::string_view name, const std::string& data, std::string_view sender) {
  const auto number = static_cast<int>(entries_.size());
  log_.note(fmt::format("{} sends {}: {}   [{}]", sender, name, data, log_.path()));
  entry sent;
  sent.name = name;
  sent.sender = sender;
  sent.sent = log_.now();
  sent.safe_points_when_sent = log_.safe_points();
  sent.sent_at = wall_clock::now();
  entries_.push_back(std::move(sent));
  return number;
}

void ledger::note_catch() {
  const std::string phase = log_.note_catch();
  try {
    throw;
  } catch (const sigexc::exception_group& group) {
    for (const std::exception_ptr& member : group.exceptions()) {
      try {
        std::rethrow_exception(member);
      } catch (const event& what) {
        note_delivery(what, phase, group.exceptions().size());
      } catch (...) {  // no event of ours: not in these books
      }
    }
  } catch (const event& what) {
    note_delivery(what, phase, 1);
  } catch (...) {  // as above
  }
}

void ledger::note_delivery(const event& what, const std::string& phase, std::size_t group_size) {
  entry& mine = entries_.at(static_cast<std::size_t>(what.number));
  if (mine.is_delivered) return;
  mine.delivered_at = wall_clock::now();
  mine.is_delivered = true;
  mine.delivered = log_.now();
  mine.safe_points_when_delivered = log_.safe_points();
  mine.raised_in = phase;
  mine.group_size = group_size;
  note_trace(what);
}

void ledger::note_pause(const event& what) {
  note_delivery(what, log_.path(), 1);
  entries_.at(static_cast<std::size_t>(what.number)).trace = {};  // the computation's own is wanted
}

void ledger::note_trace(const event& what) {
  if (auto last = sigexc::last_interrupt())
    entries_.at(static_cast<std::size_t>(what.number)).trace = std::move(last->where);
}

void ledger::answered(const event& what, std::string_view by) {
  entry& mine = entries_.at(static_cast<std::size_t>(what.number));
  mine.answered_by = by;
  ++mine.answers;
  log_.note(fmt::format("{} answers {}{}   [raised in {}]", by, mine.name,
                        mine.group_size > 1 ? fmt::format(" (one of {})", mine.group_size) : "",
                        mine.raised_in));
}

std::string ledger::describe(const obstacle_appeared& what) {
  return fmt::format("at {:.2f}", fmt::join(what.what.place, " "));
}
std::string ledger::describe(const person_entered& what) {
  return fmt::format("{:.2f} m away", what.distance);
}
std::string ledger::describe(const order_changed& what) {
  return fmt::format("now {}", fmt::join(what.order, ", "));
}
std::string ledger::describe(const emergency_stop& what) {
  return fmt::format("pressed by the {}", what.pressed_by);
}
std::string ledger::describe(const slip& what) {
  return fmt::format("{:.1f} mm", 1000 * what.creep);
}
std::string ledger::describe(const overheated& what) {
  return fmt::format("{:.1f} °C", what.temperature);
}
std::string ledger::describe(const battery_low& what) {
  return fmt::format("{:.0f} % left", 100 * what.charge);
}
std::string ledger::describe(const quit& /*has no data*/) { return "the bus is switched off"; }

}  // namespace workcell::mission
