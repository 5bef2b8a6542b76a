#include "stress/foreign.hpp"

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdlib>

namespace {

// Two real-time signals far from the first, which others like, and one that is never queued.
int pinging() { return SIGRTMAX - 2; }
int jumping() { return SIGRTMAX - 3; }

constexpr int most_guests = 16;
pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
pthread_t guests[most_guests];
int guest_count = 0;
pthread_t sender;
std::atomic<bool> is_over{false};
std::atomic<long> handled{0};

thread_local sigjmp_buf way_out;
thread_local volatile sig_atomic_t is_in_frame = 0;

void sleep_a_moment(long nanoseconds) {
  const timespec moment{0, nanoseconds};
  nanosleep(&moment, nullptr);
}

void on_ping(int) {
  const int kept = errno;
  ++handled;
  char byte = 0;
  if (read(-1, &byte, 1) != 0) errno = EBADF;  // spoils errno, as handlers do
  errno = kept;
}

void on_jump(int) {
  if (is_in_frame != 0) siglongjmp(way_out, 1);
}

void* send_pings(void*) {
  for (unsigned turn = 0; !is_over; ++turn) {
    pthread_mutex_lock(&mutex);
    if (guest_count > 0) {
      const pthread_t one = guests[turn % static_cast<unsigned>(guest_count)];
      pthread_kill(one, turn % 3 == 0 ? SIGUSR1 : pinging());
    }
    pthread_mutex_unlock(&mutex);
    sleep_a_moment(100'000);
  }
  return nullptr;
}

[[gnu::noinline]] void go_deeper(int depth) {
  volatile char room[200] = {};
  room[0] = 1;
  if (depth > 0)
    go_deeper(depth - 1);
  else if (pthread_kill(pthread_self(), jumping()) != 0)
    siglongjmp(way_out, 2);  // the kernel has no room for the signal
  room[1] = room[0];
}

}  // namespace

int foreign_start() {
  struct sigaction mine {};
  mine.sa_handler = on_ping;
  mine.sa_flags = SA_RESTART;
  if (sigaction(pinging(), &mine, nullptr) != 0 || sigaction(SIGUSR1, &mine, nullptr) != 0)
    return errno;
  mine.sa_handler = on_jump;
  mine.sa_flags = 0;
  if (sigaction(jumping(), &mine, nullptr) != 0) return errno;
  is_over = false;
  return pthread_create(&sender, nullptr, send_pings, nullptr);
}

void foreign_stop() {
  is_over = true;
  pthread_join(sender, nullptr);
}

void foreign_enter() {
  pthread_mutex_lock(&mutex);
  if (guest_count == most_guests) abort();
  guests[guest_count++] = pthread_self();
  pthread_mutex_unlock(&mutex);
}

void foreign_leave() {
  pthread_mutex_lock(&mutex);
  for (int i = 0; i < guest_count; ++i)
    if (pthread_equal(guests[i], pthread_self())) guests[i--] = guests[--guest_count];
  pthread_mutex_unlock(&mutex);
}

int foreign_blocks_all_signals() {
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  if (pthread_sigmask(SIG_SETMASK, &all, &before) != 0) return 1;
  sleep_a_moment(1'000);
  return pthread_sigmask(SIG_SETMASK, &before, nullptr) != 0 ? 1 : 0;
}

int foreign_jumps() {
  volatile int failures = 1;
  if (sigsetjmp(way_out, 1) == 0) {
    is_in_frame = 1;
    go_deeper(10);
#if defined(__SANITIZE_THREAD__)  // which puts signals off
    failures = 0;
#endif  // else not reached
  } else {
    failures = 0;
  }
  is_in_frame = 0;
  return failures;
}

int foreign_forks(int by_exec) {
  const pid_t child = fork();
  if (child < 0) return 1;
  if (child == 0) {
    char program[] = "/bin/true";
    char* const arguments[] = {program, nullptr};
    if (by_exec != 0) execv(program, arguments);
    _exit(by_exec);
  }
  int status = -1;
  while (waitpid(child, &status, 0) != child)
    if (errno != EINTR) return 1;
  return status == 0 ? 0 : 1;
}

long foreign_handled() { return handled; }
