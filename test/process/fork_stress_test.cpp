// Forks in the midst of everything: senders, targets that start and end, waits, foreign code.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "support/child.hpp"
#include "support/interrupts.hpp"
#include "support/order.hpp"
#include "support/rounds.hpp"

namespace sigexc::test {
namespace {

using namespace std::chrono_literals;

// Calls `work` again and again, on threads of its own, until destroyed.
class storm {
 public:
  storm() = default;
  storm(const storm&) = delete;
  storm& operator=(const storm&) = delete;
  ~storm() {
    is_over_ = true;
    for (auto& one : threads_) one.join();
  }
  template <class F>
  void add(F work) {
    threads_.emplace_back([this, work]() mutable {
      while (!is_over_) work();
    });
  }

 private:
  std::atomic<bool> is_over_{false};
  std::vector<std::thread> threads_;
};

// Calls `body` and lets what it throws go, without a look at it: the C++ library counts who has an
// exception, and ThreadSanitizer does not see it count.
template <class F>
void swallowing(F body) {
  try {
    body();
  } catch (...) {
    return;
  }
}

// In a child: what it left behind is left behind, and everything can be used again.
std::string look_around(const target& self, prepared_interrupt& prepared, int round) {
  if (targets() != std::vector{self}) return "there are other targets";
  if (self.pending() != 0) return "something is pending";
  prepared.fire();
  if (const auto raised = raised_here(); raised != "7") return raised + " instead of 7";
  if (round % 4 != 0) return "";
  thread other([] { return raised_by([] { sleep_for(1h); }); });
  other.interrupt(1);
  {
    const block_scope quiet;
    if (other.wait() != "1") return "not raised in another thread";
  }
  if (round % 16 != 0) return "";
  const std::string said = in_child([] { return raised_here(); });  // a child's child
  return said == "nothing" ? "" : said;
}

// The allocators of the sanitizers of gcc 12 may be locked for ever in a child of a program with
// threads: there a child does nothing, and even so may hang.
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
constexpr bool allocator_survives_forks = false;
#else
constexpr bool allocator_survives_forks = true;
#endif
std::string in_child_of_sanitizer() {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(0);
  const auto patience = std::chrono::steady_clock::now() + 5s;
  while (::waitpid(child, nullptr, WNOHANG) == 0) {
    if (std::chrono::steady_clock::now() > patience) ::kill(child, SIGKILL);
    std::this_thread::yield();
  }
  return "";
}

TEST(ForkStress, LeavesNoLockAndNoCountBehind) {  // X1
  const auto before = set_unobserved_handler([](const target&, std::exception_ptr) noexcept {});
  const enrollment self("forking");
  prepared_interrupt prepared(self.get_target(), 7);
  mutex guard;
  condition_variable changed;
  const long_wait holder;
  const int rounds = stress_rounds(allocator_survives_forks ? 2000 : 200);
  int bad = 0;
  swallowing([&] {
    const block_scope quiet;
    const target me = self.get_target();
    storm around;
    around.add([&, n = 0]() mutable {  // to the thread that forks, by every way
      if (me.pending() > 100) return std::this_thread::yield();
      const receipt sent = me.interrupt(0);
      if (++n % 2 == 0) sent.withdraw();
      prepared.fire();
    });
    around.add([&] {  // targets start and end, and wait
      thread other([&] {
        swallowing([&] {
          std::unique_lock lock(guard);
          changed.wait_for(lock, 1ms);
        });
      });
      other.attach<int>([](int) {});
      interrupt_gently(other.get_target());
      changed.notify_one();
    });
    around.add([&] {  // foreign code is called off, also by the library's own thread
      thread other([] {
        std::atomic<bool> is_over = false;
        swallowing([&] {
          with_wake([&] { is_over = true; },
                    [&] {
                      while (!is_over) std::this_thread::yield();
                    });
        });
      });
      prepared_interrupt(other.get_target(), 1).fire();
      await([&] { return other.get_target().pending() == 0 || other.get_target().finished(); });
    });
    around.add([&] {  // to everybody
      for (const target& one : targets())
        if (one != me) interrupt_gently(one);
    });
    for (int round = 0; round < rounds && bad < 5; ++round) {
      const std::string said =
          !allocator_survives_forks ? in_child_of_sanitizer() : in_child([&]() -> std::string {
            return unblocked([&] { return look_around(me, prepared, round); });
          });
      EXPECT_EQ(said, "") << "in round " << round;
      if (!said.empty()) ++bad;
      if (round % 8 == 0) swallowing([] { const unblock_scope open; });  // takes what was sent
    }
  });
  set_unobserved_handler(before);
}

}  // namespace
}  // namespace sigexc::test
