// The books of interrupts: each is entered when it is sent and ticked off where it is answered.
//
// The receipt says what the library did with it, the answer what the mission did. At the end the
// two must agree, for every single one (scenarios/invariants.hpp).
#pragma once

#include <sigexc/diagnose.hpp>
#include <sigexc/target.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mission/events.hpp"
#include "mission/journal.hpp"

namespace workcell::mission {

class ledger {
 public:
  struct entry {
    std::string name;
    std::string sender;
    sim_time sent{};
    wall_clock::time_point sent_at;
    std::uint64_t safe_points_when_sent = 0;
    std::optional<sigexc::receipt> receipt;  // empty only while it is being sent

    bool is_delivered = false;  // somebody has caught it, or its callback runs
    sim_time delivered{};
    wall_clock::time_point delivered_at;
    std::uint64_t safe_points_when_delivered = 0;
    std::string raised_in;  // the innermost phase that it left; for a callback, the phase it ran in
    std::size_t group_size = 1;
    sigexc::backtrace trace;  // of the safe point at which it was raised or handled

    int answers = 0;
    std::string answered_by;
  };

  explicit ledger(journal& log) : log_(log) {}

  /// Sends `what` to `receiver` and enters it. @return its entry. Safe point: never (S1).
  template <class E>
  event send(const sigexc::target& receiver, E what, std::string_view sender) {
    what.number = enter(E::name, describe(what), sender);
    entries_[static_cast<std::size_t>(what.number)].receipt = receiver.interrupt(what);
    return what;
  }

  /// To be called in each catch clause: notes where the current exception, or each member of a
  /// group, came from, unless a level further in has done so and passed it on.
  void note_catch();
  /// The same on a thread of which the journal's phases do not tell: `what` was raised in `place`.
  void note_catch(const event& what, const std::string& place) { note_delivery(what, place, 1); }
  /// To be called in a callback instead: nothing was raised.
  void note_callback(const event& what) { note_delivery(what, log_.path(), 1); }
  /// To be called where a computation was resumed that `what` has paused: nothing was raised.
  void note_pause(const event& what);
  /// To be called in that computation when it goes on: notes where it was paused.
  void note_trace(const event& what);
  /// Ticks off `what`: the level `by` has answered it.
  void answered(const event& what, std::string_view by);

  [[nodiscard]] const std::vector<entry>& entries() const { return entries_; }

 private:
  static std::string describe(const obstacle_appeared& what);
  static std::string describe(const person_entered& what);
  static std::string describe(const order_changed& what);
  static std::string describe(const emergency_stop& what);
  static std::string describe(const slip& what);
  static std::string describe(const overheated& what);
  static std::string describe(const battery_low& what);
  static std::string describe(const quit& what);
  int enter(std::string_view name, const std::string& data, std::string_view sender);
  void note_delivery(const event& what, const std::string& phase, std::size_t group_size);

  journal& log_;
  std::vector<entry> entries_;
};

}  // namespace workcell::mission
