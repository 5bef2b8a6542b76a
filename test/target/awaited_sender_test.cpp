// A target that has to wait until a sender is out of its way: it sleeps meanwhile, so that a sender
// of lower priority on its processor can go on.
//
// pthread_kill is replaced: it is where a sender can be stopped half-way.
#include <dlfcn.h>
#include <gtest/gtest.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>

#include <algorithm>
#include <chrono>
#include <ctime>
#include <functional>
#include <semaphore>
#include <thread>
#include <utility>

#include "support/interrupts.hpp"
#include "support/order.hpp"

namespace {
// What the calling thread does before it sends the next signal.
thread_local std::function<void()> before_the_signal;
}  // namespace

extern "C" int pthread_kill(pthread_t to, int number) noexcept {
  static const auto real =
      reinterpret_cast<int (*)(pthread_t, int)>(dlsym(RTLD_NEXT, "pthread_kill"));
  if (const auto first = std::exchange(before_the_signal, nullptr)) first();
  return real(to, number);
}

namespace sigexc::test {
namespace {

using namespace std::chrono_literals;

// Stops while it sends, at its signal, until it is let go.
class stopped_sender {
 public:
  explicit stopped_sender(const target& to)
      : sender_([this, to] {
          before_the_signal = [this] {
            is_sending_.release();
            go_on_.acquire();
          };
          to.interrupt(1);
        }) {
    is_sending_.acquire();
  }
  void let_go() { go_on_.release(); }

 private:
  std::binary_semaphore is_sending_{0};
  std::binary_semaphore go_on_{0};
  std::jthread sender_;
};

TEST(Sender, HalfWayIsAwaitedAsleepWhereABlockIsOpened) {  // S4
  witness where;
  std::binary_semaphore is_ready(0);
  std::binary_semaphore is_sending(0);
  thread other([&] {
    safe_point();
    is_ready.release();
    is_sending.acquire();
    where.here();
    const block_scope quiet;
  });
  is_ready.acquire();
  stopped_sender sender(other.get_target());
  is_sending.release();
  where.await_asleep();
  sender.let_go();
  EXPECT_THROW(other.wait(), int);
}

TEST(Sender, HalfWayIsAwaitedAsleepAtTheEndOfItsTarget) {  // S6, S8
  witness where;
  std::binary_semaphore is_ready(0);
  std::binary_semaphore is_sending(0);
  thread other([&] {
    safe_point();
    is_ready.release();
    is_sending.acquire();
    where.here();
  });
  is_ready.acquire();
  stopped_sender sender(other.get_target());
  is_sending.release();
  where.await_asleep();
  EXPECT_FALSE(other.wait_for(0s));
  sender.let_go();
  other.wait();
}

std::chrono::nanoseconds processor_time() {
  timespec used{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
  return std::chrono::seconds(used.tv_sec) + std::chrono::nanoseconds(used.tv_nsec);
}

// S4: the target displaces the sender from its processor in the middle of sending, and so would
// wait for ever if it kept the processor, or until the kernel takes it away (0.95 s later, as it is
// mostly set up). What is measured is the target's time on the processor alone. 3 rounds.
TEST(Sender, DisplacedByARealTimeTargetIsLetGoOn) {
  const int processor = sched_getcpu();
  const auto move_here = [processor] {
    cpu_set_t only;
    CPU_ZERO(&only);
    CPU_SET(static_cast<unsigned>(processor), &only);
    return pthread_setaffinity_np(pthread_self(), sizeof only, &only) == 0;
  };
  std::binary_semaphore is_ready(0);
  std::binary_semaphore is_sending(0);
  std::chrono::nanoseconds longest = 0ns;
  bool is_permitted = false;
  thread other([&] {
    const sched_param priority{.sched_priority = 1};
    is_permitted = move_here() && pthread_setschedparam(pthread_self(), SCHED_FIFO, &priority) == 0;
    const auto handler = attach<int>([](int) {});
    for (int round = 0; is_permitted && round < 3; ++round) {
      safe_point();
      is_ready.release();
      is_sending.acquire();
      const auto before = processor_time();
      {
        const block_scope quiet;
        longest = std::max(longest, processor_time() - before);
      }
    }
    is_ready.release();
  });
  is_ready.acquire();
  {
    std::jthread sender([&] {
      if (!is_permitted) return;
      move_here();
      for (int round = 0; round < 3; ++round) {
        before_the_signal = [&] { is_sending.release(); };  // the target goes on here
        other.interrupt(1);
        is_ready.acquire();
      }
    });
  }
  other.wait();
  if (!is_permitted) GTEST_SKIP() << "SCHED_FIFO is not permitted here";
  EXPECT_LT(longest, 500ms);
}

}  // namespace
}  // namespace sigexc::test
