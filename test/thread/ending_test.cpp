// The last moments of a thread: what is discarded then, threads that destroy their own handle, and
// ends by exceptions that are not of C++.
#include <gtest/gtest.h>
#include <pthread.h>
#include <unwind.h>

#include <atomic>
#include <cstdlib>
#include <exception>
#include <memory>
#include <optional>
#include <semaphore>
#include <stdexcept>
#include <string>
#include <utility>

#include "support/interrupts.hpp"
#include "support/order.hpp"
#include "support/unobserved.hpp"

namespace sigexc::test {
namespace {

// An exception whose last copy calls a function when it goes.
template <class F>
auto calls_when_destroyed(F function) {
  struct caller {
    std::shared_ptr<int> last;
  };
  return caller{std::shared_ptr<int>(new int(0), [function](const int* number) {
    delete number;
    function();
  })};
}

// Raises what no compiler of C++ has made, as the runtime of another language does.
[[noreturn]] void raise_foreign() {
  static _Unwind_Exception foreign;
  foreign = {};
  foreign.exception_class = 0x666f726569676e21;  // "foreign!"
  _Unwind_RaiseException(&foreign);
  std::abort();
}

// Says that the thread is at its very end: it is the first object of the thread's storage that is
// made, and so the last one that goes.
class last_word {
 public:
  last_word() = default;
  last_word(const last_word&) = delete;
  last_word& operator=(const last_word&) = delete;
  ~last_word() {
    if (is_over_ != nullptr) is_over_->store(true);
  }
  void goes_to(std::atomic<bool>& is_over) { is_over_ = &is_over; }

 private:
  std::atomic<bool>* is_over_ = nullptr;
};
thread_local last_word at_last;

// A thread whose body is handed the thread's own handle.
class handed_its_handle {
 public:
  template <class F>
  explicit handed_its_handle(F body) {
    handle_.emplace(thread_options{.name = "alone"}, [this, body] {
      at_last.goes_to(is_over_);
      is_made_.acquire();
      body(handle_);
    });
    is_made_.release();
  }
  void await_end() const {
    await([this] { return is_over_.load(); });
  }

