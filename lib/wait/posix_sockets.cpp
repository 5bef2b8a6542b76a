// Sockets.
#include <sigexc/posix.hpp>

#include "wait/posix_descriptor.hpp"

#include <sys/syscall.h>

namespace sigexc::posix {

using namespace detail;  // NOLINT: these are its operations

// A timeout of the socket that passes leaves the connection in progress.
int connect(int fd, const sockaddr* address, socklen_t size) {
  const auto call = [=] { return gate(SYS_connect, fd, address, size); };
  socket_timeout limit(fd, POLLOUT);
  return answer(operate([&] { return limit.attempt(call, -EINPROGRESS); }, call));
}

int accept(int fd, sockaddr* address, socklen_t* size) {
  return posix::accept4(fd, address, size, 0);
}

int accept4(int fd, sockaddr* address, socklen_t* size, int flags) {
  return on_descriptor(POLLIN, SYS_accept4, fd, address, size, flags);
}

ssize_t recv(int fd, void* buffer, std::size_t size, int flags) {
  return posix::recvfrom(fd, buffer, size, flags, nullptr, nullptr);
}

ssize_t recvfrom(int fd, void* buffer, std::size_t size, int flags, sockaddr* address,
                 socklen_t* address_size) {
  return on_socket(fd, POLLIN, flags, [=](int how) {
    return gate(SYS_recvfrom, fd, buffer, size, how, address, address_size);
  });
}

ssize_t recvmsg(int fd, msghdr* message, int flags) {
  return on_socket(fd, POLLIN, flags, [=](int how) { return gate(SYS_recvmsg, fd, message, how); });
}

ssize_t send(int fd, const void* buffer, std::size_t size, int flags) {
  return posix::sendto(fd, buffer, size, flags, nullptr, 0);
}

ssize_t sendto(int fd, const void* buffer, std::size_t size, int flags, const sockaddr* address,
               socklen_t address_size) {
  return on_socket(fd, POLLOUT, flags, [=](int how) {
    return gate(SYS_sendto, fd, buffer, size, how, address, address_size);
  });
}

ssize_t sendmsg(int fd, const msghdr* message, int flags) {
  return on_socket(fd, POLLOUT, flags,
                   [=](int how) { return gate(SYS_sendmsg, fd, message, how); });
}

}  // namespace sigexc::posix
