// The handler of SIGSEGV, in front of the one that was there: it writes a line if the fault is in a
// guard of ours, and then lets happen what would have happened without it. The program's own, if it
// is installed later, is left alone.
//
// Every call in the handler is on POSIX's list of async-signal-safe functions (write, sigaction),
// or reads only (find_guard).
#include "context/overflow.hpp"

#include "context/stack.hpp"

#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <pthread.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <mutex>

namespace sigexc::detail {

namespace {

constinit struct sigaction before {};

// The decimal digits of `number`, before `end`. @return where they begin.
char* write_number(char* end, std::size_t number) noexcept {
  do *--end = static_cast<char>('0' + number % 10);
  while ((number /= 10) != 0);
  return end;
}

void tell(std::size_t size) noexcept {
  char text[160] = "sigexc: a resumable computation has overflowed its stack of ";
  char digits[24];
  char* const end = std::end(digits);
  char* at = text + std::strlen(text);
  at = std::copy(write_number(end, size / 1024), end, at);
  constexpr char rest[] = " KiB; make it with a larger stack_size\n";
  at = std::copy(rest, rest + sizeof rest - 1, at);
  // A failure to write leaves nothing to be done.
  if (::write(2, text, static_cast<std::size_t>(at - text)) < 0) return;
}

void look_at_fault(int number, siginfo_t* info, void* context) {
  const int error = errno;
  const std::size_t size = find_guard(reinterpret_cast<std::uintptr_t>(info->si_addr));
  if (size != 0) tell(size);
  errno = error;
  if ((before.sa_flags & SA_SIGINFO) != 0) {
    before.sa_sigaction(number, info, context);
  } else if (before.sa_handler != SIG_DFL && before.sa_handler != SIG_IGN) {
    before.sa_handler(number);
  } else {
    // The instruction is executed again, and the fault ends the process. One that somebody has sent
    // by kill() does not come again by itself.
    ::sigaction(number, &before, nullptr);
    if (info->si_code <= 0) ::raise(number);
  }
}

void install() noexcept {
  struct sigaction ours {};
  ours.sa_sigaction = look_at_fault;
  ours.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER;
  sigemptyset(&ours.sa_mask);
  if (::sigaction(SIGSEGV, nullptr, &before) == 0) ::sigaction(SIGSEGV, &ours, nullptr);
}

constexpr std::size_t signal_stack_size = std::size_t{64} * 1024;

// Takes the alternate stack away again when the thread ends.
void drop(void* place) noexcept {
  stack_t none{};
  none.ss_flags = SS_DISABLE;
  stack_t present{};
  if (::sigaltstack(nullptr, &present) == 0 && present.ss_sp == place)
    ::sigaltstack(&none, nullptr);
  ::munmap(place, signal_stack_size);
}

struct once {
  pthread_key_t key{};
  bool has_key = false;
  once() noexcept {
    has_key = pthread_key_create(&key, drop) == 0;
    install();
  }
};

}  // namespace

void prepare_signal_stack() noexcept {
  static const once only;
  stack_t present{};
  if (!only.has_key || ::sigaltstack(nullptr, &present) != 0 ||
      (present.ss_flags & SS_DISABLE) == 0)
    return;
  void* const place = ::mmap(nullptr, signal_stack_size, PROT_READ | PROT_WRITE,
                             MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (place == MAP_FAILED) return;
  stack_t ours{};
  ours.ss_sp = place;
  ours.ss_size = signal_stack_size;
  if (::sigaltstack(&ours, nullptr) != 0 || pthread_setspecific(only.key, place) != 0) drop(place);
}

}  // namespace sigexc::detail
