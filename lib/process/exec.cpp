// exec(), by a thread that is a target: the new program finds no SIGEXC (X1).
//
// A signal that is pending for the thread that calls exec stays pending over it, and a blocked one
// blocked; but the handler is gone, and a SIGEXC on its way to the thread would kill the new
// program. (Tried, with senders that do not stop: 1,839 of 3,000.) So the library defines the
// functions of the exec family itself. Each enters a block of everything, in which no sender
// signals (S4); waits for the senders that may have looked before; lets SIGEXC through the thread's
// mask, at whose return what was sent is handled; and calls what the C library would. If that fails
// the block is left again, without a safe point. (The signal by which `diagnose` asks a thread is
// kept out as well: `is_leaving`.)
//
// Functions of our own, say sigexc::posix::execve, were the alternative. They would protect who
// knows of them; but exec is called in code that nobody can change, and a new program that is
// killed once in a while is not a thing that a user would trace to a thread library. So we take the
// names, and do no more behind them than that. They carry no version, or the loader would leave
// those who have asked for the C library's with that (cmake/sigexc.map).
//
// posix_spawn, popen and system call the C library's own, in a child of vfork(): there nothing is
// pending, SIGEXC is in the mask as in the caller's, and has the default action.
//
// They are called in children of fork(), hence async-signal-safe: atomics, a futex,
// pthread_sigmask. And in children of vfork(), which share their parent's memory, so that there a
// block would be opened in the parent, and never closed: such a child is told by getpid(), and
// nothing is done. Where the library was opened by dlopen, the C library's functions come first:
// there exec belongs in a `block_scope`, which does nearly the same.
#include "process/process.hpp"
#include "signal/install.hpp"
#include "signal/send.hpp"
#include "target/record.hpp"

#include <sigexc/detail/current.hpp>
#include <sigexc/mask.hpp>

#include <dlfcn.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdarg>
#include <cstddef>

namespace sigexc::detail {

namespace {

// While it lives no SIGEXC is pending for this thread, nor blocked.
class no_signal {
 public:
  no_signal() noexcept {
    for (record* one = self_; one != nullptr; one = one->outside())
      one->is_leaving.store(true, std::memory_order_seq_cst);
    if (self_ != nullptr) self_->await_signals();
    was_masked_ = unblock_signals();
  }
  no_signal(const no_signal&) = delete;
  no_signal& operator=(const no_signal&) = delete;
  ~no_signal() {
    for (record* one = self_; one != nullptr; one = one->outside())
      one->is_leaving.store(false, std::memory_order_relaxed);
    if (was_masked_) block_signals();
  }

 private:
  record* const self_ = current.self;
  const scope everything_blocked_{policy::never, governed_types<>};
  bool was_masked_;
};

template <class Call>
int exec(Call call) noexcept {
  if (!is_installed() || ::getpid() != process_of_library.load(std::memory_order_relaxed))
    return static_cast<int>(call());
  int error = 0;
  {
    const no_signal here;
    call();
    error = errno;
  }
  errno = error;
  return -1;
}

// The C library's search along PATH, which then makes the system call itself. Looked up when the
// library is loaded, as dlsym is not async-signal-safe.
using search = int (*)(const char*, char* const*, char* const*);
search find_search() noexcept { return reinterpret_cast<search>(::dlsym(RTLD_NEXT, "execvpe")); }
const search search_at_load = find_search();

int exec_on_path(const char* file, char* const* arguments, char* const* environment) noexcept {
  const search found = search_at_load != nullptr ? search_at_load : find_search();
  return exec([=] { return found(file, arguments, environment); });
}

int exec_at(const char* path, char* const* arguments, char* const* environment) noexcept {
  return exec([=] { return ::syscall(SYS_execve, path, arguments, environment); });
}

// The words of an argument list, up to and with the null pointer.
std::size_t count_words(std::va_list list) noexcept {
  std::size_t count = 1;
  while (va_arg(list, const char*) != nullptr) ++count;
  return count;
}
void copy_words(char** to, std::va_list list) noexcept {
  do *to = va_arg(list, char*);
  while (*to++ != nullptr);
}

}  // namespace

}  // namespace sigexc::detail

using namespace sigexc::detail;  // NOLINT: what follows are names of the C library

// The list that begins with `first` as an array on the stack, and behind it, in `rest`, what
// follows the null pointer.
#define SIGEXC_ARGUMENTS(arguments, first, rest)                                         \
  std::va_list rest;                                                                     \
  va_start(rest, first);                                                                 \
  const std::size_t count = 1 + count_words(rest);                                       \
  va_end(rest);                                                                          \
  auto** const arguments = static_cast<char**>(__builtin_alloca(count * sizeof(char*))); \
  arguments[0] = const_cast<char*>(first);                                               \
  va_start(rest, first);                                                                 \
  copy_words((arguments) + 1, rest)

extern "C" {

SIGEXC_EXPORT int execve(const char* path, char* const* arguments,
                         char* const* environment) noexcept {
  return exec_at(path, arguments, environment);
}

SIGEXC_EXPORT int execv(const char* path, char* const* arguments) noexcept {
  return exec_at(path, arguments, environ);
}

SIGEXC_EXPORT int execvpe(const char* file, char* const* arguments,
                          char* const* environment) noexcept {
  return exec_on_path(file, arguments, environment);
}

SIGEXC_EXPORT int execvp(const char* file, char* const* arguments) noexcept {
  return exec_on_path(file, arguments, environ);
}

SIGEXC_EXPORT int execveat(int folder, const char* path, char* const* arguments,
                           char* const* environment, int flags) noexcept {
  return exec([=] { return ::syscall(SYS_execveat, folder, path, arguments, environment, flags); });
}

SIGEXC_EXPORT int fexecve(int file, char* const* arguments, char* const* environment) noexcept {
  if (file < 0) {
    errno = EINVAL;
    return -1;
  }
  return execveat(file, "", arguments, environment, AT_EMPTY_PATH);
}

SIGEXC_EXPORT int execl(const char* path, const char* first, ...) noexcept {
  SIGEXC_ARGUMENTS(arguments, first, rest);
  va_end(rest);
  return exec_at(path, arguments, environ);
}

SIGEXC_EXPORT int execlp(const char* file, const char* first, ...) noexcept {
  SIGEXC_ARGUMENTS(arguments, first, rest);
  va_end(rest);
  return exec_on_path(file, arguments, environ);
}

SIGEXC_EXPORT int execle(const char* path, const char* first, ...) noexcept {
  SIGEXC_ARGUMENTS(arguments, first, rest);
  char* const* const environment = va_arg(rest, char* const*);
  va_end(rest);
  return exec_at(path, arguments, environment);
}

}  // extern "C"
