// From a signal of the process to an interrupt.
//
// Whichever thread the kernel picks runs the handler, and it may have interrupted that thread
// anywhere. So the handler only counts, fires a prepared interrupt (S10) and posts an errand: the
// report of the second press is written by a thread of the library. The third press needs none of
// this to work.
//
// A handler finds its relay through one atomic pointer a signal, and is counted while it uses it. A
// relay that goes first gives the signal back, then takes itself off, then waits until those who
// were counted have left. Who comes too late and finds no relay sends the signal again, to whoever
// handles it now: no press is lost.
#include <sigexc/process_signals.hpp>

#include "mailbox/kept_errno.hpp"
#include "process/process_signals.hpp"
#include "target/errand.hpp"
#include "target/traffic.hpp"

#include <sigexc/configure.hpp>
#include <sigexc/diagnose.hpp>
#include <sigexc/exceptions.hpp>
#include <sigexc/thread.hpp>

#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <mutex>
#include <new>
#include <stdexcept>
#include <string>
#include <system_error>
#include <vector>

namespace sigexc {
namespace detail {

namespace {

using std::chrono::nanoseconds;
using std::chrono::steady_clock;

// Writes the report of a second press. There is one, which stays.
class report_errand final : public errand {
 public:
  std::atomic<int> number{0};

 private:
  void run() noexcept override {
    // A signal without a name is a real-time signal, or none.
    const char* const name = sigabbrev_np(number);
    dprintf(STDERR_FILENO,
            "sigexc: SIG%s again, and what the first has sent is still pending. Once more ends the "
            "process.\n",
            name != nullptr ? name : "RT");
    dump(STDERR_FILENO);
  }
  void keep() noexcept override {}
  void drop() noexcept override {}
};

report_errand& report() {
  static auto& only = *new report_errand;
  return only;
}

// The default action. Signals: async-signal-safe, as each call is.
void end_process(int number) noexcept {
  struct sigaction action {};
  action.sa_handler = SIG_DFL;
  sigaction(number, &action, nullptr);
  raise(number);
  sigset_t only;
  sigemptyset(&only);
  sigaddset(&only, number);
  pthread_sigmask(SIG_UNBLOCK, &only, nullptr);
}

}  // namespace

// One signal of one bridge.
class relay {
 public:
  relay(int number, target to, nanoseconds patience, report_errand& report)
      : number_(number),
        to_(std::move(to)),
        interrupt_(to_, keyboard_interrupt(number)),
        patience_(patience),
        report_(report) {}
  relay(const relay&) = delete;
  relay& operator=(const relay&) = delete;
  ~relay();

  // Makes this the youngest of its signal. Throws std::system_error.
  void install();

  // In a child of fork(): other threads, which are not there, held the lock and were counted.
  static void after_fork() noexcept {
    new (&process.mutex) std::mutex;
    new (&process.handlers) sender_count;
  }

 private:
  static void handle(int number);
  static bool is_ours(int number) noexcept;
  void press() noexcept;

  const int number_;
  const target to_;
  prepared_interrupt interrupt_;
  const nanoseconds patience_;
  report_errand& report_;

  // Written by handlers, which may run on several threads at once: then two presses are as one.
  std::atomic<nanoseconds> last_press_{nanoseconds(0)};
  std::atomic<int> presses_{0};

  // Guarded by the mutex.
  bool is_installed_ = false;
  relay* outer_ = nullptr;
  struct sigaction before_ {};

