// Bad input to operations: pointers to nothing, times that are none, locks that nobody has. Each
// has the error that the C library has for it, or ends at once; and interrupts come first, as ever
// (O1).
#include <gtest/gtest.h>

#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <functional>
#include <limits>
#include <mutex>
#include <string>
#include <system_error>
#include <vector>

#include "support/interrupts.hpp"
#include "support/order.hpp"
#include "support/watchdog.hpp"

namespace sigexc::test {
namespace {

using namespace std::chrono_literals;

// Not known to be null to the compiler, which objects.
template <class T>
T* nowhere() {
  static void* volatile none = nullptr;
  return static_cast<T*>(none);
}

struct bad_call {
  const char* name;
  int error;
  std::function<long()> call;
};

std::vector<bad_call> bad_calls(int readable) {
  static timespec too_many_nanoseconds{0, 1'000'000'000};
  static timespec negative{-1, 0};
  static timespec long_ago{std::numeric_limits<time_t>::min(), 0};
  // clock_nanosleep returns its error.
  const auto returned = [](int error) {
    errno = error;
    return error == 0 ? 0L : -1L;
  };
  return {
      {"read", EFAULT, [=] { return posix::read(readable, nowhere<char>(), 1); }},
      {"readv", EFAULT, [=] { return posix::readv(readable, nowhere<iovec>(), 1); }},
      {"poll", EFAULT, [] { return posix::poll(nowhere<pollfd>(), 1, -1); }},
      {"poll of too many", EINVAL,
       [] { return posix::poll(nowhere<pollfd>(), std::numeric_limits<nfds_t>::max(), -1); }},
      {"ppoll", EINVAL, [] { return posix::ppoll(nullptr, 0, &negative, nullptr); }},
      {"select", EINVAL, [] { return posix::select(-1, nullptr, nullptr, nullptr, nullptr); }},
      {"pselect", EINVAL,
       [] { return posix::pselect(0, nullptr, nullptr, nullptr, &too_many_nanoseconds, nullptr); }},
      {"epoll_wait", EBADF, [] { return posix::epoll_wait(-1, nowhere<epoll_event>(), 1, -1); }},
      {"nanosleep", EFAULT, [] { return posix::nanosleep(nowhere<timespec>(), nullptr); }},
      {"nanosleep for too much", EINVAL,
       [] { return posix::nanosleep(&too_many_nanoseconds, nullptr); }},
      {"nanosleep for less than nothing", EINVAL,
       [] { return posix::nanosleep(&negative, nullptr); }},
      {"clock_nanosleep", EFAULT,
       [=] {
         return returned(posix::clock_nanosleep(CLOCK_MONOTONIC, 0, nowhere<timespec>(), nullptr));
       }},
      {"clock_nanosleep until", EFAULT,
       [=] {
         return returned(
             posix::clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, nowhere<timespec>(), nullptr));
       }},
      {"clock_nanosleep until long ago", EINVAL,
       [=] {
         return returned(
             posix::clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &long_ago, nullptr));
       }},
      {"clock_nanosleep of no clock", EINVAL,
       [=] { return returned(posix::clock_nanosleep(12'345, 0, &negative, nullptr)); }},
      {"recvmsg", ENOTSOCK, [=] { return posix::recvmsg(readable, nowhere<msghdr>(), 0); }},
      {"connect", ENOTSOCK, [=] { return posix::connect(readable, nowhere<sockaddr>(), 0); }},
      {"waitpid", EINVAL, [] { return posix::waitpid(-1, nullptr, 12'345); }},
      {"sigtimedwait", EFAULT,
       [] { return posix::sigtimedwait(nowhere<sigset_t>(), nullptr, nullptr); }},
      {"open", EFAULT, [] { return posix::open(nowhere<char>(), 0); }},
      {"getrandom", EFAULT, [] { return posix::getrandom(nowhere<char>(), 10, 0); }},
      {"syscall", ENOSYS, [] { return posix::syscall(-1); }},
  };
}

TEST(Operation, WithBadInputFailsAsTheCLibrarysDoes) {  // O1, O7, M6
  const enrollment self;
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  ASSERT_EQ(::write(ends[1], "x", 1), 1);
  for (const auto& bad : bad_calls(ends[0])) {
    SCOPED_TRACE(bad.name);
    for (const policy what : {policy::immediate, policy::on_blocking, policy::never}) {
      const mask_scope scope(what);
      errno = 0;
      EXPECT_EQ(bad.call(), -1);
      EXPECT_EQ(errno, bad.error);
    }
    to_self(1);
    EXPECT_EQ(raised_by([&] { bad.call(); }), "1");
    EXPECT_EQ(raised_here(), "nothing");
  }
  ::close(ends[0]);
  ::close(ends[1]);
}

// Calls `wait` with the shortest times that there are, and with none.
template <class Wait>
void with_times_of_nothing(Wait wait) {
  using seconds = std::chrono::duration<double>;
  wait(seconds(-std::numeric_limits<double>::infinity()));
  wait(seconds(std::numeric_limits<double>::quiet_NaN()));
  wait(seconds(std::numeric_limits<double>::lowest()));
  wait(std::chrono::hours::min());
  wait(std::chrono::nanoseconds::min());
  wait(-1s);
  wait(0s);
}
// And the longest ones, which have to be ended.
template <class Wait>
void with_times_without_end(Wait wait) {
  using seconds = std::chrono::duration<double>;
  wait(seconds(std::numeric_limits<double>::infinity()));
  wait(seconds(std::numeric_limits<double>::max()));
  wait(std::chrono::hours::max());
  wait(std::chrono::nanoseconds::max());
  wait(std::chrono::duration<unsigned long, std::ratio<3'600>>(
      std::numeric_limits<unsigned long>::max()));
}

struct things_to_wait_for {
  sigexc::mutex mutex;
  sigexc::condition_variable never;
  sigexc::counting_semaphore units{0};
  const long_wait held{};
};

TEST(Times, OfNothingOrLessEndEveryWaitAtOnce) {
  const enrollment self;
  things_to_wait_for some;
  sigexc::thread other([] { sleep_for(1h); });
  with_times_of_nothing([&](auto time) {
    sleep_for(time);
    EXPECT_FALSE(some.units.try_acquire_for(time));
    EXPECT_EQ(some.held.sent().wait_for(time), delivery::pending);
    EXPECT_FALSE(other.wait_for(time));
    EXPECT_FALSE(timeout(time, [] {
      for (;;) safe_point();
    }));
    std::unique_lock lock(some.mutex);
    EXPECT_EQ(some.never.wait_for(lock, time), std::cv_status::timeout);
    EXPECT_FALSE(some.never.wait_for(lock, time, [] { return false; }));
  });
}

TEST(Times, WithoutEndDoNotEndAWaitAndAnInterruptDoes) {  // O2
  things_to_wait_for some;
  with_times_without_end([&](auto time) {
    const auto expect_interrupted = [](auto wait) {
      witness sleeper;
      sigexc::thread waiting([&] {
        sleeper.here();
        wait();
      });
      sleeper.await_asleep();
      waiting.interrupt(1);
      EXPECT_EQ(raised_by([&] { waiting.wait(); }), "1");
    };
    expect_interrupted([=] { sleep_for(time); });
    expect_interrupted([=, &some] { (void)some.units.try_acquire_for(time); });
    expect_interrupted([=, &some] { (void)some.held.sent().wait_for(time); });
    expect_interrupted([=, &some] {
      std::unique_lock lock(some.mutex);
      some.never.wait_for(lock, time);
    });
    expect_interrupted([=] { timeout(time, [] { sleep_for(1h); }); });
  });
}

TEST(Condition, OfALockThatIsNotHeldHasTheErrorOfTheLock) {
  const enrollment self;
  things_to_wait_for some;
  std::unique_lock lock(some.mutex, std::defer_lock);
  EXPECT_THROW(some.never.wait(lock), std::system_error);
  std::unique_lock<sigexc::mutex> of_nothing;
  EXPECT_THROW(some.never.wait(of_nothing), std::system_error);
  EXPECT_EQ(current_policy(), policy::immediate);
  lock.lock();
  to_self(1);
  EXPECT_EQ(raised_by([&] { some.never.wait(lock); }), "1");
  EXPECT_TRUE(lock.owns_lock());
}

}  // namespace
}  // namespace sigexc::test
