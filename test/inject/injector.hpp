// Sends an interrupt before every single instruction of a piece of code, one run for each.
//
// A run is a child process. Its main thread is the target; a second thread is the sender and waits
// to be told. The harness traces the target (ptrace), lets it make N steps into the code, has the
// sender send while the target is stopped, and lets it go: SIGEXC arrives before the next
// instruction. N counts up from 0 until the code ends before it. Where the target falls asleep in a
// system call the interrupt is sent then; more steps lead nowhere.
//
// The code says after each run what it saw, and the harness checks the one invariant: the
// interrupt was raised and nothing had happened, or there was a result and the interrupt was still
// pending (O1-O3); never both, never none. Where the code ends the target, the interrupt was
// discarded (S8). And the receipt says the same.
#pragma once

#include <sigexc/thread.hpp>

#include <functional>
#include <memory>
#include <string>
#include <utility>

namespace sigexc::test {

// What is sent.
struct probe {};

// A piece of code to be interrupted, with what it works on. Made anew in each child.
class injected_code {
 public:
  virtual ~injected_code() = default;
  // The code itself. It lets a probe pass.
  virtual void run() = 0;
  // Whether it had its effect.
  [[nodiscard]] virtual bool has_happened() = 0;
  // Whether what it worked on is still good.
  [[nodiscard]] virtual bool is_intact() { return true; }
  // For `run`: the thread is no target any more.
  void end_target() { here_.reset(); }
  // The harness's.
  void set_target(std::unique_ptr<enrollment> here) { here_ = std::move(here); }
  // Called while the target sleeps: brings the code to its end. Unless it does, sleeping is where
  // the interrupt is sent.
  [[nodiscard]] virtual bool wake() { return false; }

 private:
  std::unique_ptr<enrollment> here_;
};

// Another signal that disturbs the code.
enum class disturbance {
  none,
  before,         // SIGUSR1 comes first, and the interrupt on top of its handler
  together,       // both are pending when the target goes on
  asleep,         // SIGUSR1 comes when the target sleeps; its handler lets the call go on
  asleep_failing  // the same, but the call fails with EINTR
};

struct injection_result {
  int instructions = 0;  // before how many instructions it was sent
  int raised = 0;        // by the code
  int completed = 0;     // the code returned, and a later safe point raised
  int discarded = 0;     // the code returned, and there was no target any more
  bool is_sent_asleep = false;
  std::string failure;  // empty: the invariant held each time
};

// `make` is called in the child.
injection_result inject(const std::function<injected_code*()>& make,
                        disturbance other = disturbance::none);

}  // namespace sigexc::test
