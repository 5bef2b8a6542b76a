// Scenes with sockets.
#include "wait/posix_scenes.hpp"

#include <sys/un.h>

#include <cerrno>

namespace sigexc::test {

namespace {

// A listening socket with an address of the kernel's choice, and room for one more in its queue.
struct listener {
  listener() {
    EXPECT_EQ(::bind(*socket, generic(), sizeof(sa_family_t)), 0);
    EXPECT_EQ(::getsockname(*socket, generic(), &size), 0);
    EXPECT_EQ(::listen(*socket, 0), 0);
  }
  sockaddr* generic() { return reinterpret_cast<sockaddr*>(&address); }
  shared_descriptor connect() {
    const shared_descriptor client = make_client();
    EXPECT_EQ(::connect(*client, generic(), size), 0);
    return client;
  }
  int try_accept() const { return ::accept4(*socket, nullptr, nullptr, SOCK_CLOEXEC); }

  static shared_descriptor make_client() {
    return own(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  }

  shared_descriptor socket = make_client();
  sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
  socklen_t size = sizeof address;
};

scene accepting(std::function<long(int)> call) {
  const auto at = std::make_shared<listener>();
  const auto client = std::make_shared<shared_descriptor>();
  return {.call = [=] { return call(*at->socket); },
          .feed = [=] { *client = at->connect(); },
          .check =
              [=](long result) {
                const channel both{*client, own(static_cast<int>(result))};
                put(both, "x");
                EXPECT_EQ(drain(both), "x");
                EXPECT_FALSE(is_ready(*at->socket));
              }};
}

scene connecting() {
  const auto at = std::make_shared<listener>();
  const auto first = at->connect();  // the queue is full
  const auto client = listener::make_client();
  return {.call = [=] { return posix::connect(*client, at->generic(), at->size); },
          .feed = [=] { own(at->try_accept()); },
          .check =
              [=, keep = first](long result) {
                EXPECT_EQ(result, 0);
                own(at->try_accept());
                EXPECT_FALSE(is_ready(*at->socket));
              },
          .check_untouched =
              [=] {
                sockaddr_un peer;
                socklen_t size = sizeof peer;
                EXPECT_EQ(::getpeername(*client, reinterpret_cast<sockaddr*>(&peer), &size), -1);
              }};
}

msghdr message_of(iovec& part) {
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  return message;
}

}  // namespace

std::vector<row> socket_rows() {
  return {
      {"connect", connecting, [] { return posix::connect(-1, nullptr, 0); }, EBADF},
      {"accept",
       [] { return accepting([](int fd) { return posix::accept(fd, nullptr, nullptr); }); },
       [] { return posix::accept(-1, nullptr, nullptr); }, EBADF},
      {"accept4",
       [] {
         return accepting([](int fd) {
           const int accepted = posix::accept4(fd, nullptr, nullptr, SOCK_CLOEXEC);
           EXPECT_TRUE(accepted < 0 || ::fcntl(accepted, F_GETFD) == FD_CLOEXEC);
           return accepted;
         });
       },
       [] { return posix::accept4(-1, nullptr, nullptr, 0); }, EBADF},
      {"recv",
       [] {
         return reading(make_sockets(), [](int fd, char* to) { return posix::recv(fd, to, 1, 0); });
       },
       [] { return posix::recv(-1, nullptr, 1, 0); }, EBADF},
      {"recvfrom",
       [] {
         return reading(make_sockets(SOCK_DGRAM), [](int fd, char* to) {
           return posix::recvfrom(fd, to, 1, 0, nullptr, nullptr);
         });
       },
       [] { return posix::recvfrom(-1, nullptr, 1, 0, nullptr, nullptr); }, EBADF},
      {"recvmsg",
       [] {
         return reading(make_sockets(SOCK_SEQPACKET), [](int fd, char* to) {
           iovec part{to, 1};
           msghdr message = message_of(part);
           return posix::recvmsg(fd, &message, 0);
         });
       },
       [] { return posix::recvmsg(-1, nullptr, 0); }, EBADF},
      {"read_of_a_socket",
       [] {
         return reading(make_sockets(), [](int fd, char* to) { return posix::read(fd, to, 1); });
       },
       [] { return posix::read(-1, nullptr, 1); }, EBADF},
      {"write_of_a_socket",
       [] {
         return writing(make_sockets(),
                        [](int fd, char* from) { return posix::write(fd, from, 1); });
       },
       [] { return posix::write(-1, nullptr, 1); }, EBADF},
      {"send",
       [] {
         return writing(make_sockets(),
                        [](int fd, char* from) { return posix::send(fd, from, 1, 0); });
       },
       [] { return posix::send(-1, nullptr, 1, 0); }, EBADF},
      {"sendto",
       [] {
         return writing(make_sockets(SOCK_DGRAM), [](int fd, char* from) {
           return posix::sendto(fd, from, 1, 0, nullptr, 0);
         });
       },
       [] { return posix::sendto(-1, nullptr, 1, 0, nullptr, 0); }, EBADF},
      {"sendmsg",
       [] {
         return writing(make_sockets(), [](int fd, char* from) {
           iovec part{from, 1};
           const msghdr message = message_of(part);
           return posix::sendmsg(fd, &message, 0);
         });
       },
       [] { return posix::sendmsg(-1, nullptr, 0); }, EBADF},
  };
}

}  // namespace sigexc::test
