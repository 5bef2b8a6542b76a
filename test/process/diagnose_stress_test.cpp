// Diagnosing threads that are born, get interrupts and die meanwhile: 1,000 rounds.
#include <atomic>
#include <chrono>
#include <thread>

#include "support/interrupts.hpp"
#include "support/rounds.hpp"
#include "support/watchdog.hpp"

namespace sigexc {
namespace {

using namespace test;

void lets_in_a_little() noexcept {
  for (int turn = 0; turn < 5; ++turn) safe_point();  // held, R2
}

void work() {
  for (int i = 0; i < 30; ++i) {
    try {
      const block_scope<int> held;
      for (int turn = 0; turn < 20; ++turn) {
        const block_scope<> everything;
        const unblock_scope<int> open;
        safe_point();
        lets_in_a_little();
      }
    } catch (int) {
    } catch (const exception_group&) {
    }
  }
}

// S6, S8: no signal reaches a stranger, and nobody waits for ever.
TEST(DiagnoseStress, ThreadsThatAreBornAndDie) {
  const int rounds = stress_rounds(1000);
  set_unobserved_handler([](const target&, std::exception_ptr) noexcept {});  // they may end so
  std::atomic<bool> is_over{false};
  std::thread asking([&] {
    while (!is_over)
      for (const target& who : targets()) {
        const report found = diagnose(who);
        EXPECT_FALSE(found.reason.empty());
        EXPECT_LT(found.oldest, std::chrono::minutes(1)) << found.reason;
      }
  });
  for (int i = 0; i < rounds; ++i) {
    const thread<void> one(thread_options{.name = "one"}, work);
    const thread<void> two(thread_options{.name = "two"}, work);
    for (int sent = 0; sent < 10; ++sent) {
      interrupt_gently(one.get_target());
      interrupt_gently(two.get_target());
      std::this_thread::yield();
    }
    (void)diagnose(one.get_target());
  }
  is_over = true;
  asking.join();
  set_unobserved_handler(nullptr);
}

}  // namespace
}  // namespace sigexc
