#include "scenarios/invariants.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <string_view>

namespace workcell::scenarios {
namespace {

using sigexc::delivery;
using findings = std::vector<violation>;

std::string_view to_string(delivery state) {
  constexpr std::array<std::string_view, 5> names{"pending", "raised", "handled", "withdrawn",
                                                  "discarded"};
  return names[static_cast<std::size_t>(state)];
}

void check_parts(const history& whole, const scenario& played, findings& found) {
  for (const std::string& name : world::part_names) {
    const auto is_this = [&](const part_fact& part) { return part.name == name; };
    const auto count = std::count_if(whole.parts.begin(), whole.parts.end(), is_this);
    if (count != 1) {
      found.push_back(
          {"parts", whole.ended, "the cell", fmt::format("{} is in {} places", name, count)});
      continue;
    }
    const auto place = std::find_if(whole.parts.begin(), whole.parts.end(), is_this)->place;
    if (place == world::whereabouts::elsewhere) {
      found.push_back({"parts", whole.ended, "the cell", name + " is lost"});
    } else if (const auto wanted = played.places.find(name);
               !whole.was_interrupted && wanted != played.places.end() && wanted->second != place) {
      found.push_back({"parts", whole.ended, "the cell",
                       fmt::format("{} is in the {}, not in the {}", name, to_string(place),
                                   to_string(wanted->second))});
    }
  }
}

void check_gripper(const history& so_far, findings& found) {
  for (const control::interval& powered : so_far.drive_powered) {
    const bool is_asked_for = std::any_of(
        so_far.openings.begin(), so_far.openings.end(), [&](const control::interval& opening) {
          return opening.begin <= powered.begin && powered.end <= opening.end;
        });
    if (is_asked_for) continue;
    found.push_back({"gripper", powered.begin, "the gripper's drive",
                     fmt::format("powered for {} ms outside an opening",
                                 (powered.end - powered.begin).count())});
  }
}

void check_interrupt(const mission::ledger::entry& sent, delivery state, findings& found) {
  const auto wrong = [&](std::string what) {
    found.push_back({"interrupts", sent.sent, sent.raised_in, std::move(what)});
  };
  const bool is_delivered = state == delivery::raised || state == delivery::handled;
  if (state == delivery::pending) {
    wrong(sent.name + " is still pending after the mission has ended");
  } else if (is_delivered && sent.answers != 1) {
    wrong(fmt::format("{} was {} once, but answered {} times", sent.name, to_string(state),
                      sent.answers));
  } else if (!is_delivered && sent.answers != 0) {
    wrong(fmt::format("{} was answered {} times, but its receipt says {}", sent.name, sent.answers,
                      to_string(state)));
  }
}

void check_bus(const history& whole, findings& found) {
  const auto wrong = [&](std::string what) {
    found.push_back({"bus", whole.ended, "the bus", std::move(what)});
  };
  const auto& [written, read, left] = whole.bus;
  if (read + left != written) {
    wrong(fmt::format("of {} bytes written {} were read and {} are left, or not the same ones",
                      written.size(), read.size(), left.size()));
  }
  const auto messages = std::count(read.begin(), read.end(), '\n');
  const auto sent = std::count_if(whole.interrupts.begin(), whole.interrupts.end(),
                                  [](const auto& each) { return each.sender == "bus"; });
  if (messages != sent) wrong(fmt::format("{} messages became {} interrupts", messages, sent));
}

void check_pause(const history& whole, const mission::search_account& search, std::size_t number,
                 findings& found) {
  const auto& [paused, parked, released] = search.pauses[number];
  const auto wrong = [&, when = paused](std::string what) {
    found.push_back({"searches", when, "a search", std::move(what)});
  };
  const auto is_before = [when = paused](const auto& check) { return check.when < when; };
  const auto next = std::find_if_not(search.checks.begin(), search.checks.end(), is_before);
  if (!released) {
    if (!search.was_dropped) wrong("paused for ever");
    if (next != search.checks.end()) wrong("went on though nobody had let it");
    return;
  }
  if (next == search.checks.begin() || next == search.checks.end()) {
    if (!search.was_dropped) wrong("was paused before its first check or behind its last");
    return;
  }
  if (next->when < *released) wrong("computed while it was paused");
  if (next->thread == std::prev(next)->thread) wrong("went on on the same thread");
  const bool was_parked =
      parked && *parked < *released &&
      std::any_of(whole.docked.begin(), whole.docked.end(),
                  [&, from = *parked, to = *released](const control::interval& standing) {
                    return standing.begin <= from && to <= standing.end;
                  });
  if (!was_parked) wrong("went on before the arm was parked");
}

void check_searches(const history& whole, findings& found) {
  for (const mission::search_account& search : whole.searches) {
    const auto wrong = [&](std::string what) {
      found.push_back({"searches", whole.ended, "a search", std::move(what)});
    };
    for (std::size_t i = 0; i < search.pauses.size(); ++i) check_pause(whole, search, i, found);
    if (search.begun != 1 || (search.found != 1 && !search.was_dropped) || search.found > 1) {
      wrong(fmt::format("began {} times and ended {} times", search.begun, search.found));
    }
    for (std::size_t i = 0; i < search.checks.size(); ++i) {
      if (search.checks[i].number == static_cast<int>(i) + 1) continue;
      wrong(fmt::format("check {} counts as number {}", i + 1, search.checks[i].number));
      break;
    }
  }
}

void check_scenario(const history& whole, const scenario& played, findings& found) {
  const bool ended_as_wanted =
      played.ends_by_emergency ? whole.ended_by_emergency : whole.ended_by == played.ends_by;
  if (!ended_as_wanted) {
    found.push_back({"scenario", whole.mission_ended, "the mission",
                     whole.ended_by.empty() ? "ended as if nothing had happened"
                                            : "ended by " + whole.ended_by});
  }
  for (const std::string& note : played.notes) {
    const bool was_noted = std::any_of(whole.log.begin(), whole.log.end(), [&](const auto& line) {
      return line.text.find(note) != std::string::npos;
    });
    if (!was_noted) {
      found.push_back({"scenario", whole.ended, "the log", "nowhere it says \"" + note + '"'});
    }
  }
  for (const expected_answer& wanted : played.answers) {
    const bool was_seen = std::any_of(
        whole.interrupts.begin(), whole.interrupts.end(), [&](const mission::ledger::entry& sent) {
          return sent.name == wanted.event && sent.answered_by == wanted.answered_by &&
                 sent.raised_in.find(wanted.raised_in) != std::string::npos &&
                 sent.group_size >= wanted.group_size;
        });
    if (was_seen) continue;
    found.push_back(
        {"scenario", whole.ended, wanted.raised_in,
         fmt::format("{} was not raised there and answered by {}{}", wanted.event,
                     wanted.answered_by, wanted.group_size > 1 ? " as part of a group" : "")});
  }
}

}  // namespace

std::vector<violation> check_so_far(const history& so_far) {
  findings found;
  for (const std::string& action : so_far.raised_in_block) {
    found.push_back({"blocks", so_far.ended, action, "an interrupt was raised inside a block"});
  }
  if (so_far.too_near) {
    found.push_back(
        {"distance", so_far.too_near->when, so_far.too_near->where, so_far.too_near->what});
  }
  if (so_far.collision) {
    found.push_back(
        {"collisions", so_far.collision->when, so_far.collision->where, so_far.collision->what});
  }
  return found;
}

std::vector<violation> check(const history& whole, const scenario& played) {
  findings found = check_so_far(whole);
  check_gripper(whole, found);
  check_parts(whole, played, found);
  for (std::size_t i = 0; i < whole.interrupts.size(); ++i) {
    check_interrupt(whole.interrupts[i], whole.deliveries.at(i), found);
  }
  check_bus(whole, found);
  check_searches(whole, found);
  if (!whole.was_interrupted) check_scenario(whole, played, found);
  std::stable_sort(found.begin(), found.end(),
                   [](const violation& a, const violation& b) { return a.when < b.when; });
  return found;
}

std::vector<std::string> undelivered(const history& whole) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < whole.interrupts.size(); ++i) {
    const delivery state = whole.deliveries.at(i);
    if (state == delivery::raised || state == delivery::handled) continue;
    names.push_back(fmt::format("{} ({})", whole.interrupts[i].name, to_string(state)));
  }
  return names;
}

}  // namespace workcell::scenarios
