// The blocking functions of POSIX and Linux as interruptible operations: the same names, arguments
// and results, in a namespace.
//
//   char line[80];
//   const ssize_t length = sigexc::posix::read(fd, line, sizeof line);   // an interrupt ends it
//
// The promise is: a result or an interrupt, never both, and never a lost result.
//
// - Entered with a deliverable interrupt pending, the interrupt is raised and nothing was done: no
//   byte moved, no descriptor opened, no child reaped, no unit taken (O1). The same call can be
//   made again.
// - An interrupt that comes before the call or while it waits ends it; there is no window (O2).
// - What has completed, even in part, is returned, and the interrupt waits for the next safe point
//   (O3): a large write that an interrupt ends half-way returns its count.
// - None of them fails with EINTR. After somebody else's signal they go on waiting for the rest of
//   their timeout (O4), also of one that a socket has by SO_RCVTIMEO or SO_SNDTIMEO. To be woken by
//   a signal, let its handler fire a `prepared_interrupt`.
// - Other errors are those of the function, errno included (O7).
//
// Nothing was done has two exceptions, which are the kernel's. A TCP connection goes on being made
// after its `connect` was interrupted: call `connect` again and wait for it (on a non-blocking
// socket it says EALREADY meanwhile), or close the socket. A `flock` that exchanges a lock for one
// of the other kind gives up the first before it waits for the second.
//
// SIGEXC is the library's: signal masks given to `ppoll`, `pselect` and `epoll_pwait` do not block
// it during the wait, and `sigtimedwait` does not take it.
//
// Where interrupts are delivered only if a call has to wait (`policy::on_blocking`), each function
// asks the kernel first, without waiting, and returns if there is a result (M6). Some cannot ask:
// `connect` of a stream, and `open` of a FIFO for reading or writing only, count as having to wait;
// what `syscall` calls counts as not waiting.
//
// `close` is not here, on purpose: it would not be known whether an interrupted one had closed the
// descriptor, which another thread may have opened again by then. Call `::close`, always once.
//
// On a thread that is no target they do the same as ever, without EINTR.
#pragma once

#include <sigexc/export.hpp>

#include <fcntl.h>
#include <mqueue.h>
#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/msg.h>
#include <sys/random.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cstddef>
#include <type_traits>

