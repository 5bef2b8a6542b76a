// The interrupt before every single instruction: of a safe point, of scopes, of waits, of a
// target's end, and of system calls on each of their paths. Each test prints how many instructions
// that were.
#include "inject/injector.hpp"
#include "support/watchdog.hpp"

#include <sigexc/sigexc.hpp>

#include <gtest/gtest.h>

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <iostream>
#include <mutex>
#include <optional>
#include <thread>

namespace {

using sigexc::test::disturbance;
using sigexc::test::inject;
using sigexc::test::injected_code;
using sigexc::test::injection_result;

template <class Code>
injection_result injected(disturbance other = disturbance::none) {
  injection_result result = inject([]() -> injected_code* { return new Code; }, other);
  std::cout << "  " << result.instructions << " instructions: raised in " << result.raised
            << " runs, completed in " << result.completed
            << (result.is_sent_asleep ? ", the last one asleep" : "") << '\n';
  EXPECT_EQ(result.failure, "");
  return result;
}

// Code that raises, or does nothing: there is no effect to lose.
class without_effect : public injected_code {
 public:
  bool has_happened() override { return is_complete_; }

 protected:
  bool is_complete_ = false;
};

class one_safe_point : public without_effect {
  void run() override {
    sigexc::safe_point();
    is_complete_ = true;
  }
};

// D1
TEST(Injected, SafePointRaisesOrLeavesTheInterruptToTheNext) {
  const auto result = injected<one_safe_point>();
  EXPECT_GT(result.raised, 0);
  EXPECT_GT(result.completed, 0);
}

class block_and_leave : public without_effect {
  void run() override {
    {
      sigexc::block_scope quiet;
      is_inside_ = true;
    }
    is_complete_ = true;
  }
  bool is_intact() override { return sigexc::current_policy() == sigexc::policy::immediate; }
  bool is_inside_ = false;
};

// M1, M4
TEST(Injected, BlockScopeRaisesOnLeavingAndRestoresThePolicy) {
  EXPECT_GT(injected<block_and_leave>().raised, 0);
}

class unblock_and_leave : public without_effect {
  void run() override {
    is_complete_ = sigexc::blocked([] {
      const sigexc::unblock_scope open;
      return true;
    });
  }
  bool is_intact() override { return sigexc::current_policy() == sigexc::policy::immediate; }
};

// M1, M3
TEST(Injected, UnblockScopeRaisesOnOpeningAndRestoresThePolicy) {
  EXPECT_GT(injected<unblock_and_leave>().raised, 0);
}

// A pipe whose reading end is read by the code under test.
class reading : public injected_code {
 public:
  reading() {
    if (::pipe(ends_.data()) != 0) std::abort();
  }
  void run() override { result_ = sigexc::posix::read(ends_[0], &byte_, sizeof byte_); }
  bool has_happened() override { return result_.has_value(); }
  bool is_intact() override {
    // What was not read is still there, and what is written next arrives.
    if (left_ > 0 && !result_ && !has_byte('x')) return false;
    return ::write(ends_[1], "y", 1) == 1 && has_byte('y');
  }

