// Ctrl-C on a real terminal: keys are written to a pty whose other end is the terminal of a child.
#include <pty.h>
#include <signal.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <initializer_list>
#include <memory>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include "support/interrupts.hpp"
#include "support/order.hpp"
#include "support/rounds.hpp"
#include "support/watchdog.hpp"

namespace sigexc {
namespace {

using namespace std::chrono_literals;
using namespace test;

constexpr std::string_view ctrl_c = "\x03";
constexpr auto ever = std::chrono::hours(1);  // the patience of who counts every press

void say(std::string_view words) {
  if (::write(STDOUT_FILENO, words.data(), words.size()) < 0) std::abort();
}

// Runs `work` under a bridge, and says which signal has ended it.
template <class F>
[[gnu::noinline]] void under_bridge(const F& work) {
  const enrollment self("the main thread");
  const signal_bridge bridge({SIGINT}, ever);
  try {
    work();
    say("went on");
  } catch (const keyboard_interrupt& key) {
    say("caught " + std::to_string(key.signal_number()));
  }
}

[[gnu::noinline]] void get_stuck() {
  say("ready");
  while (!interrupt_pending()) {
  }
  say("pending");
  for (;;) ::pause();
}

void computes() {
  under_bridge([] {
    say("ready");
    for (;;) safe_point();
  });
}

void waits() {
  under_bridge([] {
    say("ready");
    char key = 0;
    posix::read(STDIN_FILENO, &key, 1);
  });
}

void blocks() {
  under_bridge([] {
    const block_scope quiet;
    say("ready");
    await([] { return interrupt_pending(); });
    say("pending");
  });
}

void is_stuck() { under_bridge(get_stuck); }

void is_pressed_often() {
  for (int i = 0; i < 5; ++i)
    under_bridge([] {
      say("ready");
      for (;;) safe_point();
    });
  say("done");
}

void is_no_target() {
  std::optional<enrollment> self(std::in_place, "main");
  const signal_bridge bridge({SIGTERM}, ever);
  self.reset();
  ::raise(SIGTERM);
  say("went on");
}

// A child is this program anew, which plays a scene instead of its tests: a sanitizer does not let
// a mere child of fork() start threads.
constexpr const char* scene_variable = "SIGEXC_TEST_SCENE";
constexpr std::array<std::pair<std::string_view, void (*)()>, 6> scenes{{
    {"computes", computes},
    {"waits", waits},
    {"blocks", blocks},
    {"is_stuck", is_stuck},
    {"is_pressed_often", is_pressed_often},
    {"is_no_target", is_no_target},
}};
[[maybe_unused]] const bool is_played = [] {
  const char* const wanted = std::getenv(scene_variable);
  if (wanted == nullptr) return false;
  ::alarm(50);
  for (const auto& [name, play] : scenes)
    if (name == wanted) play();
  ::_exit(0);
}();

// A child on a terminal of its own.
class session {
 public:
  explicit session(const char* scene) {
    std::fflush(nullptr);
    pid_ = ::forkpty(&terminal_, nullptr, nullptr, nullptr);
    if (pid_ != 0) return;
    termios settings{};
    ::tcgetattr(STDIN_FILENO, &settings);
    settings.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    settings.c_lflag |= NOFLSH;  // a key must not throw away what is on its way to the screen
    ::tcsetattr(STDIN_FILENO, TCSANOW, &settings);
    ::setenv(scene_variable, scene, 1);
    ::execl("/proc/self/exe", "scene", nullptr);
    ::_exit(1);
  }
  session(const session&) = delete;
  session& operator=(const session&) = delete;
  ~session() {
    ::close(terminal_);
    if (!is_over_) {
      ::kill(pid_, SIGKILL);
      ::waitpid(pid_, nullptr, 0);
    }
  }

  void press(std::string_view key) const {
    if (::write(terminal_, key.data(), key.size()) != 1) throw std::runtime_error("no terminal");
  }
  // Everything on the screen, once `words` have come, or the child has ended.
  const std::string& screen_until(std::string_view words) {
    std::array<char, 4096> part{};
    while (screen_.find(words) == std::string::npos) {
      const ssize_t size = ::read(terminal_, part.data(), part.size());
      if (size <= 0) break;  // EIO: nobody is there any more
      screen_.append(part.data(), static_cast<std::size_t>(size));
    }
    return screen_;
  }
  // "exit 0", or "signal 2".
  std::string end() {
    screen_until("never said");
    int status = 0;
    ::waitpid(pid_, &status, 0);
    is_over_ = true;
    return WIFSIGNALED(status) ? "signal " + std::to_string(WTERMSIG(status))
                               : "exit " + std::to_string(WEXITSTATUS(status));
  }

