// The parent traces, the child runs; they share a page for what the child saw.
#include "inject/injector.hpp"

#include <sigexc/safe_point.hpp>

#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include <elf.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <new>
#include <stdexcept>
#include <system_error>
#include <thread>

namespace sigexc::test {
namespace {

enum class request : int { nothing, send, wake, stop };

// Shared by the two processes.
struct page {
  std::atomic<request> asked{request::nothing};
  std::atomic<bool> is_done{false};
  std::atomic<bool> is_raised{false};
  std::atomic<bool> is_raised_later{false};
  std::atomic<delivery> outcome{delivery::pending};
  std::atomic<bool> has_happened{false};
  std::atomic<bool> is_intact{false};
  std::atomic<bool> can_wake{false};
};

// Marks the end of the code: the tracer knows its address.
extern "C" [[gnu::noinline]] void sigexc_injection_end() { asm volatile(""); }

void check(bool is_good, const char* what) {
  if (!is_good) throw std::system_error(errno, std::generic_category(), what);
}

[[noreturn]] void run_child(page& shared, const std::function<injected_code*()>& make,
                            disturbance other) {
  ::alarm(20);  // a target that hangs ends by the signal, which the parent reports
  struct sigaction busy {};
  busy.sa_handler = [](int) {
    for (int i = 0; i < 32; ++i) asm volatile("nop");  // 12 steps lead into it, and not out again
  };
  if (other == disturbance::asleep) busy.sa_flags = SA_RESTART;
  ::sigaction(SIGUSR1, &busy, nullptr);
  const std::unique_ptr<injected_code> code(make());
  auto here = std::make_unique<enrollment>("target");
  const target self = here->get_target();
  code->set_target(std::move(here));
  receipt sent = self.interrupt(probe{});
  sent.withdraw();  // a receipt to begin with
  safe_point();
  std::thread sender([&shared, &code, &sent, self] {
    for (;;) {
      const request now = shared.asked.exchange(request::nothing);
      if (now == request::stop) return;
      if (now == request::send) sent = self.interrupt(probe{});
      if (now == request::wake) shared.can_wake = code->wake();
      if (now != request::nothing) shared.is_done = true;
      std::this_thread::yield();
    }
  });
  ::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr);
  ::raise(SIGSTOP);
  try {
    code->run();
  } catch (const probe&) {
    shared.is_raised = true;
  }
  sigexc_injection_end();
  shared.has_happened = code->has_happened();
  shared.is_intact = code->is_intact();
  try {
    safe_point();
  } catch (const probe&) {
    shared.is_raised_later = true;
  }
  shared.outcome = sent.state();
  shared.asked = request::stop;
  sender.join();
  std::_Exit(0);
}

std::uint64_t program_counter(pid_t child) {
  user_regs_struct registers{};
  iovec io{&registers, sizeof registers};
  check(::ptrace(PTRACE_GETREGSET, child, NT_PRSTATUS, &io) == 0, "PTRACE_GETREGSET");
#if defined(__x86_64__)
  return registers.rip;
#else
  return registers.pc;
#endif
}

// Whether the instruction there enters the kernel.
bool is_system_call(pid_t child, std::uint64_t counter) {
  errno = 0;
  const long word = ::ptrace(PTRACE_PEEKTEXT, child, counter, nullptr);
  check(errno == 0, "PTRACE_PEEKTEXT");
#if defined(__x86_64__)
  return (word & 0xffff) == 0x050f;
#else
  return (word & 0xffff'ffff) == 0xd400'0001;
#endif
}

bool is_asleep(pid_t child) {
  std::ifstream file("/proc/" + std::to_string(child) + "/stat");
  std::string line;
  std::getline(file, line);
  const auto name_end = line.rfind(')');
  return name_end != std::string::npos && line.at(name_end + 2) == 'S';
}

void ask(page& shared, request what) {
  shared.is_done = false;
  shared.asked = what;
  while (!shared.is_done) std::this_thread::yield();
}

// A signal that stopped the target is passed on; the trap of a step, and the first stop, are not.
int signal_to_pass(int status) {
  if (!WIFSTOPPED(status) || WSTOPSIG(status) == SIGTRAP || WSTOPSIG(status) == SIGSTOP) return 0;
  return WSTOPSIG(status);
}

// To the target itself: of a signal to the process, the sender would relieve it while it is
// stopped.
void disturb(pid_t child) { check(::tgkill(child, child, SIGUSR1) == 0, "tgkill"); }

// What a step led to.
enum class after_step { stopped, asleep, ended };

// Only a system call sleeps. To ask whether it does costs more than the step.
after_step await_step(pid_t child, bool may_sleep, int& status) {
  if (!may_sleep) {
    check(::waitpid(child, &status, 0) == child, "waitpid");
    return WIFSTOPPED(status) ? after_step::stopped : after_step::ended;
  }
  for (;;) {
    const pid_t got = ::waitpid(child, &status, WNOHANG);
    check(got != -1, "waitpid");
    if (got == child) return WIFSTOPPED(status) ? after_step::stopped : after_step::ended;
    if (is_asleep(child)) {
      // It may have been on its way to a stop, which is a sleep of another kind.
      if (::waitpid(child, &status, WNOHANG) == child)
        return WIFSTOPPED(status) ? after_step::stopped : after_step::ended;
      return after_step::asleep;
    }
  }
}

// One run, with the interrupt after `steps` instructions. False: the code ended before that.
bool run_once(const std::function<injected_code*()>& make, disturbance other, int steps,
              injection_result& result) {
  void* const memory =
      ::mmap(nullptr, sizeof(page), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  check(memory != MAP_FAILED, "mmap");
  page& shared = *new (memory) page;
  const pid_t child = ::fork();
  check(child != -1, "fork");
  if (child == 0) run_child(shared, make, other);

  int status = 0;
  check(::waitpid(child, &status, 0) == child && WIFSTOPPED(status), "the child does not stop");
  const auto end = reinterpret_cast<std::uint64_t>(&sigexc_injection_end);
  std::uint64_t counter = program_counter(child);
  bool is_inside = true;
  bool was_woken = false;
  bool was_disturbed = false;
  auto state = after_step::stopped;
  for (int step = 0; step < steps && is_inside; ++step) {
    if (other == disturbance::before && step + 12 == steps) disturb(child);
    const bool may_sleep = is_system_call(child, counter);
    check(::ptrace(PTRACE_SINGLESTEP, child, nullptr, signal_to_pass(status)) == 0,
          "PTRACE_SINGLESTEP");
    state = await_step(child, may_sleep, status);
    if (state == after_step::asleep && !was_disturbed &&
        (other == disturbance::asleep || other == disturbance::asleep_failing)) {
      was_disturbed = true;
      disturb(child);
      check(::waitpid(child, &status, 0) == child, "waitpid");
      state = after_step::stopped;
    } else if (state == after_step::asleep && !was_woken) {
      ask(shared, request::wake);
      was_woken = shared.can_wake;
      if (was_woken) {
        check(::waitpid(child, &status, 0) == child, "waitpid");
        state = after_step::stopped;
      }
    }
    if (state != after_step::stopped) break;
    counter = program_counter(child);
    is_inside = counter != end;
  }
  if (other == disturbance::together) disturb(child);
  ask(shared, request::send);
  if (state == after_step::asleep) {
    result.is_sent_asleep = true;
    check(::waitpid(child, &status, 0) == child, "waitpid");  // the signal stops it
  }
  // Let go. Signals that are pending for it arrive before its next instruction.
  check(::ptrace(PTRACE_DETACH, child, nullptr, signal_to_pass(status)) == 0, "PTRACE_DETACH");
  check(::waitpid(child, &status, 0) == child, "waitpid");

  std::string failure;
  if (WIFSIGNALED(status))
    failure = WTERMSIG(status) == SIGALRM ? "hangs" : "ended by a signal";
  else if (WEXITSTATUS(status) != 0)
    failure = "failed";
  else if (shared.is_raised && shared.is_raised_later)
    failure = "raised twice";
  else if ((shared.is_raised || shared.is_raised_later) != (shared.outcome == delivery::raised))
    failure = "said in the receipt what was not so";
  else if (!shared.is_raised && !shared.is_raised_later && shared.outcome != delivery::discarded)
    failure = "lost the interrupt";
  else if (shared.is_raised && shared.has_happened)
    failure = "raised although it had its effect";
  else if (!shared.is_raised && !shared.has_happened)
    failure = "returned without its effect";
  else if (!shared.is_intact)
    failure = "left something broken";
  if (!failure.empty() && result.failure.empty())
    result.failure =
        failure + ", the interrupt sent after " + std::to_string(steps) + " instructions";
  ++(shared.is_raised         ? result.raised
     : shared.is_raised_later ? result.completed
                              : result.discarded);
  ::munmap(memory, sizeof(page));
  return is_inside && state == after_step::stopped;
}

}  // namespace

injection_result inject(const std::function<injected_code*()>& make, disturbance other) {
  injection_result result;
  for (int steps = 0; run_once(make, other, steps, result) && result.failure.empty(); ++steps)
    ++result.instructions;
  return result;
}

}  // namespace sigexc::test