 protected:
  bool has_byte(char expected) {
    char got = 0;
    return ::read(ends_[0], &got, 1) == 1 && got == expected;
  }
  std::array<int, 2> ends_{};
  char byte_ = 0;
  int left_ = 0;  // bytes in the pipe before the code runs
  std::optional<long> result_;
};

class reading_what_is_there : public reading {
 public:
  reading_what_is_there() { left_ = static_cast<int>(::write(ends_[1], "x", 1)); }
  bool has_happened() override { return result_ == 1; }
};

// O1, O2, O3
TEST(Injected, ReadThatCompletesAtOnceHasTheByteOrTheInterrupt) {
  const auto result = injected<reading_what_is_there>();
  EXPECT_GT(result.raised, 0);
  EXPECT_GT(result.completed, 0);
}

TEST(Injected, ReadThatCompletesAtOnceStandsAnotherSignalBeforeTheInterrupt) {
  injected<reading_what_is_there>(disturbance::before);
}

TEST(Injected, ReadThatCompletesAtOnceStandsAnotherSignalWithTheInterrupt) {
  injected<reading_what_is_there>(disturbance::together);
}

// O2
TEST(Injected, ReadThatWaitsIsInterruptedAtEveryInstructionAndAsleep) {
  const auto result = injected<reading>();
  EXPECT_EQ(result.completed, 0);
  EXPECT_TRUE(result.is_sent_asleep);
}

TEST(Injected, ReadThatWaitsStandsAnotherSignalBeforeTheInterrupt) {
  EXPECT_EQ(injected<reading>(disturbance::before).completed, 0);
}

TEST(Injected, ReadThatWaitsStandsAnotherSignalWithTheInterrupt) {
  EXPECT_EQ(injected<reading>(disturbance::together).completed, 0);
}

// The wait goes on after the other signal, unless the interrupt, which comes on top of that
// signal's handler, ends it there.
TEST(Injected, ReadThatWaitsIsInterruptedOnTopOfAnotherHandler) {
  const auto result = injected<reading>(disturbance::asleep);
  EXPECT_EQ(result.completed, 0);
  EXPECT_GT(result.instructions, injected<reading>().instructions);
}

// The same, where the other signal fails the system call.
TEST(Injected, ReadThatWaitsIsInterruptedOnTopOfAHandlerThatFailsTheCall) {  // O4
  const auto result = injected<reading>(disturbance::asleep_failing);
  EXPECT_EQ(result.completed, 0);
  EXPECT_GT(result.instructions, injected<reading>().instructions);
}

// A system call that Linux never restarts.
class polling : public reading {
 public:
  void run() override {
    pollfd asked{ends_[0], POLLIN, 0};
    result_ = sigexc::posix::poll(&asked, 1, 3'600'000);
  }
};

TEST(Injected, PollIsInterruptedAtEveryInstructionAndAsleep) {  // O2
  const auto result = injected<polling>();
  EXPECT_EQ(result.completed, 0);
  EXPECT_TRUE(result.is_sent_asleep);
}

TEST(Injected, PollIsInterruptedOnTopOfAnotherHandler) {  // O2, O4
  const auto result = injected<polling>(disturbance::asleep);
  EXPECT_EQ(result.completed, 0);
  EXPECT_TRUE(result.is_sent_asleep);
}

class reading_after_a_wait : public reading {
 public:
  bool wake() override {
    left_ = static_cast<int>(::write(ends_[1], "x", 1));
    return true;
  }
  bool has_happened() override { return result_ == 1; }
};

// O3
TEST(Injected, ReadThatHasWaitedAndCompletesHasTheByteOrTheInterrupt) {
  const auto result = injected<reading_after_a_wait>();
  EXPECT_GT(result.raised, 0);
  EXPECT_GT(result.completed, 0);
}

class reading_nothing : public reading {
 public:
  reading_nothing() { std::swap(ends_[0], unread_); }
  bool has_happened() override {
    std::swap(ends_[0], unread_);
    return result_ == -1 && errno == EBADF;
  }

 private:
  int unread_ = -1;
};

// O7
TEST(Injected, ReadThatFailsHasTheErrorOrTheInterrupt) {
  const auto result = injected<reading_nothing>();
  EXPECT_GT(result.raised, 0);
  EXPECT_GT(result.completed, 0);
}

// More than fits into a pipe: the write transfers a part, and sleeps.
class writing_too_much : public injected_code {
 public:
  writing_too_much() {
    if (::pipe(ends_.data()) != 0) std::abort();
    capacity_ = ::fcntl(ends_[1], F_SETPIPE_SZ, 4096);
    data_.assign(static_cast<std::size_t>(capacity_) * 2, 'x');
  }
  void run() override { result_ = sigexc::posix::write(ends_[1], data_.data(), data_.size()); }
  bool has_happened() override { return result_.has_value(); }
  bool is_intact() override {
    // The pipe holds what the result says, and nothing if there is none.
    ::fcntl(ends_[0], F_SETFL, O_NONBLOCK);
    std::string got(data_.size(), ' ');
    const long there = ::read(ends_[0], got.data(), got.size());
    return result_ ? there == *result_ : there == -1;
  }

