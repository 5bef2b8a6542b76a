// The times of the operations: a signal of somebody else's takes nothing from them (O4), and
// neither does an interrupt to a target that has blocked it (S4).
#include <sigexc/posix.hpp>
#include <sigexc/sigexc.hpp>

#include "support/interrupts.hpp"
#include "support/order.hpp"
#include "support/watchdog.hpp"
#include "wait/posix_scenes.hpp"

#include <gtest/gtest.h>

#include <netinet/in.h>
#include <sys/un.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <functional>
#include <limits>
#include <string>
#include <thread>
#include <vector>

namespace sigexc::test {
namespace {

using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;

// What a call returns when its time has passed: a result, and errno if that is -1.
struct timed_row {
  const char* name;
  std::function<long(std::chrono::milliseconds)> call;
  long result = 0;
  int error = 0;
  std::chrono::milliseconds early{0};  // that it may end; a socket's clock is a coarse one
};

timespec to_timespec(std::chrono::milliseconds time) {
  return {time / 1s, std::chrono::nanoseconds(time % 1s).count()};
}

// `call` with a socket that has a timeout of its own.
std::function<long(std::chrono::milliseconds)> on_timed_socket(shared_descriptor socket, int option,
                                                               std::function<long(int)> call,
                                                               shared_descriptor peer = nullptr) {
  return [=, keep = peer](std::chrono::milliseconds time) {
    const timeval limit{time / 1s, std::chrono::microseconds(time % 1s).count()};
    EXPECT_EQ(::setsockopt(*socket, SOL_SOCKET, option, &limit, sizeof limit), 0);
    return call(*socket);
  };
}

shared_descriptor listening_socket() {
  const shared_descriptor socket = own(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  EXPECT_EQ(::listen(*socket, 0), 0);
  return socket;
}

// A connection that is never made: the queue of who listens is full, and its kernel says nothing.
std::function<long(std::chrono::milliseconds)> endless_connect() {
  const shared_descriptor listener = listening_socket();
  sockaddr_in address{};
  socklen_t size = sizeof address;
  auto* const generic = reinterpret_cast<sockaddr*>(&address);
  EXPECT_EQ(::getsockname(*listener, generic, &size), 0);
  std::vector<shared_descriptor> queued;
  for (int i = 0; i < 4; ++i) {
    queued.push_back(own(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)));
    ::connect(*queued.back(), generic, size);
  }
  return on_timed_socket(
      own(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)), SO_SNDTIMEO,
      [=](int fd) {
        const std::vector<shared_descriptor> keep = queued;
        return posix::connect(fd, reinterpret_cast<const sockaddr*>(&address), size);
      },
      listener);
}

std::vector<timed_row> timed_rows() {
  const channel empty = make_sockets();
  const channel full = make_sockets();
  fill(full);
  const shared_descriptor epoll = own(::epoll_create1(EPOLL_CLOEXEC));
  return {
      {"poll", [](auto time) { return posix::poll(nullptr, 0, static_cast<int>(time.count())); }},
      {"ppoll",
       [](auto time) {
         const timespec limit = to_timespec(time);
         return posix::ppoll(nullptr, 0, &limit, nullptr);
       }},
      {"select",
       [](auto time) {
         timeval limit{0, std::chrono::microseconds(time).count()};
         const int result = posix::select(0, nullptr, nullptr, nullptr, &limit);
         EXPECT_EQ(limit.tv_sec, 0);
         EXPECT_EQ(limit.tv_usec, 0);
         return result;
       }},
      {"pselect",
       [](auto time) {
         const timespec limit = to_timespec(time);
         return posix::pselect(0, nullptr, nullptr, nullptr, &limit, nullptr);
       }},
      {"epoll_wait",
       [=](auto time) {
         epoll_event event;
         return posix::epoll_wait(*epoll, &event, 1, static_cast<int>(time.count()));
       }},
      {"epoll_pwait",
       [=](auto time) {
         epoll_event event;
         return posix::epoll_pwait(*epoll, &event, 1, static_cast<int>(time.count()), nullptr);
       }},
      {"nanosleep",
       [](auto time) {
         const timespec duration = to_timespec(time);
         return posix::nanosleep(&duration, nullptr);
       }},
      {"clock_nanosleep",
       [](auto time) {
         const timespec duration = to_timespec(time);
         return posix::clock_nanosleep(CLOCK_REALTIME, 0, &duration, nullptr);
       }},
      {"sigtimedwait",
       [](auto time) {
         const timespec limit = to_timespec(time);
         sigset_t none;
         sigemptyset(&none);
         return posix::sigtimedwait(&none, nullptr, &limit);
       },
       -1, EAGAIN},
      {"recv",
       on_timed_socket(
           empty.in, SO_RCVTIMEO,
           [](int fd) {
             char byte;
             return posix::recv(fd, &byte, 1, 0);
           },
           empty.out),
       -1, EAGAIN, 10ms},
      {"read",
       on_timed_socket(make_sockets(SOCK_DGRAM).in, SO_RCVTIMEO,
                       [](int fd) {
                         char byte;
                         return posix::read(fd, &byte, 1);
                       }),
       -1, EAGAIN, 10ms},
      {"send",
       on_timed_socket(
           full.out, SO_SNDTIMEO, [](int fd) { return posix::send(fd, "x", 1, 0); }, full.in),
       -1, EAGAIN, 10ms},
      {"accept",
       on_timed_socket(listening_socket(), SO_RCVTIMEO,
                       [](int fd) { return posix::accept(fd, nullptr, nullptr); }),
       -1, EAGAIN, 10ms},
      {"connect", endless_connect(), -1, EINPROGRESS, 10ms},
  };
}

// Calls all of them for a second, each on a target of its own, while `disturb(target, thread)` is
// called every few milliseconds.
void expect_full_second(std::function<void(const target&, pid_t)> disturb) {
  struct sigaction action {};
  action.sa_handler = [](int) {};  // without SA_RESTART
  ::sigaction(SIGUSR1, &action, nullptr);
  const std::vector<timed_row> rows = timed_rows();
  std::vector<thread<void>> callers;
  std::vector<witness> waits(rows.size());
  std::atomic<std::size_t> ended{0};
  for (std::size_t i = 0; i < rows.size(); ++i)
    callers.emplace_back([&, i] {
      const auto counting = attach<int>([](int) {});
      waits[i].here();
      const auto start = clock::now();
      const long result = rows[i].call(1s);
      const int error = errno;
      const auto time = clock::now() - start;
      EXPECT_EQ(result, rows[i].result) << rows[i].name;
      if (result == -1) {
        EXPECT_EQ(error, rows[i].error) << rows[i].name;
      }
      EXPECT_GE(time, 1s - rows[i].early) << rows[i].name;
      EXPECT_LT(time, 20s) << rows[i].name;
      ++ended;
      await([&] { return ended == rows.size(); });  // it can be signalled until all have ended
    });
  while (ended < rows.size()) {
    for (std::size_t i = 0; i < rows.size(); ++i) disturb(callers[i].get_target(), waits[i].tid());
    std::this_thread::sleep_for(3ms);
  }
  for (auto& caller : callers) caller.wait();
}

// O4
TEST(PosixTimeout, KeepsItsRestWhenSignalsCome) {
  expect_full_second([](const target&, pid_t tid) { ::tgkill(::getpid(), tid, SIGUSR1); });
}

// O4, D3
TEST(PosixTimeout, KeepsItsRestWhenCallbacksHandleInterrupts) {
  expect_full_second([](const target& caller, pid_t) { caller.interrupt(1); });
}

// POSIX: the least and the most that a timeout can be.
TEST(PosixTimeout, OfNothingReturnsAtOnceAndOfEternityWaits) {
  enrollment here;
  const timespec nothing{};
  EXPECT_EQ(posix::ppoll(nullptr, 0, &nothing, nullptr), 0);
  EXPECT_EQ(posix::poll(nullptr, 0, 0), 0);
  EXPECT_EQ(posix::nanosleep(&nothing, nullptr), 0);
  witness waits;
  thread sleeper([&] {
    constexpr timespec eternity{std::numeric_limits<time_t>::max(), 999'999'999};
    for (const std::function<long()>& call : std::initializer_list<std::function<long()>>{
             [&] { return posix::nanosleep(&eternity, nullptr); },
             [&] { return posix::clock_nanosleep(CLOCK_REALTIME, 0, &eternity, nullptr); },
             [&] { return posix::ppoll(nullptr, 0, &eternity, nullptr); },
             [&] { return posix::pselect(0, nullptr, nullptr, nullptr, &eternity, nullptr); }}) {
      waits.here();
      EXPECT_THROW(call(), int);
    }
  });
  for (int i = 0; i < 4; ++i) {
    waits.await_asleep();
    while (sleeper.interrupt(1).wait_for(1s) == delivery::pending) {
    }
  }
  sleeper.wait();
}

// Linux: select says what is left.
TEST(PosixTimeout, OfSelectIsReplacedByItsRest) {
  enrollment here;
  const channel pipe = make_pipe();
  put(pipe, "x");
  fd_set reading;
  FD_ZERO(&reading);
  FD_SET(*pipe.in, &reading);
  timeval limit{1000, 0};
  EXPECT_EQ(posix::select(*pipe.in + 1, &reading, nullptr, nullptr, &limit), 1);
  EXPECT_LT(limit.tv_sec, 1000);
  EXPECT_GT(limit.tv_sec, 900);
}

// S4
TEST(PosixTimeout, OfCallsOutsideTheLibraryIsNotCutShortInABlock) {
  std::atomic<bool> is_over{false};
  thread blocker({.start_blocked = true}, [&] {
    constexpr auto time = 250ms;
    const timespec limit = to_timespec(time);
    timeval select_limit{0, std::chrono::microseconds(time).count()};
    sigset_t none;
    sigemptyset(&none);
    const std::vector<std::function<bool()>> calls{
        [] { return ::poll(nullptr, 0, 250) == 0; },
        [&] { return ::ppoll(nullptr, 0, &limit, nullptr) == 0; },
        [&] { return ::select(0, nullptr, nullptr, nullptr, &select_limit) == 0; },
        [&] { return ::nanosleep(&limit, nullptr) == 0; },
        [&] { return ::sigtimedwait(&none, nullptr, &limit) == -1 && errno == EAGAIN; }};
    for (const auto& call : calls) {
      const auto start = clock::now();
      EXPECT_TRUE(call());
      EXPECT_GE(clock::now() - start, time);
    }
    EXPECT_TRUE(interrupt_pending());
    is_over = true;
  });
  while (!is_over) {
    blocker.interrupt(1);
    std::this_thread::sleep_for(1ms);
  }
  blocker.wait();
}

}  // namespace
}  // namespace sigexc::test