  static struct state {
    std::mutex mutex;
    std::array<std::atomic<relay*>, NSIG> youngest{};
    // Counts up between the store to `youngest` and the call of sigaction.
    std::atomic<std::uint32_t> installations{0};
    sender_count handlers;
  } process;
};

constinit relay::state relay::process;

void signals_after_fork() noexcept { relay::after_fork(); }

// Whether `handle` handles it.  Signals: async-signal-safe, as sigaction is.
bool relay::is_ours(int number) noexcept {
  struct sigaction now {};
  sigaction(number, nullptr, &now);
  return (now.sa_flags & SA_SIGINFO) == 0 && now.sa_handler == handle;
}

void relay::handle(int number) {
  const kept_errno kept;
  const sender_count::ticket counted = process.handlers.enter();
  const std::uint32_t before = process.installations.load();
  relay* const one = process.youngest[static_cast<std::size_t>(number)].load();
  if (one != nullptr) {
    one->press();
  } else if (is_ours(number) && process.installations.load() == before) {
    end_process(number);  // nobody has installed it since, so somebody has put it back
  } else {
    raise(number);  // arrives when this handler has returned
  }
  process.handlers.leave(counted);
}

void relay::press() noexcept {
  if (to_.finished()) {
    end_process(number_);
    return;
  }
  const nanoseconds now = steady_clock::now().time_since_epoch();
  const bool is_repeated = interrupt_.is_pending() && now - last_press_.load() <= patience_;
  const int presses = is_repeated ? presses_ + 1 : 1;
  last_press_ = now;
  presses_ = presses;
  interrupt_.fire();
  if (presses == 2) {
    report_.number = number_;
    report_.post();
  } else if (presses > 2) {
    end_process(number_);
  }
}

void relay::install() {
  const std::lock_guard lock(process.mutex);
  auto& youngest = process.youngest[static_cast<std::size_t>(number_)];
  outer_ = youngest;
  youngest = this;
  ++process.installations;
  struct sigaction ours {};
  ours.sa_handler = handle;
  ours.sa_flags = SA_RESTART | SA_ONSTACK;
  sigemptyset(&ours.sa_mask);
  if (sigaction(number_, &ours, &before_) != 0) {
    youngest = outer_;
    throw std::system_error(errno, std::generic_category(),
                            "sigexc: signal_bridge: signal " + std::to_string(number_));
  }
  is_installed_ = true;
}

relay::~relay() {
  if (!is_installed_) return;
  const std::lock_guard lock(process.mutex);
  auto& youngest = process.youngest[static_cast<std::size_t>(number_)];
  if (youngest == this) {
    if (is_ours(number_)) sigaction(number_, &before_, nullptr);  // else somebody took it over
    youngest = outer_;
  } else {
    relay* inner = youngest;
    while (inner->outer_ != this) inner = inner->outer_;
    inner->outer_ = outer_;
    inner->before_ = before_;
  }
  process.handlers.await();
}

struct bridge {
  std::vector<std::unique_ptr<relay>> relays;
  bridge() = default;
  bridge(const bridge&) = delete;
  bridge& operator=(const bridge&) = delete;
  ~bridge() {  // the last first, as they were installed
    while (!relays.empty()) relays.pop_back();
  }
};

namespace {

void check(int number) {
  const auto refuse = [number](const char* why) {
    throw std::invalid_argument("sigexc: signal_bridge: signal " + std::to_string(number) + " " +
                                why);
  };
  for (const int fault : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS})
    if (number == fault) refuse("is the fault of the code that it arrives in");
  struct sigaction present {};
  if (number <= 0 || number >= NSIG || sigaction(number, nullptr, &present) != 0)
    refuse("does not exist");
  if (number == SIGKILL || number == SIGSTOP) refuse("cannot be handled");
  if (number == signal_number()) refuse("is SIGEXC");
}

}  // namespace
}  // namespace detail

signal_bridge::signal_bridge(std::initializer_list<int> signals, std::chrono::milliseconds patience)
    : bridge_(std::make_unique<detail::bridge>()) {
  const target self = this_thread::get_target();
  if (patience.count() < 0)
    throw std::invalid_argument("sigexc: signal_bridge: the patience is negative");
  patience = std::min(patience, std::chrono::milliseconds(std::chrono::hours(24 * 365)));
  for (const int number : signals) detail::check(number);
  detail::errand::start_thread();
  for (const int number : signals) {
    bridge_->relays.push_back(
        std::make_unique<detail::relay>(number, self, patience, detail::report()));
    bridge_->relays.back()->install();
  }
}

signal_bridge::~signal_bridge() = default;

}  // namespace sigexc
