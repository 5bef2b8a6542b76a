// The parent traces, the child runs; they share a page for what the child saw.
//
// To step costs some 10 us an instruction, and N steps for each N would take the square of the
// code's length. So the first run steps through all of the code and notes the path, and each later
// one runs up to the last place that the path tells apart, which a debug register stops it at, and
// steps from there. A debug register is the thread's own: a breakpoint in the text would stop the
// sender too. A run that leaves the path is made again, in steps; so are all where there are no
// debug registers.
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
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <limits>
#include <memory>
#include <new>
#include <stdexcept>
#include <system_error>
#include <thread>
#include <unordered_map>
#include <vector>

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

// To the target itself: of a signal to the process, the sender would relieve it while it is
// stopped.
void disturb(pid_t child) { check(::tgkill(child, child, SIGUSR1) == 0, "tgkill"); }

// Where the code goes: the program counter before each step, as the first run saw it.
class path {
 public:
  [[nodiscard]] int size() const { return static_cast<int>(steps_.size()); }
  [[nodiscard]] std::uint64_t counter(int step) const { return at(step).counter; }
  void add(std::uint64_t counter) {
    const auto [found, is_new] = latest_.try_emplace(counter, size());
    steps_.push_back({counter, is_new ? -1 : found->second, false});
    found->second = size() - 1;
  }
  // The step that was added last ended in sleep, where the harness has something to do.
  void mark_sleep() { steps_.back().sleeps = true; }

  // The last step until `limit` that the target can run to: it does not sleep before it, and its
  // counter is not met earlier. `from`, if there is none.
  [[nodiscard]] int furthest(int from, int limit) const {
    int to = from;
    for (int step = from + 1; step <= limit && step < size() && !at(step - 1).sleeps; ++step)
      if (at(step).previous < from) to = step;
    return to;
  }

 private:
  struct seen {
    std::uint64_t counter;
    int previous;  // the step before it that had the same counter, or -1
    bool sleeps;
  };
  [[nodiscard]] const seen& at(int step) const { return steps_[static_cast<std::size_t>(step)]; }

  std::vector<seen> steps_;
  std::unordered_map<std::uint64_t, int> latest_;
};

// Has the debug registers stop the target before it executes what is at one of these addresses.
// @return false where there are none.
bool stop_at([[maybe_unused]] pid_t child, [[maybe_unused]] std::uint64_t a,
             [[maybe_unused]] std::uint64_t b) {
#if defined(__x86_64__)
  const auto set = [child](std::size_t which, std::uint64_t value) {
    return ::ptrace(PTRACE_POKEUSER, child,
                    offsetof(user, u_debugreg) + which * sizeof(user::u_debugreg[0]), value) == 0;
  };
  constexpr std::uint64_t both_enabled = 0b0101;
  return set(0, a) && set(1, b) && set(7, both_enabled);
#else
  return false;
#endif
}
void stop_nowhere([[maybe_unused]] pid_t child) {
#if defined(__x86_64__)
  constexpr std::size_t control = 7;
  ::ptrace(PTRACE_POKEUSER, child,
           offsetof(user, u_debugreg) + control * sizeof(user::u_debugreg[0]), 0);
#endif
}

// Lets the target run to the counter `to`. @return false if it came to `end` first, or sleeps.
bool run_to(pid_t child, std::uint64_t to, std::uint64_t end, int& status) {
  check(stop_at(child, to, end), "PTRACE_POKEUSER");
  do {
    check(::ptrace(PTRACE_CONT, child, nullptr, signal_to_pass(status)) == 0, "PTRACE_CONT");
    if (await_step(child, true, status) != after_step::stopped) return false;
  } while (signal_to_pass(status) != 0);
  stop_nowhere(child);
  return program_counter(child) == to;
}

enum class outcome_of_run { sent_inside, sent_at_the_end, left_the_path };

// One run, with the interrupt after `steps` instructions, or where the code ends or sleeps before
// that. It keeps to the path that is known, which may be empty; `noted` gets the one it took.
outcome_of_run run_once(const std::function<injected_code*()>& make, disturbance other, int steps,
                        const path& known, path* noted, injection_result& result) {
  constexpr int just_before = 12;  // steps
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
  if (noted != nullptr) {
    if (stop_at(child, end, end))
      stop_nowhere(child);
    else
      noted = nullptr;
  }
  bool is_inside = true;
  bool was_woken = false;
  bool was_disturbed = false;
  auto state = after_step::stopped;
  for (int step = 0; step < steps && is_inside; ++step) {
    if (const int to = known.furthest(step, steps - just_before); to != step) {
      if (!run_to(child, known.counter(to), end, status)) {
        ::kill(child, SIGKILL);
        ::waitpid(child, &status, 0);
        ::munmap(memory, sizeof(page));
        return outcome_of_run::left_the_path;
      }
      step = to;
      counter = known.counter(to);
    }
    if (other == disturbance::before && step + just_before == steps) disturb(child);
    if (noted != nullptr) noted->add(counter);
    const bool may_sleep = is_system_call(child, counter);
    check(::ptrace(PTRACE_SINGLESTEP, child, nullptr, signal_to_pass(status)) == 0,
          "PTRACE_SINGLESTEP");
    state = await_step(child, may_sleep, status);
    if (noted != nullptr && state == after_step::asleep) noted->mark_sleep();
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
  return is_inside && state == after_step::stopped ? outcome_of_run::sent_inside
                                                   : outcome_of_run::sent_at_the_end;
}

}  // namespace

injection_result inject(const std::function<injected_code*()>& make, disturbance other) {
  path known;
  injection_result at_the_end;  // as the last run will find again
  run_once(make, other, std::numeric_limits<int>::max(), {}, &known, at_the_end);
  injection_result result;
  for (int steps = 0; result.failure.empty(); ++steps) {
    auto got = run_once(make, other, steps, known, nullptr, result);
    if (got == outcome_of_run::left_the_path)
      got = run_once(make, other, steps, {}, nullptr, result);
    if (got == outcome_of_run::sent_at_the_end) break;
    ++result.instructions;
  }
  return result;
}

}  // namespace sigexc::test
