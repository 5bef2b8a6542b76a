// Termination is level-triggered: while it is swallowed it comes again (D5).
//
// `terminate()` makes two interrupts. The request is sent, and its receipt tells what became of it.
// The termination waits behind it: it counts the `terminated` objects that are alive in the target
// (the one that was raised, its copies, the exception_ptrs to it), and when the last one goes
// without having been acknowledged, it queues itself. It is made together with the request since
// this happens in a destructor, which cannot report that there is no memory.
//
// Until they are raised both carry a plain `terminated`, by which scopes and callbacks match them.
#pragma once

#include "mailbox/interrupt.hpp"
#include "target/record.hpp"

#include <sigexc/exceptions.hpp>
#include <sigexc/target.hpp>

#include <atomic>
#include <cstdint>

namespace sigexc::detail {

class termination final : public interrupt {
 public:
  explicit termination(record& to);
  // Makes what all terminations share, when the library is loaded.
  static void prepare();
  termination* cause() noexcept override { return this; }

  // A `terminated` object for this is made, acknowledged, destroyed.
  void object_made() noexcept;
  void object_acknowledged() noexcept;
  void object_destroyed() noexcept;

 private:
  std::atomic<std::uint32_t> objects_{0};  // together they hold one count of this
  std::atomic<bool> is_acknowledged_{false};
};

class termination_request final : public interrupt {
 public:
  explicit termination_request(record& to);
  termination* cause() noexcept override { return termination_.get(); }

 private:
  reference<termination> termination_;
};

}  // namespace sigexc::detail
