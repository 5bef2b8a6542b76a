// Scenes of waiting for several descriptors, and of sleeping.
#include "wait/posix_scenes.hpp"

#include <sys/epoll.h>
#include <sys/select.h>
#include <time.h>

#include <cerrno>

namespace sigexc::test {

namespace {

// `call` waits for the pipe to be readable, for ever. It may announce that once only.
scene polling(std::function<long(int)> call) {
  const channel pipe = make_pipe();
  return {.call = [=] { return call(*pipe.in); },
          .feed = [=] { put(pipe, "x"); },
          .check = [](long result) { EXPECT_EQ(result, 1); }};
}

scene selecting(std::function<long(int, fd_set*)> call) {
  return polling([=](int fd) {
    fd_set reading;
    FD_ZERO(&reading);
    FD_SET(fd, &reading);
    const long result = call(fd + 1, &reading);
    EXPECT_TRUE(FD_ISSET(fd, &reading));
    return result;
  });
}

scene epolling(std::function<long(int, epoll_event*)> call) {
  const shared_descriptor epoll = own(::epoll_create1(EPOLL_CLOEXEC));
  return polling([=](int fd) {
    epoll_event event{.events = EPOLLIN | EPOLLET | EPOLLONESHOT, .data = {.fd = fd}};
    ::epoll_ctl(*epoll, EPOLL_CTL_ADD, fd, &event);  // in the second call it is there
    event.data.fd = -1;
    const long result = call(*epoll, &event);
    EXPECT_EQ(event.data.fd, fd);
    return result;
  });
}

scene sleeping(std::function<long(const timespec*)> call) {
  const auto duration = std::make_shared<timespec>(timespec{1000, 0});
  return {.call = [=] { return call(duration.get()); },
          .feed = [=] { *duration = {}; },
          .check = [](long result) { EXPECT_EQ(result, 0); }};
}

constexpr timespec no_time{0, -1};

}  // namespace

std::vector<row> poll_rows() {
  return {
      {"poll",
       [] {
         return polling([](int fd) {
           pollfd polled{fd, POLLIN, 0};
           const int result = posix::poll(&polled, 1, -1);
           EXPECT_EQ(polled.revents, POLLIN);
           return result;
         });
       },
       [] { return posix::poll(nullptr, 1U << 31, 0); }, EINVAL},
      {"ppoll",
       [] {
         return polling([](int fd) {
           pollfd polled{fd, POLLIN, 0};
           const int result = posix::ppoll(&polled, 1, nullptr, nullptr);
           EXPECT_EQ(polled.revents, POLLIN);
           return result;
         });
       },
       [] { return posix::ppoll(nullptr, 0, &no_time, nullptr); }, EINVAL},
      {"select",
       [] {
         return selecting([](int count, fd_set* reading) {
           return posix::select(count, reading, nullptr, nullptr, nullptr);
         });
       },
       [] { return posix::select(-1, nullptr, nullptr, nullptr, nullptr); }, EINVAL},
      {"pselect",
       [] {
         return selecting([](int count, fd_set* reading) {
           return posix::pselect(count, reading, nullptr, nullptr, nullptr, nullptr);
         });
       },
       [] { return posix::pselect(0, nullptr, nullptr, nullptr, &no_time, nullptr); }, EINVAL},
      {"epoll_wait",
       [] {
         return epolling(
             [](int epoll, epoll_event* event) { return posix::epoll_wait(epoll, event, 1, -1); });
       },
       [] {
         epoll_event event;
         return posix::epoll_wait(-1, &event, 1, 0);
       },
       EBADF},
      {"epoll_pwait",
       [] {
         return epolling([](int epoll, epoll_event* event) {
           sigset_t none;
           sigemptyset(&none);
           return posix::epoll_pwait(epoll, event, 1, -1, &none);
         });
       },
       [] {
         epoll_event event;
         return posix::epoll_pwait(-1, &event, 1, 0, nullptr);
       },
       EBADF},
      {"nanosleep",
       [] {
         return sleeping([](const timespec* time) { return posix::nanosleep(time, nullptr); });
       },
       [] { return posix::nanosleep(&no_time, nullptr); }, EINVAL, waiting::in_vain},
      {"clock_nanosleep",
       [] {
         return sleeping([](const timespec* time) {
           return posix::clock_nanosleep(CLOCK_BOOTTIME, 0, time, nullptr);
         });
       },
       [] {
         errno = posix::clock_nanosleep(CLOCK_REALTIME, 0, &no_time, nullptr);
         return -1;
       },
       EINVAL, waiting::in_vain},
      {"clock_nanosleep_until",
       [] {
         return sleeping([](const timespec* time) {
           timespec end{};
           ::clock_gettime(CLOCK_REALTIME, &end);
           end.tv_sec += time->tv_sec;
           return posix::clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &end, nullptr);
         });
       },
       [] {
         const timespec second{1, 0};
         errno = posix::clock_nanosleep(CLOCK_THREAD_CPUTIME_ID, 0, &second, nullptr);
         return -1;
       },
       EINVAL, waiting::in_vain},
  };
}

}  // namespace sigexc::test
