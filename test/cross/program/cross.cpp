// Passes through what depends on the architecture: the poll, the gate and the handler. Every
// interrupt is counted; a byte that was written must be read once.
#include <sigexc/posix.hpp>
#include <sigexc/sigexc.hpp>

#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdio>
#include <thread>

namespace {

struct numbered {
  int number;
};

// The same signal's handler makes the system call begin again, with SIGEXC on top of it.
void disturb(int) {
  for (int i = 0; i < 1000; ++i) asm volatile("");
}

int fail(const char* what) {
  std::printf("failed: %s\n", what);
  return 1;
}

}  // namespace

int main() {
  constexpr int rounds = 5'000;
  std::array<int, 2> ends{};
  if (::pipe(ends.data()) != 0) return fail("pipe");
  struct sigaction disturbing {};
  disturbing.sa_handler = disturb;
  disturbing.sa_flags = SA_RESTART;
  ::sigaction(SIGUSR1, &disturbing, nullptr);

  std::atomic<pthread_t> handle{};
  sigexc::thread reader([&] {
    handle = ::pthread_self();
    int expected = 0;
    for (;;) {
      try {
        char byte = 0;
        if (sigexc::posix::read(ends[0], &byte, 1) == 1) return byte == 'x' ? expected : -1;
      } catch (const numbered& n) {
        if (n.number != expected++) return -2;
      }
    }
  });
  while (handle == pthread_t{}) std::this_thread::yield();
  for (int i = 0; i < rounds; ++i) {
    if (i % 3 == 0) ::pthread_kill(handle, SIGUSR1);
    reader.interrupt(numbered{i}).wait();
  }
  if (::write(ends[1], "x", 1) != 1) return fail("write");
  if (reader.wait() != rounds) return fail("an interrupt of a read was lost or doubled");

  sigexc::thread computing([] {
    int caught = 0;
    while (caught < rounds) {
      try {
        for (;;) sigexc::safe_point();
      } catch (const numbered& n) {
        if (n.number != caught++) return -1;
      }
    }
    return caught;
  });
  for (int i = 0; i < rounds; ++i) computing.interrupt(numbered{i}).wait();
  if (computing.wait() != rounds) return fail("an interrupt of a computation was lost or doubled");
  std::printf("passed: %d interrupts of a read, %d of a computation\n", rounds, rounds);
  return 0;
}