 private:
  std::array<int, 2> ends_{};
  int capacity_ = 0;
  std::string data_;
  std::optional<long> result_;
};

// O3
TEST(Injected, WriteThatTransfersAPartReturnsItsCount) {
  const auto result = injected<writing_too_much>();
  EXPECT_TRUE(result.is_sent_asleep);
  EXPECT_EQ(result.completed, 1);  // the one that slept, with a part transferred
}

// A thread that goes on until the code under test has ended.
class waiting_for_a_thread : public injected_code {
 public:
  void run() override {
    if (awaited_.wait_for(std::chrono::hours(1))) is_complete_ = true;
  }
  bool has_happened() override { return is_complete_; }
  bool is_intact() override {
    end_ = true;
    return sigexc::blocked([this] { return awaited_.wait() == 7; });  // O6
  }

 protected:
  std::atomic<bool> end_{false};
  bool is_complete_ = false;
  sigexc::thread<int> awaited_{[this] {
    while (!end_) std::this_thread::yield();
    return 7;
  }};
};

// O2, O6
TEST(Injected, ThreadWaitIsInterruptedAtEveryInstructionAndAsleep) {
  const auto result = injected<waiting_for_a_thread>();
  EXPECT_EQ(result.completed, 0);
  EXPECT_TRUE(result.is_sent_asleep);
}

class waiting_for_a_receipt : public injected_code {
 public:
  waiting_for_a_receipt() { awaited_.withdraw(); }
  void run() override { is_complete_ = awaited_.wait() == sigexc::delivery::withdrawn; }
  bool has_happened() override { return is_complete_; }

 private:
  std::atomic<bool> end_{false};
  bool is_complete_ = false;
  sigexc::thread<void> holder_{sigexc::thread_options{.start_blocked = true}, [this] {
                                 while (!end_) std::this_thread::yield();
                               }};
  sigexc::receipt awaited_ = holder_.interrupt(0);
};

// O1, O3
TEST(Injected, ReceiptWaitThatCompletesAtOnceHasTheStateOrTheInterrupt) {
  const auto result = injected<waiting_for_a_receipt>();
  EXPECT_GT(result.raised, 0);
  EXPECT_GT(result.completed, 0);
}

// Waits for a notification, and looks whether the lock is owned when it raises (O5).
class waiting_for_a_notification : public injected_code {
 public:
  void run() override {
    std::unique_lock lock(mutex_);
    const owner_check check{*this};
    changed_.wait(lock, [this] { return is_true_; });
    is_complete_ = true;
  }
  bool has_happened() override { return is_complete_; }
  bool is_intact() override { return was_owned_ && mutex_.try_lock(); }

 protected:
  struct owner_check {
    waiting_for_a_notification& of;
    ~owner_check() { of.was_owned_ = !of.mutex_.try_lock(); }
  };
  sigexc::mutex mutex_;
  sigexc::condition_variable changed_;
  bool is_true_ = false;
  bool is_complete_ = false;
  bool was_owned_ = false;
};

// O2, O5
TEST(Injected, ConditionWaitIsInterruptedAtEveryInstructionAndOwnsItsLock) {
  const auto result = injected<waiting_for_a_notification>();
  EXPECT_EQ(result.completed, 0);
  EXPECT_TRUE(result.is_sent_asleep);
}

class notified : public waiting_for_a_notification {
 public:
  bool wake() override {
    {
      const std::lock_guard lock(mutex_);
      is_true_ = true;
    }
    changed_.notify_one();
    return true;
  }
};

// O3, O5
TEST(Injected, ConditionWaitThatIsNotifiedReturnsOrRaisesOwningItsLock) {
  EXPECT_GT(injected<notified>().completed, 0);
}

class acquiring : public injected_code {
 public:
  void run() override {
    units_.acquire();
    is_complete_ = true;
  }
  bool has_happened() override { return is_complete_; }
  bool is_intact() override { return units_.try_acquire() == (was_released_ && !is_complete_); }
  bool wake() override {
    units_.release();
    return was_released_ = true;
  }