 private:
  std::atomic<bool> is_over_ = false;
  std::binary_semaphore is_made_{0};
  std::optional<thread<void>> handle_;
};

bool is_detached() {
  pthread_attr_t attributes;
  int state = PTHREAD_CREATE_JOINABLE;
  pthread_getattr_np(pthread_self(), &attributes);
  pthread_attr_getdetachstate(&attributes, &state);
  pthread_attr_destroy(&attributes);
  return state == PTHREAD_CREATE_DETACHED;
}

TEST(ThreadThatDestroysItsHandle, TellsWhatEndsItLater) {  // D6
  const told unobserved;
  bool is_left_alone = false;
  const handed_its_handle other([&](std::optional<thread<void>>& handle) {
    handle.reset();
    is_left_alone = is_detached();
    throw std::out_of_range("far");
  });
  other.await_end();
  EXPECT_TRUE(is_left_alone);
  EXPECT_EQ(unobserved.words(), "alone: far; ");
}

TEST(ThreadThatDestroysItsHandle, TellsNothingOfItsTermination) {  // D6, D5
  const told unobserved;
  const handed_its_handle other([&](std::optional<thread<void>>& handle) {
    handle.reset();
    for (;;) safe_point();
  });
  other.await_end();
  EXPECT_EQ(unobserved.words(), "");
}

TEST(ThreadThatDestroysItsHandle, WithItsCallableTellsWhatEndedIt) {  // D6
  const told unobserved;
  std::atomic<bool> is_over = false;
  std::binary_semaphore is_alone(0);
  auto handle = std::make_shared<std::optional<thread<void>>>();
  handle->emplace(thread_options{.name = "its own"}, [&is_over, &is_alone, handle] {
    at_last.goes_to(is_over);
    is_alone.acquire();
    throw std::out_of_range("far");
  });
  handle.reset();  // the callable has the last one
  is_alone.release();
  await([&] { return is_over.load(); });
  EXPECT_EQ(unobserved.words(), "its own: far; ");
}

// A handle that goes with the thread's own storage, after the end of the target.
struct late_destroyer {
  std::optional<thread<void>>* handle = nullptr;
  bool* is_left_alone = nullptr;
  late_destroyer() = default;
  late_destroyer(const late_destroyer&) = delete;
  late_destroyer& operator=(const late_destroyer&) = delete;
  ~late_destroyer() {
    if (handle == nullptr) return;
    handle->reset();
    *is_left_alone = is_detached();
  }
};
thread_local late_destroyer at_the_very_end;

TEST(ThreadThatDestroysItsHandle, AfterItsEndTellsWhatEndedItAndIsNoLongerJoinable) {  // D6
  const told unobserved;
  bool is_left_alone = false;
  const handed_its_handle other([&](std::optional<thread<void>>& handle) {
    at_the_very_end.handle = &handle;
    at_the_very_end.is_left_alone = &is_left_alone;
    throw std::out_of_range("far");
  });
  other.await_end();
  EXPECT_TRUE(is_left_alone);
  EXPECT_EQ(unobserved.words(), "alone: far; ");
}

// What a safe point does where an exception is discarded at the end of a thread that has blocked
// another one.
TEST(ThreadEnd, RaisesNothingWhereItDiscards) {  // S8, D6
  std::string raised = "never destroyed";
  std::optional<receipt> held;
  std::optional<receipt> discarded;
  thread other({.start_blocked = true}, [&] {
    held = to_self(1);
    EXPECT_EQ(raised_here(), "nothing");
    discarded = to_self(calls_when_destroyed([&] { raised = raised_here(); }));
  });
  other.wait();
  EXPECT_EQ(raised, "nothing");
  EXPECT_EQ(held->state(), delivery::discarded);
  EXPECT_EQ(discarded->state(), delivery::discarded);
}

TEST(ThreadEnd, CallsNoCallbackWhereItDiscards) {  // S8, D3
  bool is_destroyed = false;
  int calls = 0;
  std::binary_semaphore is_attached(0);
  thread other({.start_blocked = true}, [&] {
    is_attached.acquire();
    to_self(1);
    EXPECT_EQ(raised_here(), "nothing");
    to_self(calls_when_destroyed([&] {
      raised_here();
      is_destroyed = true;
    }));
  });
  other.attach<int>([&](int) { ++calls; });
  is_attached.release();
  other.wait();
  EXPECT_TRUE(is_destroyed);
  EXPECT_EQ(calls, 0);
}

TEST(EnrollmentEnd, RaisesNothingWhereItDiscards) {  // S8
  std::string raised = "never destroyed";
  const block_scope<int> around;
  auto self = std::make_unique<enrollment>();
  to_self(1);
  EXPECT_EQ(raised_here(), "nothing");
  to_self(calls_when_destroyed([&] {
    raised = raised_by([] { const unblock_scope open; });
    EXPECT_THROW(static_cast<void>(this_thread::get_target()), not_enrolled);
  }));
  self.reset();
  EXPECT_EQ(raised, "nothing");
}

TEST(ForeignException, IsNoResult) {  // D6
  thread other([]() -> int { raise_foreign(); });
  EXPECT_THROW(other.wait(), std::runtime_error);
  EXPECT_THROW(other.wait(), std::runtime_error);
  EXPECT_TRUE(other.get_target().finished());
}

TEST(ForeignException, IsNotTakenForTheEndOfABodyWithoutAResult) {  // D6
  thread other([] { raise_foreign(); });
  EXPECT_THROW(other.wait(), std::runtime_error);
}

TEST(ForeignException, IsToldWhereNobodyWaited) {  // D6
  const told unobserved;
  {
    const thread other({.name = "lonely"}, [] { raise_foreign(); });
    await([&] { return other.get_target().finished(); });
  }
  EXPECT_TRUE(unobserved.words().starts_with("lonely: ")) << unobserved.words();
}

}  // namespace
}  // namespace sigexc::test
