// fork(): in the child only the calling thread is a target, and its mailbox is empty (X1).
//
// The child has all the memory of its parent as it was in one moment, with one of its threads. What
// other threads were about to do is done half, and never goes on: a lock is not released, a sender
// is not counted out, a number is not taken back. (But it is a moment: who sees a store of another
// thread in the child sees what that thread had stored before.) There are three remedies:
//
// - A lock that guards data of the whole process is held across the fork, so that the data is
//   complete. Those are the locks of `signal/install`, of the errands and the registry, those of
//   the parking lot where the calling thread sleeps, and those of its own record. None is held by
//   who waits for another lock, or while code of the program runs; so they can be taken in any
//   order, and no thread that forks can hold one.
// - The data of all other records is never touched again, and its locks are not taken. They are
//   told by their number of forks (mailbox/forks.hpp), by which their mailboxes are closed, what
//   was pending there is discarded, and nobody waits for their threads (`is_left_behind`). To take
//   their locks too, in a program with a thousand threads, would make forking dear, and more locks
//   than ThreadSanitizer can count.
// - The rest is set anew: the count of senders, the list of errands, words that another thread
//   was about to change (interrupt.hpp, errand.hpp), the heap of deadlines, of which the
//   child keeps its own. The threads of the library start again with the next foreign code and the
//   next deadline; at once, where the child is in foreign code, or has a deadline, already.
//
// Signals are blocked from the first lock to the last, so that a handler which fires a prepared
// interrupt finds the child as it will be.
//
// The handlers are registered when the library is loaded, and not with the first target: a fork by
// one thread may come while another one makes it. Those of the program, which are registered later,
// run outside of ours, and may use the library.
//
// A child of vfork(), of _Fork() or of the bare system call runs no handlers: it may call nothing
// here, but exec.
#include "mailbox/forks.hpp"
#include "mailbox/parking_lot.hpp"
#include "process/inspection.hpp"
#include "process/process.hpp"
#include "process/process_signals.hpp"
#include "signal/install.hpp"
#include "target/deadlines.hpp"
#include "target/errand.hpp"
#include "target/record.hpp"
#include "target/registry.hpp"
#include "target/termination.hpp"
#include "unwind/callee.hpp"

#include <sigexc/detail/current.hpp>

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <new>
#include <system_error>

namespace sigexc::detail {

constinit std::atomic<pid_t> process_of_library{0};

namespace {

constinit sigset_t mask_before_fork{};  // guarded by the locks that are held across the fork

void before_fork() noexcept {
  sigset_t every;
  sigset_t before;
  sigfillset(&every);
  pthread_sigmask(SIG_SETMASK, &every, &before);
  install_before_fork();
  mask_before_fork = before;
  errand::before_fork();
  registry::before_fork();
  // The calling thread's own, and those that wait there for a computation to halt.
  for (record* one = current.self; one != nullptr; one = one->outside()) one->before_fork();
  parking_lot::before_fork();
}

void after_fork(bool is_child) noexcept {
  parking_lot::after_fork(is_child);
  for (record* one = current.self; one != nullptr; one = one->outside()) one->after_fork(is_child);
  registry::after_fork(is_child);
  errand::after_fork(is_child);
  const sigset_t before = mask_before_fork;
  install_after_fork(is_child);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

void after_fork_in_parent() noexcept { after_fork(false); }

void after_fork_in_child() noexcept {
  fork_count.fetch_add(1, std::memory_order_relaxed);
  process_of_library.store(::getpid(), std::memory_order_relaxed);
  if (current.tid != 0) current.tid = ::gettid();
  inspection_after_fork();
  signals_after_fork();
  after_fork(true);
  restart_deadlines_in_child();
  if (current.self == nullptr || !current.self->wakers.has_any()) return;
  try {
    errand::start_thread();
  } catch (const std::system_error&) {
    // Only a signal handler in the child would have needed it.
  }
}

// What is made on first use is made now: half made, it would stay so in a child.
const bool is_prepared = [] {
  process_of_library.store(::getpid(), std::memory_order_relaxed);
  registry::prepare();
  termination::prepare();
  prepare_callees();
  const int error = pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child);
  if (error != 0)
    throw std::system_error(error, std::generic_category(),
                            "sigexc: the handlers for fork() could not be registered");
  return true;
}();

}  // namespace

}  // namespace sigexc::detail
