// Choosing the signal's number and installing its handler, once for the process.
//
// The handler is installed through glibc's exported __sigaction, not through sigaction:
// ThreadSanitizer intercepts the latter and delays signals to its own safe points, which come only
// when the thread calls something that it intercepts.
#include "signal/install.hpp"

#include "mailbox/kept_errno.hpp"
#include "signal/gate.hpp"
#include "signal/handler.hpp"
#include "signal/send.hpp"

#include <fcntl.h>
#include <linux/membarrier.h>
#include <pthread.h>
#include <signal.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

extern "C" int __sigaction(int, const struct sigaction*,
                           struct sigaction*);  // NOLINT: glibc's name

namespace sigexc {
namespace detail {
namespace {

struct state {
  std::mutex mutex;
  std::atomic<bool> is_installed{false};  // written under `mutex`
  std::atomic<int> configured_number{0};  // 0: by the environment or by default
  std::atomic<bool> group{true};
  std::atomic<bool> has_barrier{false};
};
constinit state process;

bool is_real_time(int number) noexcept { return number >= SIGRTMIN && number <= SIGRTMAX; }

void check_real_time(int number, const std::string& origin) {
  if (is_real_time(number)) return;
  throw std::system_error(EINVAL, std::generic_category(),
                          "sigexc: " + origin + " must be the number of a real-time signal, from " +
                              std::to_string(SIGRTMIN) + " to " + std::to_string(SIGRTMAX));
}

// The number that SIGEXC_SIGNAL asks for; -1 if that is no number; nothing if it is not set.
std::optional<int> number_of_environment() noexcept {
  const char* const text = std::getenv("SIGEXC_SIGNAL");
  if (text == nullptr || *text == '\0') return std::nullopt;
  const std::string_view digits(text);
  int number = -1;
  const auto [end, error] = std::from_chars(digits.begin(), digits.end(), number);
  return error == std::errc{} && end == digits.end() ? number : -1;
}

}  // namespace

bool is_unhandled(int number) noexcept {
  struct sigaction present {};
  if (__sigaction(number, nullptr, &present) != 0) return false;
  if ((present.sa_flags & SA_SIGINFO) != 0) return present.sa_sigaction == sigexc_handler;
  return present.sa_handler == SIG_DFL;
}

namespace {

[[noreturn]] void refuse(int number) {
  throw std::system_error(
      EBUSY, std::generic_category(),
      "sigexc: signal " + std::to_string(number) +
          " has another handler; choose a free real-time signal by the environment variable "
          "SIGEXC_SIGNAL or by sigexc::configure({.signal_number = ...})");
}

std::uint64_t bit_in_mask(int number) noexcept { return std::uint64_t{1} << (number - 1); }

// Whether a signal that a handler blocks in the frame it interrupted stays out of that frame.
bool can_edit_masks(int number) noexcept {
  static constinit thread_local int calls = 0;
  struct sigaction probe {};
  probe.sa_flags = SA_SIGINFO;
  sigfillset(&probe.sa_mask);
  probe.sa_sigaction = [](int signal, siginfo_t*, void* context) {
    if (++calls > 1) return;
    sigaddset(&static_cast<ucontext_t*>(context)->uc_sigmask, signal);
    pthread_kill(pthread_self(), signal);
  };
  sigset_t only;
  sigset_t before;
  sigemptyset(&only);
  sigaddset(&only, number);
  __sigaction(number, &probe, nullptr);
  pthread_sigmask(SIG_UNBLOCK, &only, &before);
  pthread_kill(pthread_self(), number);
  const bool is_held_back = calls == 1;
  pthread_sigmask(SIG_UNBLOCK, &only, nullptr);  // lets the second one in
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  struct sigaction none {};
  none.sa_handler = SIG_DFL;
  __sigaction(number, &none, nullptr);
  return is_held_back;
}

// Whether the kernel returns from its functions in the way of which gate_x86_64.S tells.
bool returns_are_spoiled() noexcept {
  const int file =
      ::open("/sys/devices/system/cpu/vulnerabilities/spec_rstack_overflow", O_RDONLY | O_CLOEXEC);
  if (file < 0) return false;
  char text[128];
  const ssize_t size = ::read(file, text, sizeof text);
  ::close(file);
  return size > 0 && std::string_view(text, static_cast<std::size_t>(size)).find("Safe RET") !=
                         std::string_view::npos;
}

}  // namespace

constinit std::atomic<bool> is_signalling_always{true};
extern "C" {
constinit std::atomic<bool> sigexc_gate_refills{false};
}

bool try_install_handler(int number) noexcept {
  if (!is_unhandled(number)) return false;
  struct sigaction ours {};
  ours.sa_sigaction = sigexc_handler;
  ours.sa_flags = SA_RESTART | SA_SIGINFO | SA_ONSTACK;  // stacks of computations are small
  sigfillset(&ours.sa_mask);
  return __sigaction(number, &ours, nullptr) == 0;
}

void install_once() {
  const std::lock_guard lock(process.mutex);
  if (process.is_installed) return;
  if (process.configured_number == 0 && number_of_environment())
    check_real_time(*number_of_environment(), "the environment variable SIGEXC_SIGNAL");
  const int number = signal_number();
  if (!is_unhandled(number)) refuse(number);
  choose_spare_signal();
  // The spare signal is a standard one: for it the probe does not depend on a queue with room.
  const int spare = spare_signal();
  if (can_edit_masks(spare != 0 ? spare : number))
    signals_in_mask = bit_in_mask(number) | (spare != 0 ? bit_in_mask(spare) : 0);
  if (!try_install_handler(number)) refuse(number);
  process.configured_number = number;  // later changes of the environment change nothing
  process.has_barrier =
      ::syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0) == 0;
  sigexc_gate_refills = returns_are_spoiled();
  process.is_installed = true;
}

bool is_installed() noexcept { return process.is_installed.load(std::memory_order_relaxed); }

void install_before_fork() noexcept { process.mutex.lock(); }

void install_after_fork(bool is_child) noexcept {
  // Linux copies the registration for barriers with the memory, but says so nowhere.
  if (is_child && process.has_barrier)
    process.has_barrier =
        ::syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0) == 0;
  process.mutex.unlock();
}

bool delivers_groups() noexcept { return process.group.load(std::memory_order_relaxed); }
bool has_barrier_everywhere() noexcept {
  return process.has_barrier.load(std::memory_order_relaxed);
}

void barrier_everywhere() noexcept {
  const kept_errno kept;
  ::syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0);
}

}  // namespace detail

void configure(const options& chosen) {
  using detail::process;
  if (chosen.signal_number != 0)
    detail::check_real_time(chosen.signal_number, "options::signal_number");
  const std::lock_guard lock(process.mutex);
  if (process.is_installed)
    throw std::system_error(EBUSY, std::generic_category(),
                            "sigexc: configure() must come before the first target exists");
  if (chosen.signal_number != 0 && !detail::is_unhandled(chosen.signal_number))
    detail::refuse(chosen.signal_number);
  process.configured_number = chosen.signal_number;
  process.group = chosen.group;
  detail::is_signalling_always = chosen.signal == wake::always;
}

int signal_number() noexcept {
  const int configured = detail::process.configured_number;
  if (configured != 0) return configured;
  const int wanted = detail::number_of_environment().value_or(0);
  return detail::is_real_time(wanted) ? wanted : SIGRTMIN + 6;
}

}  // namespace sigexc
