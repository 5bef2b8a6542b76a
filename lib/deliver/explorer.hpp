// What a thread keeps of itself while `explore` runs its body.
//
// The inlined part of a safe point is left as it is: while a thread is explored its pending flag is
// up, so that every safe point comes to `deliver_at`, which asks the explorer. The probe is sent
// there, and delivered as anything else is: by callbacks, and only where it is survived. Waits need
// the flag down, and find it so; it goes up again at their end, as for what is held because of R1.
// `held` tells of something for the time, so that operations look (record::is_explored).
#pragma once

#include "deliver/deliver.hpp"
#include "unwind/frame_rule.hpp"

#include <sigexc/target.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace sigexc::detail {

class explorer {
 public:
  explicit explorer(std::size_t limit) noexcept : limit_(limit) {}

  // Begins a run in which the probe is sent at point `due`.
  void begin(std::size_t due);

  // Around a delivery at `where`, `from` which the library was called.
  void before_delivery(place where, const stack_position& from);
  void after_delivery(place where, bool is_raised) noexcept;
  // Whether a wait is a point here and the entry of its operation was none.
  [[nodiscard]] static bool counts_waits() noexcept;

  [[nodiscard]] std::size_t points() const noexcept { return points_; }
  // What became of the probe; nothing: it was not sent.
  [[nodiscard]] std::optional<delivery> outcome() const noexcept;
  [[nodiscard]] const std::vector<std::string>& stack() const noexcept { return stack_; }

 private:
  const std::size_t limit_;
  std::size_t due_ = 0;
  std::size_t points_ = 0;   // of this run, up to the probe
  std::size_t further_ = 0;  // after it
  std::optional<receipt> sent_;
  std::vector<std::string> stack_;
};

// Null unless the thread is explored.
extern constinit thread_local explorer* exploring __attribute__((tls_model("initial-exec")));

}  // namespace sigexc::detail
