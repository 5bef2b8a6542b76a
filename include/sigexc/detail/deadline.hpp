// What a deadline keeps on the stack while it runs, and what ends its body.
#pragma once

#include <sigexc/exceptions.hpp>
#include <sigexc/export.hpp>
#include <sigexc/target.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>

namespace sigexc::detail {

class deadline_reached;

// A deadline that runs, from its construction to its destruction: a link in the chain of those of
// its record, and a node in the heap of all of them (see lib/target/deadlines.hpp).
class SIGEXC_EXPORT deadline_link {
 public:
  using time_point = std::chrono::steady_clock::time_point;

  // To be called by the very function that catches `deadline_reached`. No safe point.
  // Throws: not_enrolled; std::system_error where the thread that watches deadlines cannot be made.
  explicit deadline_link(time_point time);
  deadline_link(const deadline_link&) = delete;
  deadline_link& operator=(const deadline_link&) = delete;
  ~deadline_link();

  // Whether `reached` was raised for this one (T1).
  [[nodiscard]] bool is_reached_by(const deadline_reached& reached) const noexcept;

 private:
  friend class deadline_reached;
  friend class deadline_heap;
  friend class deadline_list;
  friend class deadline_watch;

  const time_point at_;
  const reference<record> self_;
  const std::uint64_t serial_;  // no other one of this record has it
  // The frame that catches what is raised is the first that ends above this address.
  const std::uintptr_t frame_;
  // Written by the owner under the lock of the watch; others read it under that lock.
  deadline_link* outer_ = nullptr;
  // The object that was raised for it lives. Set by the owner, cleared under the lock.
  std::atomic<bool> is_raised_{false};
  // The watch has seen it pass. Written by the watch under the lock, before the flag of the target;
  // read by the owner.
  std::atomic<bool> is_told_{false};
  // All else: guarded by the lock.
  bool is_queued_ = false;  // it is in the heap
  deadline_link* child_ = nullptr;
  deadline_link* sibling_ = nullptr;
  deadline_link* previous_ = nullptr;
};

// Ends the body of a deadline scope that has expired. It counts as one of the library's own
// interruptions for whoever catches or blocks `interruption`.
//
// It is level-triggered as `terminated` is: dropped while its scope still runs it is raised again.
class SIGEXC_EXPORT deadline_reached final : public interruption {
 public:
  deadline_reached() noexcept = default;
  // A copy says nothing when it goes: what was raised is one object.
  deadline_reached(const deadline_reached& other) noexcept : interruption(other) {}
  deadline_reached& operator=(const deadline_reached&) = delete;
  ~deadline_reached() override;

  [[nodiscard]] const char* what() const noexcept override;

 private:
  friend class deadline_link;
  friend class deadline_list;

  reference<record> self_;  // null: it was raised for none
  std::uint64_t serial_ = 0;
};

}  // namespace sigexc::detail
