// A program with targets and threads in static storage, of which a thread calls fork(), and the
// child ends by exit(): as programs do, with the destructors of statics (X1). It is no googletest,
// whose own statics include a thread. Ends with 0 if the child did.
#include <sigexc/sigexc.hpp>

#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <optional>

namespace {

sigexc::mutex guard;
sigexc::condition_variable changed;
bool is_over = false;
bool is_waiting = false;

// Destroyed by exit(), on the thread that calls it: in the child another one than in the parent.
std::optional<sigexc::enrollment> early;
std::optional<sigexc::thread<void>> other;
std::optional<sigexc::prepared_interrupt> prepared;
std::optional<sigexc::receipt> sent;

void wait_for_the_end() {
  try {
    const sigexc::block_scope quiet;
    std::unique_lock lock(guard);
    is_waiting = true;
    changed.notify_all();
    changed.wait(lock, [] { return is_over; });
  } catch (int) {
    return;
  }
}

int fork_and_exit() {
  const pid_t child = ::fork();
  if (child == 0) {
    ::alarm(50);
    std::exit(0);
  }
  int status = -1;
  ::waitpid(child, &status, 0);
  return status;
}

}  // namespace

int main() {
  ::alarm(100);
  early.emplace("main");
  other.emplace(wait_for_the_end);
  {
    std::unique_lock lock(guard);
    changed.wait(lock, [] { return is_waiting; });
  }
  sent = other->interrupt(1);
  prepared.emplace(early->get_target(), 2);
  const int by_main = fork_and_exit();
  const int by_thread = sigexc::thread(fork_and_exit).wait();
  {
    const std::lock_guard lock(guard);
    is_over = true;
  }
  changed.notify_all();
  std::printf("the children ended with %d and %d\n", by_main, by_thread);
  return by_main == 0 && by_thread == 0 ? 0 : 1;
}
