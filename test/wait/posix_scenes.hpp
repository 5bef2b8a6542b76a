// What scenes are made of: descriptors that close themselves, full and empty pipes.
#pragma once

#include "wait/posix_table.hpp"

#include <gtest/gtest.h>

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <functional>
#include <memory>
#include <string>

namespace sigexc::test {

class descriptor {
 public:
  explicit descriptor(int fd) : fd_(fd) { EXPECT_GE(fd, 0); }
  descriptor(const descriptor&) = delete;
  descriptor& operator=(const descriptor&) = delete;
  ~descriptor() { ::close(fd_); }
  operator int() const noexcept { return fd_; }  // NOLINT: it stands for its number

 private:
  int fd_;
};
using shared_descriptor = std::shared_ptr<descriptor>;

inline shared_descriptor own(int fd) { return std::make_shared<descriptor>(fd); }

// Both ends of a pipe or a pair of sockets: what is written to `out` is read from `in`.
struct channel {
  shared_descriptor in, out;
};

inline channel make_pipe() {
  int ends[2];
  EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  return {own(ends[0]), own(ends[1])};
}

inline channel make_sockets(int type = SOCK_STREAM) {
  int ends[2];
  EXPECT_EQ(::socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, ends), 0);
  return {own(ends[0]), own(ends[1])};
}

// A file in memory.
inline shared_descriptor make_file(const std::string& content = {}) {
  const shared_descriptor file = own(::memfd_create("file", MFD_CLOEXEC));
  EXPECT_EQ(::pwrite(*file, content.data(), content.size(), 0),
            static_cast<ssize_t>(content.size()));
  return file;
}

inline std::string content(int file) {
  std::string found(64, '\0');
  found.resize(static_cast<std::size_t>(::pread(file, found.data(), found.size(), 0)));
  return found;
}

inline bool is_ready(int fd, short events = POLLIN) {
  pollfd asked{fd, events, 0};
  return ::poll(&asked, 1, 0) == 1;
}

// Fills it with dots. Another byte does not fit.
inline void fill(const channel& to) {
  const int flags = ::fcntl(*to.out, F_GETFL);
  ::fcntl(*to.out, F_SETFL, flags | O_NONBLOCK);
  for (const std::string dots(4096, '.'); ::write(*to.out, dots.data(), dots.size()) > 0;) {
  }
  while (::write(*to.out, ".", 1) > 0) {
  }
  ::fcntl(*to.out, F_SETFL, flags);
}

// Takes all that is in it. @return it, without the dots.
inline std::string drain(const channel& from) {
  std::string found;
  for (char bytes[4096]; is_ready(*from.in);) {
    const ssize_t count = ::read(*from.in, bytes, sizeof bytes);
    for (ssize_t i = 0; i < count; ++i)
      if (bytes[i] != '.') found += bytes[i];
  }
  return found;
}

inline void put(const channel& to, const std::string& bytes) {
  EXPECT_EQ(::write(*to.out, bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
}

// A call that reads one byte from an empty channel.
inline scene reading(channel from, std::function<long(int, char*)> call) {
  const auto byte = std::make_shared<char>('-');
  return {.call = [=] { return call(*from.in, byte.get()); },
          .feed = [=] { put(from, "x"); },
          .check =
              [=](long result) {
                EXPECT_EQ(result, 1);
                EXPECT_EQ(*byte, 'x');
                EXPECT_FALSE(is_ready(*from.in));
              }};
}

// A call that writes one byte to a full channel.
inline scene writing(channel to, std::function<long(int, char*)> call) {
  fill(to);
  const auto byte = std::make_shared<char>('x');
  const auto early = std::make_shared<std::string>();  // written by a call that waited for `feed`
  return {.call = [=] { return call(*to.out, byte.get()); },
          .feed = [=] { *early = drain(to); },
          .check =
              [=](long result) {
                EXPECT_EQ(result, 1);
                EXPECT_EQ(*early + drain(to), "x");
              }};
}

}  // namespace sigexc::test
