// A search that can be paused, to spare the battery: what the mission does between two of its
// checks.
//
// It runs in a sigexc::resumable, at first on the mission's thread. When the battery gets low, its
// monitor sends `battery_low` to the search, not to the mission. That is a pause_request: nothing
// is raised, OMPL's frames stay where they are, and resume() returns. The mission parks the arm at
// the dock, which charges; then the dock's computer runs the search on, from the check behind the
// one at which it was paused, while the arm stays where it is. With the path the arm returns to
// where that begins.
//
// What comes for the mission meanwhile is raised in the mission as ever: out of resume(), which
// leaves the search paused, or in a wait. The search is unwound then.
#include <fmt/format.h>
#include <unistd.h>
#include <sigexc/resumable.hpp>

#include <algorithm>
#include <exception>
#include <utility>

#include "mission/dock.hpp"
#include "mission/mission.hpp"
#include "world/battery.hpp"

namespace workcell::mission {

using namespace std::chrono_literals;

namespace {

constexpr sim_time settling = 100ms;  // for so long it has not swung any more

}  // namespace

/// While it lives, the dock's computer has the search. Destroyed: the dock has given it back.
class mission::loan {
 public:
  loan(mission& of, pausable_search& lent) : of_(of), lent_(lent) {
    of_.computer_ = &of_.at_.dock->seat();
    of_.at_.dock->take(lent_);
  }
  loan(const loan&) = delete;
  loan& operator=(const loan&) = delete;
  ~loan() {
    try {
      if (of_.at_.dock->is_busy()) lent_.pause();
      while (of_.at_.dock->is_busy()) of_.seat_.wait();
    } catch (const clock_stopped&) {  // the run is over
    }
    of_.computer_ = &of_.seat_;
  }

 private:
  mission& of_;
  pausable_search& lent_;
};

/// Tells the battery's monitor of the search; and at its end, the books whether it was dropped.
class mission::pausable {
 public:
  pausable(mission& of, const pausable_search& search, search_account& account)
      : of_(of), account_(account), uncaught_(std::uncaught_exceptions()) {
    of_.at_.search = search.get_target();
  }
  pausable(const pausable&) = delete;
  pausable& operator=(const pausable&) = delete;
  ~pausable() {
    of_.at_.search.reset();
    account_.was_dropped = std::uncaught_exceptions() > uncaught_;
  }

 private:
  mission& of_;
  search_account& account_;
  int uncaught_;
};

std::vector<joints> mission::search_sparing_battery(
    const std::function<std::vector<joints>()>& compute, search_account& account) {
  pausable_search search(compute);
  const pausable told(*this, search, account);
  auto made = search.resume();
  while (made == sigexc::progress::paused) {
    const event asked = at_.seen.low_battery;
    at_.books.note_pause(asked);
    at_.books.answered(asked, "plan");
    account.pauses.push_back({seat_.now(), std::nullopt, std::nullopt});
    at_.log.note(fmt::format("the search pauses behind check {}", account.checks.size()));

    std::vector<joints> line =
        straight_points({world::dock, plan::tool_of(at_.arm.commanded()).yaw});
    park(line);
    account.pauses.back().parked = seat_.now();
    wait_until("the battery is charged", 60s, [&] { return at_.battery->is_charged(); });
    account.pauses.back().released = seat_.now();
    {
      const loan lent(*this, search);
      wait_until("the dock's computer is done", 60s, [&] { return !at_.dock->is_busy(); });
    }
    made = search.get_target().finished() ? sigexc::progress::finished : sigexc::progress::paused;
    std::reverse(line.begin(), line.end());
    const auto phase = at_.log.enter("return");
    follow({line, plan::transfer_limits});
  }
  return std::move(search).result();
}

void mission::park(const std::vector<joints>& line) {
  const auto phase = at_.log.enter("park");
  follow({line, plan::transfer_limits});
  sim_time moved = seat_.now();
  wait_until("the arm stands at the dock", 2s, [&] {
    if (!at_.cell.is_docked()) moved = seat_.now();
    return seat_.now() - moved >= settling;
  });
  at_.log.note("the arm is parked at the dock");
}

/// Called by the search, before each check.
void mission::note_check(search_account& account, int number) {
  const sim_time now = seat_.now();
  if (!account.pauses.empty() && account.checks.back().when < account.pauses.back().paused) {
    at_.books.note_trace(at_.seen.low_battery);  // what was delivered to the search last
    at_.log.note(fmt::format("the search goes on with check {} {}", number,
                             computer_ == &seat_ ? "where it was" : "on the dock's computer"));
  }
  account.checks.push_back({number, now, gettid()});
}

}  // namespace workcell::mission
