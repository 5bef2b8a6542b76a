// Files and pipes: what comes through a descriptor without being a socket's own.
#include <sigexc/posix.hpp>

#include "wait/posix_descriptor.hpp"

#include "mailbox/kept_errno.hpp"

#include <sys/stat.h>
#include <sys/syscall.h>

#include <algorithm>
#include <climits>

namespace sigexc::posix {

using namespace detail;  // NOLINT: these are its operations

namespace {

struct stat status_of(int fd) {
  struct stat status {};
  const kept_errno kept;
  ::fstat(fd, &status);
  return status;
}

// Where there is room to begin with, a large write would yet wait half-way. In pipes and sockets it
// writes as much as there is room for.
template <class Call>
answer write_parts(int fd, const iovec* parts, int count, Call call) {
  return on_descriptor(fd, POLLOUT, call, [&] {
    const mode_t type = status_of(fd).st_mode & S_IFMT;
    if (type != S_IFIFO && type != S_IFSOCK) return call();
    const long result = gate(SYS_pwritev2, fd, parts, count, -1, -1, RWF_NOWAIT);
    return result == -EOPNOTSUPP ? call() : unless_nonblocking(fd, result);
  });
}

}  // namespace

ssize_t read(int fd, void* buffer, std::size_t size) {
  return on_descriptor(POLLIN, SYS_read, fd, buffer, size);
}

ssize_t write(int fd, const void* buffer, std::size_t size) {
  const iovec whole{const_cast<void*>(buffer), size};
  return write_parts(fd, &whole, 1, [=] { return gate(SYS_write, fd, buffer, size); });
}

ssize_t readv(int fd, const iovec* parts, int count) {
  return on_descriptor(POLLIN, SYS_readv, fd, parts, count);
}

ssize_t writev(int fd, const iovec* parts, int count) {
  return write_parts(fd, parts, count, [=] { return gate(SYS_writev, fd, parts, count); });
}

ssize_t pread(int fd, void* buffer, std::size_t size, off_t offset) {
  return on_descriptor(POLLIN, SYS_pread64, fd, buffer, size, offset);
}

ssize_t pwrite(int fd, const void* buffer, std::size_t size, off_t offset) {
  return on_descriptor(POLLOUT, SYS_pwrite64, fd, buffer, size, offset);
}

ssize_t splice(int in, off64_t* in_offset, int out, off64_t* out_offset, std::size_t size,
               unsigned flags) {
  const auto call = [=](unsigned how) {
    return gate(SYS_splice, in, in_offset, out, out_offset, size, how);
  };
  return on_descriptor(
      in, POLLIN, [&] { return call(flags); },
      [&] {
        const long ready = probe(out, POLLOUT);
        if (ready != 1) return ready;
        const long result = call(flags | SPLICE_F_NONBLOCK);
        if ((flags & SPLICE_F_NONBLOCK) != 0 || is_nonblocking(in)) return result;
        return unless_nonblocking(out, result);
      });
}

// For `now`: a page fits where there is any room.
ssize_t sendfile(int out, int in, off_t* offset, std::size_t size) {
  const auto call = [=](std::size_t most) { return gate(SYS_sendfile, out, in, offset, most); };
  return on_descriptor(
      out, POLLOUT, [&] { return call(size); },
      [&] {
        const long ready = probe(in, POLLIN);
        return ready == 1 ? call(std::min<std::size_t>(size, PIPE_BUF)) : ready;
      });
}

int open(const char* path, int flags, mode_t mode) {
  return posix::openat(AT_FDCWD, path, flags, mode);
}

int openat(int directory, const char* path, int flags, mode_t mode) {
  return unasked([=] { return gate(SYS_openat, directory, path, flags | O_LARGEFILE, mode); });
}

int fsync(int fd) {
  return unasked([=] { return gate(SYS_fsync, fd); });
}

int fdatasync(int fd) {
  return unasked([=] { return gate(SYS_fdatasync, fd); });
}

ssize_t copy_file_range(int in, off64_t* in_offset, int out, off64_t* out_offset, std::size_t size,
                        unsigned flags) {
  return unasked(
      [=] { return gate(SYS_copy_file_range, in, in_offset, out, out_offset, size, flags); });
}

int flock(int fd, int operation) {
  return by_flag(operation, LOCK_NB, -EWOULDBLOCK,
                 [=](int how) { return gate(SYS_flock, fd, how); });
}

int fcntl_setlkw(int fd, struct ::flock* lock) {
  return answer(operate([=] { return gate(SYS_fcntl, fd, F_SETLKW, lock); },
                        [=] {
                          const long result = gate(SYS_fcntl, fd, F_SETLK, lock);
                          return result == -EAGAIN || result == -EACCES ? would_wait : result;
                        }));
}

}  // namespace sigexc::posix