/// Calls the function of the same name, as an operation that an interrupt ends. This holds for each
/// function of the namespace:
///
/// @param arguments those of the manual's page of that name.
/// @return its result; -1 with errno set for an error, which is never EINTR.
///
/// Safe point: always.  Blocks: as the function does; interruptible.  Threads: any.
/// Signals: unsafe.  Throws: interrupts, and then nothing was done.
/// See: O1-O4, O7, M6.
namespace sigexc::posix {

// Files, pipes, and whatever else has a descriptor.
SIGEXC_EXPORT ssize_t read(int fd, void* buffer, std::size_t size);
SIGEXC_EXPORT ssize_t write(int fd, const void* buffer, std::size_t size);
SIGEXC_EXPORT ssize_t readv(int fd, const iovec* parts, int count);
SIGEXC_EXPORT ssize_t writev(int fd, const iovec* parts, int count);
SIGEXC_EXPORT ssize_t pread(int fd, void* buffer, std::size_t size, off_t offset);
SIGEXC_EXPORT ssize_t pwrite(int fd, const void* buffer, std::size_t size, off_t offset);
SIGEXC_EXPORT ssize_t splice(int in, off64_t* in_offset, int out, off64_t* out_offset,
                             std::size_t size, unsigned flags);
SIGEXC_EXPORT ssize_t sendfile(int out, int in, off_t* offset, std::size_t size);

// Of these only the opening of a FIFO or a device, and locking, wait for anybody; but a slow disk
// or a remote one may take its time.
SIGEXC_EXPORT int open(const char* path, int flags, mode_t mode = 0);
SIGEXC_EXPORT int openat(int directory, const char* path, int flags, mode_t mode = 0);
SIGEXC_EXPORT int fsync(int fd);
SIGEXC_EXPORT int fdatasync(int fd);
SIGEXC_EXPORT ssize_t copy_file_range(int in, off64_t* in_offset, int out, off64_t* out_offset,
                                      std::size_t size, unsigned flags);
SIGEXC_EXPORT int flock(int fd, int operation);
SIGEXC_EXPORT int fcntl_setlkw(int fd, struct ::flock* lock);  ///< fcntl(fd, F_SETLKW, lock)

// Sockets.
SIGEXC_EXPORT int connect(int fd, const sockaddr* address, socklen_t size);
SIGEXC_EXPORT int accept(int fd, sockaddr* address, socklen_t* size);
SIGEXC_EXPORT int accept4(int fd, sockaddr* address, socklen_t* size, int flags);
SIGEXC_EXPORT ssize_t recv(int fd, void* buffer, std::size_t size, int flags);
SIGEXC_EXPORT ssize_t recvfrom(int fd, void* buffer, std::size_t size, int flags, sockaddr* address,
                               socklen_t* address_size);
SIGEXC_EXPORT ssize_t recvmsg(int fd, msghdr* message, int flags);
SIGEXC_EXPORT ssize_t send(int fd, const void* buffer, std::size_t size, int flags);
SIGEXC_EXPORT ssize_t sendto(int fd, const void* buffer, std::size_t size, int flags,
                             const sockaddr* address, socklen_t address_size);
SIGEXC_EXPORT ssize_t sendmsg(int fd, const msghdr* message, int flags);

// Several descriptors at once. `select` stores the rest of its timeout, as Linux does.
SIGEXC_EXPORT int poll(pollfd* polled, nfds_t count, int milliseconds);
SIGEXC_EXPORT int ppoll(pollfd* polled, nfds_t count, const timespec* timeout,
                        const sigset_t* mask);
SIGEXC_EXPORT int select(int count, fd_set* reading, fd_set* writing, fd_set* exceptional,
                         timeval* timeout);
SIGEXC_EXPORT int pselect(int count, fd_set* reading, fd_set* writing, fd_set* exceptional,
                          const timespec* timeout, const sigset_t* mask);
SIGEXC_EXPORT int epoll_wait(int epoll, epoll_event* events, int count, int milliseconds);
SIGEXC_EXPORT int epoll_pwait(int epoll, epoll_event* events, int count, int milliseconds,
                              const sigset_t* mask);

// Time. What remains is never stored, as they are never cut short; `clock_nanosleep` returns the
// error's number.
SIGEXC_EXPORT int nanosleep(const timespec* duration, timespec* remaining);
SIGEXC_EXPORT int clock_nanosleep(clockid_t clock, int flags, const timespec* time,
                                  timespec* remaining);

// Children, signals, randomness.
SIGEXC_EXPORT pid_t waitpid(pid_t child, int* status, int options);
SIGEXC_EXPORT int waitid(idtype_t type, id_t id, siginfo_t* info, int options);
SIGEXC_EXPORT int sigtimedwait(const sigset_t* set, siginfo_t* info, const timespec* timeout);
SIGEXC_EXPORT ssize_t getrandom(void* buffer, std::size_t size, unsigned flags);

// Message queues and semaphores.
SIGEXC_EXPORT ssize_t mq_receive(mqd_t queue, char* message, std::size_t size, unsigned* priority);
SIGEXC_EXPORT int mq_send(mqd_t queue, const char* message, std::size_t size, unsigned priority);
SIGEXC_EXPORT ssize_t msgrcv(int queue, void* message, std::size_t size, long type, int flags);
SIGEXC_EXPORT int msgsnd(int queue, const void* message, std::size_t size, int flags);
SIGEXC_EXPORT int semop(int semaphores, sembuf* operations, std::size_t count);

}  // namespace sigexc::posix

namespace sigexc::detail {
// `arguments` are six.
SIGEXC_EXPORT long call_system(long number, const long* arguments);

template <class T>
long to_word(T argument) {
  if constexpr (std::is_integral_v<T> || std::is_enum_v<T>) {
    return static_cast<long>(argument);
  } else {
    return reinterpret_cast<long>(argument);
  }
}
}  // namespace sigexc::detail

namespace sigexc::posix {

/// Makes any other blocking system call, with at most six arguments, integers or pointers. After
/// somebody else's signal it makes the same call again: a relative timeout begins anew.
long syscall(long number, auto... arguments) {
  static_assert(sizeof...(arguments) <= 6, "sigexc: a system call has at most six arguments");
  const long words[6]{detail::to_word(arguments)...};
  return detail::call_system(number, words);
}

}  // namespace sigexc::posix