 private:
  pid_t pid_ = 0;
  int terminal_ = -1;
  std::string screen_;
  bool is_over_ = false;
};

bool has(const std::string& text, std::string_view words) {
  return text.find(words) != std::string::npos;
}

// X4
TEST(SignalBridge, InterruptsAComputation) {
#if defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "the sanitizer holds a signal back until the thread calls the C library";
#endif
  session one("computes");
  one.screen_until("ready");
  one.press(ctrl_c);
  EXPECT_TRUE(has(one.screen_until("caught 2"), "caught 2"));
  EXPECT_EQ(one.end(), "exit 0");
}

// X4, O2
TEST(SignalBridge, InterruptsAWait) {
#if defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "the sanitizer holds a signal back until the thread calls the C library";
#endif
  session one("waits");
  one.screen_until("ready");
  one.press(ctrl_c);
  EXPECT_TRUE(has(one.screen_until("caught 2"), "caught 2"));
  EXPECT_EQ(one.end(), "exit 0");
}

// X4, M4
TEST(SignalBridge, WaitsForTheEndOfABlock) {
#if defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "the sanitizer holds a signal back until the thread calls the C library";
#endif
  session one("blocks");
  EXPECT_FALSE(has(one.screen_until("ready"), "pending"));
  one.press(ctrl_c);
  EXPECT_TRUE(has(one.screen_until("caught 2"), "pendingcaught 2"));
  EXPECT_EQ(one.end(), "exit 0");
}

// X4
TEST(SignalBridge, ReportsTheSecondPressAndEndsWithTheThird) {
#if defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "the sanitizer holds a signal back until the thread calls the C library";
#endif
  session one("is_stuck");
  one.screen_until("ready");
  one.press(ctrl_c);
  one.screen_until("pending");
  one.press(ctrl_c);
  const std::string screen = one.screen_until("get_stuck()+");
  EXPECT_TRUE(has(screen, "sigexc: SIGINT again")) << screen;
  EXPECT_TRUE(has(screen, "the main thread")) << screen;
  EXPECT_TRUE(has(screen, "get_stuck()")) << screen;
  EXPECT_TRUE(has(screen, "waits for a safe point")) << screen;
  one.press(ctrl_c);
  EXPECT_EQ(one.end(), "signal 2");
}

// X4: each press was answered, so none is a second one.
TEST(SignalBridge, CountsAnewAfterADelivery) {
#if defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "the sanitizer holds a signal back until the thread calls the C library";
#endif
  session one("is_pressed_often");
  std::string seen;
  for (int i = 0; i < 5; ++i) {
    seen += "readycaught 2";
    one.screen_until(seen.substr(0, seen.size() - 8));
    one.press(ctrl_c);
  }
  EXPECT_EQ(one.end(), "exit 0");
  EXPECT_FALSE(has(one.screen_until("done"), "again"));
}

// X4: with no patience each press is a first one.
TEST(SignalBridge, ForgetsAPressWhenPatienceIsOver) {
  const enrollment self;
  const signal_bridge bridge({SIGINT}, 0ms);
  {
    const block_scope<> quiet;
    for (int i = 0; i < 5; ++i) {
      const auto before = std::chrono::steady_clock::now();
      await([before] { return std::chrono::steady_clock::now() > before; });
      ::raise(SIGINT);
    }
    EXPECT_EQ(self.get_target().pending(), 1U);
    EXPECT_EQ(raised_by([] { unblock_scope<>(); }), "keyboard interrupt");
  }
}

int number_raised_by(int signal) {
  ::raise(signal);
  try {
    safe_point();
  } catch (const keyboard_interrupt& key) {
    return key.signal_number();
  }
  return 0;
}

// X4, D2
TEST(SignalBridge, TellsSeveralSignalsApart) {
  thread<std::multiset<int>> bridged([] {
    std::multiset<int> seen;
    const signal_bridge bridge({SIGUSR1, SIGUSR2}, ever);
    try {
      const block_scope quiet;
      ::raise(SIGUSR1);
      ::raise(SIGUSR2);
    } catch (...) {
      handle_each([&](const keyboard_interrupt& key) { seen.insert(key.signal_number()); });
    }
    return seen;
  });
  EXPECT_EQ(bridged.wait(), (std::multiset<int>{SIGUSR1, SIGUSR2}));
}

// X4
TEST(SignalBridge, GivesTheSignalToTheYoungest) {
  const enrollment self;
  const signal_bridge outer({SIGINT}, ever);
  {
    const signal_bridge inner({SIGINT, SIGTERM}, ever);
    EXPECT_EQ(number_raised_by(SIGINT), SIGINT);
    EXPECT_EQ(number_raised_by(SIGTERM), SIGTERM);
    thread<int> other([] {
      const signal_bridge youngest({SIGINT}, ever);
      return number_raised_by(SIGINT);
    });
    EXPECT_EQ(other.wait(), SIGINT);
    EXPECT_EQ(self.get_target().pending(), 0U);
  }
  EXPECT_EQ(number_raised_by(SIGINT), SIGINT);
}

constinit std::atomic<int> own_calls{0};
void own_handler(int) { ++own_calls; }

// X4: also where they do not go in the order in which they came.
TEST(SignalBridge, GivesTheSignalBack) {
  const enrollment self;
  const auto before = ::signal(SIGUSR1, own_handler);
  own_calls = 0;
  auto first = std::make_unique<signal_bridge>(std::initializer_list<int>{SIGUSR1}, ever);
  auto second = std::make_unique<signal_bridge>(std::initializer_list<int>{SIGUSR1}, ever);
  first.reset();
  EXPECT_EQ(number_raised_by(SIGUSR1), SIGUSR1);
  EXPECT_EQ(own_calls, 0);
  second.reset();
  EXPECT_EQ(number_raised_by(SIGUSR1), 0);
  EXPECT_EQ(own_calls, 1);
  EXPECT_EQ(::signal(SIGUSR1, before), own_handler);
}

// X4: nobody is there to be interrupted.
TEST(SignalBridge, EndsTheProcessWhenItsThreadIsNoTargetAnyMore) {
  session one("is_no_target");
  EXPECT_EQ(one.end(), "signal 15");
}

TEST(SignalBridge, RefusesWhatCannotBeBridged) {
  EXPECT_THROW(signal_bridge(), not_enrolled);
  const enrollment self;
  for (const int number : {0, -1, NSIG, 32, SIGKILL, SIGSTOP, SIGSEGV, SIGFPE, signal_number()})
    EXPECT_THROW(signal_bridge({SIGUSR1, number}), std::invalid_argument) << number;
  EXPECT_THROW(signal_bridge({SIGINT}, -1ms), std::invalid_argument);
  EXPECT_NO_THROW(signal_bridge({SIGINT}, std::chrono::milliseconds::max()));
  struct sigaction left {};
  ASSERT_EQ(::sigaction(SIGUSR1, nullptr, &left), 0);
  EXPECT_EQ(left.sa_handler, SIG_DFL);
}

// X4: bridges come and go while the signal is sent; each sending reaches a bridge or, in between,
// the program's own handler.
TEST(SignalBridgeStress, LosesNoPressWhileBridgesComeAndGo) {
  const int most = stress_rounds(20'000);
  const auto before = ::signal(SIGUSR1, own_handler);
  own_calls = 0;
  std::atomic<int> sent{0};
  std::atomic<int> answered{0};
  std::atomic<bool> is_over{false};
  thread<void> bridged(thread_options{.start_blocked = true}, [&] {
    while (!is_over) {
      const signal_bridge bridge({SIGUSR1}, 0ms);
      try {
        const unblock_scope<keyboard_interrupt> open;
        safe_point();
      } catch (const keyboard_interrupt&) {
        ++answered;
      }
    }
    while (interrupt_pending()) try {
        const unblock_scope<keyboard_interrupt> open;
      } catch (const keyboard_interrupt&) {
        ++answered;
      }
  });
  for (int i = 0; i < most; ++i) {
    ::raise(SIGUSR1);
    ++sent;
    await([&] { return answered + own_calls >= sent; });
  }
  is_over = true;
  bridged.wait();
  EXPECT_EQ(answered + own_calls, sent);
  ::signal(SIGUSR1, before);
}

}  // namespace
}  // namespace sigexc
