// What holds for some operations of sigexc::posix only: parts of results, signal masks, descriptors
// that do not wait, connections.
#include <sigexc/posix.hpp>
#include <sigexc/sigexc.hpp>

#include "support/interrupts.hpp"
#include "support/order.hpp"
#include "support/watchdog.hpp"
#include "wait/posix_scenes.hpp"

#include <gtest/gtest.h>

#include <netinet/in.h>
#include <sys/syscall.h>

#include <setjmp.h>
#include <signal.h>

#include <atomic>
#include <barrier>
#include <cerrno>
#include <functional>
#include <string>
#include <thread>
#include <vector>

namespace sigexc::test {
namespace {

bool signal_is_blocked() {
  sigset_t mask;
  pthread_sigmask(SIG_BLOCK, nullptr, &mask);
  return sigismember(&mask, signal_number()) == 1;
}

// More than fits anywhere.
const std::string much(4 << 20, 'm');

using bulk_call = std::function<long(int)>;
const std::vector<std::pair<const char*, bulk_call>> bulk_calls{
    {"write", [](int fd) { return posix::write(fd, much.data(), much.size()); }},
    {"writev",
     [](int fd) {
       const iovec part{const_cast<char*>(much.data()), much.size()};
       return posix::writev(fd, &part, 1);
     }},
    {"sendfile",
     [](int fd) {
       const shared_descriptor file = make_file(much);
       return posix::sendfile(fd, *file, nullptr, much.size());
     }},
};

// O3: completed in part.
TEST(Posix, LargeWriteThatIsInterruptedHalfWayReturnsItsCount) {
  for (const auto& [name, call] : bulk_calls) {
    // Into a pipe sendfile would never write more than there is room for.
    const channel to = name == std::string("write") ? make_pipe() : make_sockets();
    witness waits;
    thread caller([&, call = call] {
      waits.here();
      const long count = call(*to.out);
      EXPECT_TRUE(interrupt_pending());
      EXPECT_EQ(raised_here(), "1");
      return count;
    });
    waits.await_asleep();
    caller.interrupt(1);
    const auto count = static_cast<std::size_t>(caller.wait());
    EXPECT_LT(count, much.size()) << name;
    EXPECT_EQ(drain(to), much.substr(0, count)) << name;
  }
}

// M6: room for a part is no reason to wait for the rest with an interrupt held.
TEST(Posix, LargeWriteOnBlockingReturnsWhatItHasRoomFor) {
  const channel pipe = make_pipe();
  const channel sockets = make_sockets();
  for (const auto& [name, call] : bulk_calls)
    for (const channel& to : {pipe, sockets}) {
      enrollment here;
      const mask_scope only_waits(policy::on_blocking);
      to_self(1);
      safe_point();
      std::size_t total = 0;
      EXPECT_EQ(raised_by([&, call = call] {
                  for (;;) total += static_cast<std::size_t>(call(*to.out));
                }),
                "1")
          << name;
      EXPECT_GT(total, 0U);
      EXPECT_EQ(drain(to), much.substr(0, total)) << name;
    }
}

// M6: what never waits returns EAGAIN, whatever is held.
TEST(Posix, OnBlockingACallThatWasToldNotToWaitReturnsItsError) {
  const channel pipe = make_pipe();
  const channel sockets = make_sockets();
  ::fcntl(*pipe.in, F_SETFL, O_NONBLOCK);
  const shared_descriptor file = make_file("x");
  const shared_descriptor other =
      own(::open(("/proc/self/fd/" + std::to_string(*file)).c_str(), O_RDWR | O_CLOEXEC));
  ::flock(*other, LOCK_EX);
  pollfd polled{*pipe.in, POLLIN, 0};
  const timespec nothing{};
  sigset_t none;
  sigemptyset(&none);
  char byte;

  enrollment here;
  try {
    const mask_scope only_waits(policy::on_blocking);
    to_self(1);
    safe_point();
    const auto expect = [](long result, long expected, int error) {
      EXPECT_EQ(result, expected);
      if (result == -1) {
        EXPECT_EQ(errno, error);
      }
    };
    expect(posix::read(*pipe.in, &byte, 1), -1, EAGAIN);
    expect(posix::recv(*sockets.in, &byte, 1, MSG_DONTWAIT), -1, EAGAIN);
    ::fcntl(*sockets.in, F_SETFL, O_NONBLOCK);
    expect(posix::recv(*sockets.in, &byte, 1, 0), -1, EAGAIN);
    expect(posix::flock(*file, LOCK_EX | LOCK_NB), -1, EWOULDBLOCK);
    expect(posix::poll(&polled, 1, 0), 0, 0);
    expect(posix::nanosleep(&nothing, nullptr), 0, 0);
    expect(posix::sigtimedwait(&none, nullptr, &nothing), -1, EAGAIN);
    expect(posix::splice(*pipe.in, nullptr, *file, nullptr, 1, SPLICE_F_NONBLOCK), -1, EAGAIN);
    expect(posix::read(-1, &byte, 1), -1, EBADF);
    expect(posix::connect(-1, nullptr, 0), -1, EBADF);
    EXPECT_TRUE(interrupt_pending());
  } catch (int) {
    return;
  }
  FAIL() << "nothing was raised";
}

// M6, D3: asking whether something is ready must not change the question.
TEST(Posix, OnBlockingSelectKeepsItsSetsWhenACallbackHandlesTheInterrupt) {
  const channel pipe = make_pipe();
  witness waits;
  thread caller([&] {
    const auto handling = attach<int>([](int) {});
    const mask_scope only_waits(policy::on_blocking);
    fd_set reading;
    FD_ZERO(&reading);
    FD_SET(*pipe.in, &reading);
    to_self(1);
    safe_point();
    waits.here();
    EXPECT_EQ(posix::select(*pipe.in + 1, &reading, nullptr, nullptr, nullptr), 1);
    EXPECT_TRUE(FD_ISSET(*pipe.in, &reading));
  });
  waits.await_asleep();
  put(pipe, "x");
  caller.wait();
}

// O2: a mask that blocks SIGEXC does not keep it out.
TEST(Posix, MaskOfAPollDoesNotBlockInterrupts) {
  sigset_t all;
  sigfillset(&all);
  epoll_event event;
  const shared_descriptor epoll = own(::epoll_create1(EPOLL_CLOEXEC));
  const std::vector<std::function<int()>> calls{
      [&] { return posix::ppoll(nullptr, 0, nullptr, &all); },
      [&] { return posix::pselect(0, nullptr, nullptr, nullptr, nullptr, &all); },
      [&] { return posix::epoll_pwait(*epoll, &event, 1, -1, &all); }};
  for (const auto& call : calls) {
    witness waits;
    thread caller([&] {
      waits.here();
      EXPECT_THROW(call(), int);
    });
    waits.await_asleep();
    caller.interrupt(1);
    caller.wait();
  }
  EXPECT_TRUE(sigismember(&all, signal_number())) << "the caller's mask is a constant";
}

// O4: and the rest of the mask holds.
TEST(Posix, MaskOfAPollBlocksOtherSignals) {
  static volatile sig_atomic_t calls = 0;
  ::signal(SIGUSR1, [](int) { calls = calls + 1; });
  sigset_t usr1;
  sigemptyset(&usr1);
  sigaddset(&usr1, SIGUSR1);
  enrollment here;
  const timespec moment{0, 1'000'000};
  pthread_sigmask(SIG_BLOCK, &usr1, nullptr);
  ::tgkill(::getpid(), ::gettid(), SIGUSR1);
  EXPECT_EQ(posix::ppoll(nullptr, 0, &moment, &usr1), 0);
  EXPECT_EQ(calls, 0);
  sigset_t none;
  sigemptyset(&none);
  EXPECT_EQ(posix::ppoll(nullptr, 0, &moment, &none), 0);
  EXPECT_EQ(calls, 1);
  pthread_sigmask(SIG_UNBLOCK, &usr1, nullptr);
}

// O1, M6: what a select that raised was asked is what the next one asks.
TEST(Posix, SelectThatRaisesLeavesTheSetsAsTheyWere) {
  const channel pipe = make_pipe();
  const enrollment here;
  fd_set reading;
  FD_ZERO(&reading);
  FD_SET(*pipe.in, &reading);
  {
    const mask_scope only_waits(policy::on_blocking);
    to_self(1);
    EXPECT_THROW(posix::select(*pipe.in + 1, &reading, nullptr, nullptr, nullptr), int);
  }
  EXPECT_TRUE(FD_ISSET(*pipe.in, &reading));
  EXPECT_EQ(posix::select(FD_SETSIZE + 1, &reading, nullptr, nullptr, nullptr), -1);
  EXPECT_EQ(errno, EINVAL);
}

// M6, O2: readiness is no promise where others read too.
TEST(Posix, OnBlockingIsInterruptedWhenAnotherTakesWhatWasThere) {
  const channel pipe = make_pipe();
  constexpr int readers = 4;
  constexpr int rounds = 300;
  std::barrier<> each(readers + 1);
  std::atomic<int> bytes{0};
  std::vector<std::jthread> threads;
  for (int i = 0; i < readers; ++i)
    threads.emplace_back([&] {
      const enrollment here;
      for (int round = 0; round < rounds; ++round) {
        each.arrive_and_wait();
        try {
          const mask_scope only_waits(policy::on_blocking);
          to_self(1);
          char byte = 0;
          posix::read(*pipe.in, &byte, 1);
          ++bytes;
        } catch (int) {
        }
        each.arrive_and_wait();
      }
    });
  for (int round = 0; round < rounds; ++round) {
    put(pipe, "x");
    each.arrive_and_wait();
    each.arrive_and_wait();
    EXPECT_LE(bytes, round + 1);
  }
  threads.clear();
  EXPECT_EQ(drain(pipe).size(), static_cast<std::size_t>(rounds - bytes));
}

// M6, D4: a stream of interrupts does not keep a wait from raising.
TEST(Posix, OnBlockingRaisesInAStreamOfInterrupts) {
  const channel pipe = make_pipe();
  std::atomic<bool> is_over{false};
  thread caller([&] {
    const mask_scope only_waits(policy::on_blocking);
    char byte = 0;
    for (int i = 0; i < 20; ++i) EXPECT_NE(raised_by([&] { posix::read(*pipe.in, &byte, 1); }), "");
    is_over = true;
    await([] { return interrupt_pending(); });
  });
  const target to = caller.get_target();
  while (!is_over)
    if (to.pending() < 1000) to.interrupt(0);
  to.interrupt(0);
  EXPECT_ANY_THROW(caller.wait());
}

// S10, O2: a handler that fires on top of the operation it interrupted.
TEST(Posix, PreparedInterruptFiredOnTopOfAnOperationEndsIt) {
#if defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "ThreadSanitizer holds other handlers back until the system call has returned";
#endif
  static prepared_interrupt* fired = nullptr;
  for (const int flags : {0, SA_RESTART}) {
    struct sigaction action {};
    action.sa_flags = flags;
    action.sa_handler = [](int) { fired->fire(); };
    ::sigaction(SIGUSR1, &action, nullptr);
    const channel pipe = make_pipe();
    witness waits;
    thread caller([&] {
      prepared_interrupt prepared(this_thread::get_target(), 1);
      fired = &prepared;
      waits.here();
      char byte = 0;
      return raised_by([&] { posix::read(*pipe.in, &byte, 1); });
    });
    waits.await_asleep();
    ::tgkill(::getpid(), waits.tid(), SIGUSR1);
    EXPECT_EQ(caller.wait(), "1");
  }
}

// O2: the mark that a longjmp leaves behind does not make later operations deaf.
TEST(Posix, AfterALongjmpOutOfAnOperationTheNextIsInterrupted) {
#if defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "ThreadSanitizer holds other handlers back until the system call has returned";
#endif
  static sigjmp_buf place;
  ::signal(SIGUSR1, [](int) { siglongjmp(place, 1); });
  const channel pipe = make_pipe();
  witness first;
  witness second;
  std::atomic<bool> is_out{false};
  thread caller([&] {
    char byte = 0;
    if (sigsetjmp(place, 1) == 0) {
      first.here();
      posix::read(*pipe.in, &byte, 1);
    }
    is_out = true;
    // Long enough without a safe point for the signal to come.
    await([] { return interrupt_pending() && signal_is_blocked(); });
    EXPECT_EQ(raised_here(), "1");
    second.here();
    return raised_by([&] { posix::read(*pipe.in, &byte, 1); });
  });
  first.await_asleep();
  ::tgkill(::getpid(), first.tid(), SIGUSR1);
  await([&] { return is_out.load(); });
  caller.interrupt(1);
  second.await_asleep();
  caller.interrupt(2);
  EXPECT_EQ(caller.wait(), "2");
}

// O1: a TCP connection goes on being made; a second call waits for it.
TEST(Posix, InterruptedConnectionGoesOnBeingMade) {
  const auto tcp = [](int flags) { return own(::socket(AF_INET, SOCK_STREAM | flags, 0)); };
  const shared_descriptor listener = tcp(0);
  ASSERT_EQ(::listen(*listener, 0), 0);
  sockaddr_in address{};
  socklen_t size = sizeof address;
  auto* const generic = reinterpret_cast<sockaddr*>(&address);
  ASSERT_EQ(::getsockname(*listener, generic, &size), 0);
  std::vector<shared_descriptor> queued;  // while they fill the queue, nobody answers the next
  for (int i = 0; i < 2; ++i) {
    queued.push_back(tcp(SOCK_NONBLOCK));
    ::connect(*queued.back(), generic, size);
  }
  witness waits;
  const shared_descriptor client = tcp(0);
  thread caller([&] {
    waits.here();
    EXPECT_THROW(posix::connect(*client, generic, size), int);
    ::fcntl(*client, F_SETFL, O_NONBLOCK);
    EXPECT_EQ(posix::connect(*client, generic, size), -1);
    EXPECT_EQ(errno, EALREADY);
    ::fcntl(*client, F_SETFL, 0);
    const thread acceptor([&] {
      for (;;) own(posix::accept(*listener, nullptr, nullptr));
    });
    EXPECT_EQ(posix::connect(*client, generic, size), 0);
  });
  waits.await_asleep();
  caller.interrupt(1);
  caller.wait();
}

// On a thread that is no target they are the plain functions.
TEST(Posix, WorksOnAThreadThatIsNoTarget) {
  const channel pipe = make_pipe();
  EXPECT_EQ(posix::write(*pipe.out, "x", 1), 1);
  char byte = '-';
  EXPECT_EQ(posix::read(*pipe.in, &byte, 1), 1);
  EXPECT_EQ(byte, 'x');
  EXPECT_EQ(posix::syscall(SYS_getpid), ::getpid());
}

}  // namespace
}  // namespace sigexc::test
