// The run's diary in simulated time: which phase the mission is in, and what happened.
//
// Phases nest as the mission's functions do and are closed by destructors, so an exception closes
// them too; the innermost phase that it left is where it was raised. Everything is written by
// whoever has the turn at the clock.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "world/clock.hpp"

namespace workcell::mission {

class journal {
 public:
  explicit journal(const lockstep_clock& clock) : clock_(clock) {}

  class phase {
   public:
    phase(journal& kept_in, std::string_view name);
    ~phase();
    phase(const phase&) = delete;
    phase& operator=(const phase&) = delete;

   private:
    journal& journal_;
    std::size_t span_;
    int exceptions_at_entry_;
  };
  /// The mission is in the phase `name` as long as the result lives.
  [[nodiscard]] phase enter(std::string_view name) { return {*this, name}; }

  struct span {
    std::string name;
    std::size_t depth;
    sim_time begin;
    sim_time end;
    bool left_by_exception;
  };
  struct line {
    sim_time when;
    std::string text;
  };

  void note(std::string text) { lines_.push_back({clock_.now(), std::move(text)}); }

  /// The open phases, outermost first, joined by '/'.
  [[nodiscard]] std::string path() const;
  /// All of `names` are open, in this order (others may lie between).
  [[nodiscard]] bool is_in(const std::vector<std::string>& names) const;
  /// To be called in a catch clause. @return the innermost phase that the exception has left.
  std::string note_catch();

  void count_safe_point() { ++safe_points_; }
  [[nodiscard]] std::uint64_t safe_points() const { return safe_points_; }
  [[nodiscard]] sim_time now() const { return clock_.now(); }
  [[nodiscard]] const std::vector<span>& spans() const { return spans_; }
  [[nodiscard]] const std::vector<line>& lines() const { return lines_; }

 private:
  const lockstep_clock& clock_;
  std::vector<span> spans_;
  std::vector<std::size_t> open_;  // indices of spans, outermost first
  std::vector<line> lines_;
  std::string unwound_from_;
  std::uint64_t safe_points_ = 0;
};

}  // namespace workcell::mission