 private:
  sigexc::counting_semaphore units_{0};
  bool is_complete_ = false;
  std::atomic<bool> was_released_{false};
};

// O1, O3
TEST(Injected, SemaphoreHasTheUnitOrTheInterrupt) {
  const auto result = injected<acquiring>();
  EXPECT_GT(result.raised, 0);
  EXPECT_GT(result.completed, 0);
}

class ending_its_target : public injected_code {
 public:
  void run() override {
    end_target();
    has_ended_ = true;
  }
  bool has_happened() override { return has_ended_; }

 private:
  bool has_ended_ = false;
};

// S6, S8
TEST(Injected, EndOfATargetDiscardsTheInterrupt) {
  const auto result = injected<ending_its_target>();
  EXPECT_EQ(result.raised, 0);
  EXPECT_EQ(result.discarded, result.instructions + 1);
}

// Counts what a bracket acquires and releases.
class bracketing : public injected_code {
 public:
  void run() override {
    is_complete_ = sigexc::bracket([this] { return acquire(); },
                                   [](int& number) {
                                     sigexc::safe_point();
                                     return number == 7;
                                   },
                                   [this](int&) {
                                     sigexc::safe_point();
                                     ++released_;
                                   });
  }
  bool has_happened() override { return is_complete_; }
  bool is_intact() override {
    return acquired_ == released_ && acquired_ <= 1 && (acquired_ == 1 || !is_complete_) &&
           sigexc::current_policy() == sigexc::policy::immediate;
  }

 protected:
  virtual int acquire() {
    sigexc::safe_point();
    ++acquired_;
    sigexc::safe_point();
    return 7;
  }
  int acquired_ = 0;
  int released_ = 0;
  bool is_complete_ = false;
};

// T4
TEST(Injected, BracketReleasesOnceWhatItHasAcquired) {
  const auto result = injected<bracketing>();
  EXPECT_GT(result.raised, 0);
  EXPECT_GT(result.completed, 0);
}

// As a statement, and with an operation that waits while it acquires.
class bracketing_a_unit : public bracketing {
 public:
  void run() override {
    sigexc::bracket_scope unit{[this] { return acquire(); },
                               [this](int&) {
                                 units_.release();
                                 ++released_;
                               }};
    sigexc::safe_point();
    is_complete_ = true;
  }
  bool is_intact() override {
    // The unit is there, unless it never was.
    return bracketing::is_intact() && units_.try_acquire() == was_released_;
  }
  bool wake() override {
    units_.release();
    return was_released_ = true;
  }

 private:
  int acquire() override {
    units_.acquire();
    ++acquired_;
    return 7;
  }
  sigexc::counting_semaphore units_{0};
  std::atomic<bool> was_released_{false};
};

// T4
TEST(Injected, BracketThatWaitsReleasesOnceWhatItHasAcquired) {
  const auto result = injected<bracketing_a_unit>();
  EXPECT_GT(result.raised, 0);
  EXPECT_GT(result.completed, 0);
}

// A deadline that is set and taken away, with others' interrupts in between.
class timing_out : public without_effect {
 public:
  timing_out() {  // once before: the thread that watches is there
    const sigexc::enrollment here;
    sigexc::timeout(std::chrono::hours(2), [] {});
  }

 private:
  void run() override {
    is_complete_ = sigexc::timeout(std::chrono::hours(1), [] { sigexc::safe_point(); });
  }
};

// T1
TEST(Injected, TimeoutPassesTheInterruptAtEveryInstruction) {
  const auto result = injected<timing_out>();
  EXPECT_GT(result.raised, 0);
  EXPECT_GT(result.completed, 0);
}

}  // namespace
