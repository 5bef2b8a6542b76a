// An interrupt to the thread before every single instruction of resuming a computation, of what
// runs in it, and of its pause.
#include "inject/injector.hpp"
#include "support/watchdog.hpp"

#include <gtest/gtest.h>
#include <sigexc/resumable.hpp>
#include <sigexc/sigexc.hpp>

#include <iostream>
#include <optional>

namespace sigexc::test {
namespace {

// A computation that has paused once, so that all that is done once has been done. Each further
// resumption passes one `step` and pauses.
class resuming : public injected_code {
 public:
  resuming() {
    self_ = &work_;
    work_.resume();
  }
  void run() override { made_ = work_.resume(); }
  bool has_happened() override { return made_.has_value(); }
  bool is_intact() override {
    // Whatever had happened, no step was lost or made twice, and it can be brought to its end.
    const int before = steps_;
    while (steps_ == before)
      if (work_.resume() != progress::paused) return false;
    is_over_ = true;
    return work_.resume() == progress::finished && steps_ <= 4;
  }

 protected:
  virtual void step() {}

 private:
  void body() {
    while (!is_over_) {
      self_->pause();
      safe_point();
      step();
      ++steps_;
    }
  }

  resumable<void> work_{[this] { body(); }};
  resumable<void>* self_ = nullptr;
  std::optional<progress> made_;
  int steps_ = 0;
  bool is_over_ = false;
};

class resuming_with_scopes : public resuming {
  void step() override {
    const block_scope quiet;
    const unblock_scope<int> open;
  }
};

class resuming_one_that_blocks_pauses : public resuming {
  void step() override {
    const block_scope<pause_request> whole;
    safe_point();
  }
};

template <class Code>
injection_result injected() {
  const injection_result result = inject([]() -> injected_code* { return new Code; });
  std::cout << "  " << result.instructions << " instructions: raised in " << result.raised
            << " runs, completed in " << result.completed << '\n';
  EXPECT_EQ(result.failure, "");
  return result;
}

// O2, O3
TEST(InjectedComputation, ResumedRaisesOrReturnsWhatItHasAndLosesNothing) {
  const auto result = injected<resuming>();
  EXPECT_GT(result.raised, 0);
  EXPECT_GT(result.completed, 0);
}

TEST(InjectedComputation, ScopesInItAreLeftAsEver) {  // M1
  EXPECT_GT(injected<resuming_with_scopes>().raised, 0);
}

TEST(InjectedComputation, ABlockOfPausesHoldsTheInterruptToo) {
  EXPECT_GT(injected<resuming_one_that_blocks_pauses>().raised, 0);
}

}  // namespace
}  // namespace sigexc::test
