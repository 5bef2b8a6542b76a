// How long a callback and what it holds live, where its end is unusual: it ends the target that it
// runs in, or another thread detaches it at an awkward moment.
//
// Freed memory is overwritten here, so that touching it shows, with a sanitizer or without.
#include <gtest/gtest.h>
#include <pthread.h>
#include <sched.h>

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <optional>
#include <semaphore>
#include <string>
#include <thread>

#include "support/interrupts.hpp"
#include "support/order.hpp"

// Not inlined, or gcc takes the pairs for mismatched.
[[gnu::noinline]] void* operator new(std::size_t size) {
  if (void* const memory = std::malloc(size == 0 ? 1 : size)) return memory;
  throw std::bad_alloc();
}
[[gnu::noinline]] void* operator new(std::size_t size, const std::nothrow_t& /*tag*/) noexcept {
  try {
    return operator new(size);
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t size) noexcept {
  if (memory != nullptr) std::memset(memory, 0xff, size);
  asm volatile("" : : "r"(memory) : "memory");  // or the stores are left out
  std::free(memory);
}

namespace sigexc::test {
namespace {

// Moves the calling thread to one processor; before every other one there, where that is allowed.
void move_to(int processor, bool is_preferred) {
  cpu_set_t only;
  CPU_ZERO(&only);
  CPU_SET(static_cast<unsigned>(processor), &only);
  ASSERT_EQ(pthread_setaffinity_np(pthread_self(), sizeof only, &only), 0);
  const sched_param priority{.sched_priority = 1};
  if (is_preferred) pthread_setschedparam(pthread_self(), SCHED_FIFO, &priority);
}

// A callback that waits inside until it is let go, on a thread of its own.
class held_callback {
 public:
  // `held` is what the callback holds.
  explicit held_callback(std::shared_ptr<int> held, int processor = -1)
      : target_([this, processor, alive = std::move(held)]() mutable {
          if (processor >= 0) move_to(processor, false);
          attached.emplace(attach<int>([this, kept = std::move(alive)](int) {
            is_inside_.release();
            go_on_.acquire();
          }));
          to_self(1);
          safe_point();
        }) {
    is_inside_.acquire();
  }
  void let_go() { go_on_.release(); }
  void wait() { target_.wait(); }

  std::optional<attachment<int>> attached;

 private:
  std::binary_semaphore is_inside_{0};
  std::binary_semaphore go_on_{0};
  thread<void> target_;
};

// No receipt and no target is kept: the enrollment is all that holds what belongs to the target.
TEST(CallbackLifetime, EndsItsAttachmentAndThenItsEnrollment) {  // D3, S8
  auto self = std::make_unique<enrollment>();
  std::optional<attachment<int>> handler;
  int calls = 0;
  handler.emplace(attach<int>([&](int) {
    ++calls;
    handler.reset();
    self.reset();
  }));
  to_self(1);
  to_self(2);
  EXPECT_EQ(raised_here(), "nothing");
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(self, nullptr);
  const enrollment next;
  to_self(3);
  EXPECT_EQ(raised_here(), "3");
}

TEST(CallbackLifetime, EndsItsEnrollmentAndThenItsAttachment) {  // D3: detaching waits for others
  auto self = std::make_unique<enrollment>();
  std::optional<attachment<int>> handler;
  const auto alive = std::make_shared<int>(0);
  long uses_inside = 0;
  handler.emplace(attach<int>([&, alive](int) {
    self.reset();
    handler.reset();
    uses_inside = alive.use_count();
  }));
  const receipt handled = to_self(1);
  const receipt behind_it = to_self(2);
  EXPECT_EQ(raised_here(), "nothing");
  EXPECT_EQ(handled.state(), delivery::handled);
  EXPECT_EQ(behind_it.state(), delivery::discarded);
  EXPECT_EQ(uses_inside, 2);
  EXPECT_EQ(alive.use_count(), 1);
}

TEST(CallbackLifetime, EndsItsEnrollmentAndThrows) {  // D3, S8
  auto self = std::make_unique<enrollment>();
  std::optional<attachment<int>> handler;
  handler.emplace(attach<int>([&](int) {
    handler.reset();
    self.reset();
    throw std::string("thrown");
  }));
  const receipt replaced = to_self(1);
  EXPECT_EQ(raised_here(), "thrown");
  EXPECT_EQ(replaced.state(), delivery::raised);
  EXPECT_EQ(raised_here(), "nothing");
}

// D3: when detaching returns, nothing of the callback is left. Both threads share a processor, and
// the detaching one is preferred there: it goes on as soon as it may, with the other one stopped in
// the middle of what it does. 50 rounds, for where that preference is not allowed.
TEST(CallbackLifetime, IsOverWhenAnotherThreadHasDetachedIt) {
  const int processor = sched_getcpu();
  for (int round = 0; round < 50; ++round) {
    std::atomic<bool> is_detached = false;
    std::atomic<bool> is_late = false;
    held_callback callback(std::shared_ptr<int>(new int(0),
                                                [&](const int* number) {
                                                  delete number;
                                                  is_late = is_detached.load();
                                                }),
                           processor);
    witness where;
    std::jthread detacher([&] {
      move_to(processor, true);
      where.here();
      callback.attached.reset();
      is_detached = true;
    });
    where.await_asleep();
    callback.let_go();
    detacher.join();
    callback.wait();
    ASSERT_TRUE(is_detached);
    ASSERT_FALSE(is_late) << "in round " << round;
  }
}

// Destructors detach, and what cancels a thread there would end the process.
TEST(CallbackLifetime, IsAwaitedByAThreadThatIsCancelledMeanwhile) {  // D3
#ifdef __SANITIZE_ADDRESS__
  GTEST_SKIP() << "AddressSanitizer takes the end of a cancelled thread for an error of its own";
#endif
  held_callback callback(nullptr);
  witness where;
  std::atomic<bool> is_detached = false;
  std::jthread detacher([&] {
    where.here();
    callback.attached.reset();
    is_detached = true;
    pthread_testcancel();
    ADD_FAILURE() << "the cancellation is lost";
  });
  where.await_asleep();
  ASSERT_EQ(pthread_cancel(detacher.native_handle()), 0);
  callback.let_go();
  detacher.join();
  EXPECT_TRUE(is_detached);
  callback.wait();
}

TEST(CallbackLifetime, DoesNotBeginWithATargetThatHasEnded) {  // S8
  const auto alive = std::make_shared<int>(0);
  thread brief([] {});
  brief.wait();
  brief.attach<int>([alive, itself = brief.get_target()](int) {});
  EXPECT_EQ(alive.use_count(), 1);
}

TEST(CallbackLifetime, EndsItsEnrollmentAndBeginsAnother) {  // S6, S8, O2
  auto self = std::make_unique<enrollment>();
  std::optional<attachment<int>> handler;
  handler.emplace(attach<int>([&](int) {
    self.reset();
    self = std::make_unique<enrollment>();
    to_self(std::string("to the next"));
  }));
  to_self(1);
  const std::string first = raised_here();
  EXPECT_EQ(first == "nothing" ? raised_here() : first, "to the next");
}

}  // namespace
}  // namespace sigexc::test
