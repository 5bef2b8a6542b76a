// The parts of the soak: what receives, sends, is born and dies there, and the sums that are kept
// of it. Nothing here grows with the rounds: an interrupt is not remembered, but counted and added
// up by a number of its own, on the side of who sent it and on that of who got it, for each way in
// which it may end. Where one is lost and another one doubled, the counts agree, and the sums do
// not.
#pragma once

#include "stress/exchange.hpp"
#include "stress/foreign.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <ctime>
#include <random>
#include <utility>
#include <vector>

namespace soak {

using namespace std::chrono_literals;
using exchange::bell;
using exchange::chance;
using exchange::even;
using exchange::item;
using exchange::odd;
using exchange::random_source;
using exchange::receivers;
using exchange::senders;
using exchange::stray;
using sigexc::delivery;

// How many, and the sum of their numbers, well mixed.
struct tally {
  std::uint64_t count = 0;
  std::uint64_t sum = 0;
  void add(std::uint64_t number) {
    ++count;
    number = (number + 1) * 0x9E37'79B9'7F4A'7C15U;
    sum += number ^ number >> 29;
  }
  void add(const tally& other) {
    count += other.count;
    sum += other.sum;
  }
  friend bool operator==(const tally&, const tally&) = default;
};
inline std::uint64_t number_of(const item& one) {
  return std::uint64_t{one.sender} << 48 | one.number;
}

// By the ways in which an interrupt can end.
struct outcomes {
  std::array<tally, 5> of{};
  void add(delivery how, std::uint64_t number) { of.at(static_cast<std::size_t>(how)).add(number); }
  void add(const outcomes& others) {
    for (std::size_t i = 0; i < of.size(); ++i) of[i].add(others.of[i]);
  }
  [[nodiscard]] const tally& operator[](delivery how) const {
    return of.at(static_cast<std::size_t>(how));
  }
};

// What one target has got. Written by its thread, read by others when that has ended.
class ledger : public exchange::order_book {
 public:
  using order_book::note;
  void note(const even& what) { note(what, 0, got[delivery::raised]); }
  void note(const odd& what) { note(what, 1, got[delivery::raised]); }
  void note_handled(const even& what) { note(what, 0, got[delivery::handled]); }
  void note_handled(const odd& what) { note(what, 1, got[delivery::handled]); }
  void note_handled(const bell& what) { note(what); }
  void note(const stray& what) { strays.add(what.number); }

  struct {
    std::array<tally, 2> of{};
    tally& operator[](delivery how) { return of.at(how == delivery::raised ? 0 : 1); }
  } got;
  tally strays;

 private:
  void note(const item& what, std::size_t kind, tally& to) {
    to.add(number_of(what));
    note_order(what, kind);
  }
};

// What the workers use together, of which nothing may get lost.
struct commons {
  sigexc::mutex mutex;
  sigexc::condition_variable changed;
  sigexc::counting_semaphore units{1};
};

class worker final : public exchange::basic_worker<ledger> {
 public:
  worker(ledger& notes, exchange::detacher& helper, const sigexc::receipt& never, commons& shared,
         unsigned seed)
      : basic_worker(notes, helper, never, seed), shared_(shared) {
    if (::pipe(ends_.data()) != 0) std::abort();
  }
  ~worker() override {
    ::close(ends_[0]);
    ::close(ends_[1]);
  }

  // Those that came out of the pipe are those that went in.
  [[nodiscard]] bool has_all_bytes() const {
    int left = -1;
    return ::ioctl(ends_[0], FIONREAD, &left) == 0 && left == in_pipe_;
  }
  [[nodiscard]] int foreign_failures() const { return foreign_failures_; }

 private:
  void rest() override {
    if (chance(random(), 1'000)) return start_something();
    if (chance(random(), 20)) return wait_somehow();
    for (auto i = random()() % 64; i > 0; --i) sigexc::safe_point();
  }

  void wait_somehow() {
    const auto moment = std::chrono::microseconds(random()() % 20);
    switch (random()() % 12) {
      case 0:
        return read_a_byte();
      case 1:
        sigexc::posix::poll(nullptr, 0, 0);
        return;
      case 2: {
        timespec wanted{0, 1'000};
        sigexc::posix::nanosleep(&wanted, nullptr);
        return;
      }
      case 3:
        if (shared_.units.try_acquire_for(moment)) shared_.units.release();
        return;
      case 4: {
        shared_.mutex.lock_interruptibly();
        const std::unique_lock lock(shared_.mutex, std::adopt_lock);
        (void)shared_.changed.wait_for(shared_.mutex, moment);
        return;
      }
      case 5:
        return sigexc::sleep_for(moment);
      case 6:
        sigexc::timeout(moment, [this] {
          for (int i = 0; i < 4; ++i) wait_a_moment();  // and not for ever: it may be blocked
        });
        return;
      case 7:
        return call_foreign_code();
      case 8:
        foreign_failures_ += foreign_blocks_all_signals();
        return;
      case 9:
        foreign_failures_ += foreign_jumps();
        return;
      case 10:
        return shared_.changed.notify_one();
      default:
        return wait_a_moment();
    }
  }

  void start_something() {
    switch (random()() % 4) {
      case 0:
        foreign_failures_ += foreign_forks(static_cast<int>(random()() % 2));
        return;
      case 1:
        sigexc::race([] { sigexc::sleep_for(1h); }, [] {});
        return;
      case 2: {
        sigexc::task_group some;
        for (int i = 0; i < 3; ++i) some.spawn([] { sigexc::safe_point(); });
        return some.join();
      }
      default: {
        sigexc::thread other([] { sigexc::sleep_for(1h); });
        return;
      }
    }
  }

  // O1, O3: interrupted, it has read nothing.
  void read_a_byte() {
    const char byte = 0;
    if (in_pipe_ == 0) in_pipe_ += static_cast<int>(::write(ends_[1], &byte, 1));
    char got = 0;
    in_pipe_ -= static_cast<int>(sigexc::posix::read(ends_[0], &got, 1));
  }

  void call_foreign_code() {
    std::atomic<bool> is_over{false};
    sigexc::with_wake([&] { is_over = true; },
                      [&] {
                        for (int i = 0; !is_over && i < 100; ++i)
                          std::atomic_signal_fence(std::memory_order_seq_cst);
                      });
  }

  commons& shared_;
  std::array<int, 2> ends_{};
  int in_pipe_ = 0;
  int foreign_failures_ = 0;
};

// Receipts of what is on its way: the oldest is settled before there are too many.
class in_flight {
 public:
  explicit in_flight(random_source& random) : random_(random) {}

  void add(sigexc::receipt fate, std::uint64_t number) {
    if (sent_.size() == most) {
      auto& oldest = sent_[next_];
      settle(oldest);
      oldest = {std::move(fate), number};
    } else {
      sent_.push_back({std::move(fate), number});
    }
    next_ = (next_ + 1) % most;
  }
  void withdraw_one() {
    if (!sent_.empty()) sent_[random_() % sent_.size()].fate.withdraw();
  }
  outcomes settle_all() {
    for (const auto& one : sent_) settle(one);
    sent_.clear();
    return ended_;
  }

 private:
  struct sent {
    sigexc::receipt fate;
    std::uint64_t number;
  };
  void settle(const sent& one) {
    delivery how = one.fate.state();
    if (how == delivery::pending)
      how = chance(random_, 2) ? one.fate.wait() : one.fate.wait_for(1h);
    ended_.add(how, one.number);
  }

  static constexpr std::size_t most = 512;

  random_source& random_;
  std::vector<sent> sent_;
  std::size_t next_ = 0;
  outcomes ended_;
};

// Sends its share to each of the two targets that live long.
class sender {
 public:
  sender(std::size_t number, std::array<sigexc::target, receivers> to,
         std::array<ledger*, receivers> books)
      : number_(number), to_(std::move(to)), books_(books), random_(unsigned(number) + 1) {
    for (std::size_t r = 0; r < receivers; ++r) bells_.emplace_back(to_[r], bell{number_});
  }

  std::array<outcomes, receivers> run(std::size_t share) {
    std::array<in_flight, receivers> sent{in_flight(random_), in_flight(random_)};
    for (std::size_t i = 0; i < share; ++i)
      for (std::size_t r = 0; r < receivers; ++r) send(r, i, sent[r]);
    return {sent[0].settle_all(), sent[1].settle_all()};
  }

 private:
  void send(std::size_t r, std::size_t n, in_flight& sent) {
    const item one{number_, n};
    sent.add(n % 2 == 0 ? to_[r].interrupt(even{one}) : to_[r].interrupt(odd{one}), number_of(one));
    const auto chances = random_();
    if (chances % 16 == 0) sent.withdraw_one();
    if (chances % 32 == 1) {
      books_[r]->announce(number_, ++fired_[r]);
      bells_[r].fire();
    }
  }

  const std::size_t number_;
  const std::array<sigexc::target, receivers> to_;
  const std::array<ledger*, receivers> books_;
  random_source random_;
  std::vector<sigexc::prepared_interrupt> bells_;
  std::array<std::size_t, receivers> fired_{};
};

// Bears threads that live for a moment, and sends to them, to the workers, and to whomever else it
// finds.
class nursery {
 public:
  explicit nursery(sigexc::target not_to) : not_to_(std::move(not_to)) {}

  outcomes run(const std::atomic<bool>& is_over) {
    in_flight sent(random_);
    while (!is_over) {
      std::vector<sigexc::thread<void>> children;
      for (int i = 0; i < 4; ++i)
        children.emplace_back([this, steps = random_() % 32] { live(steps); });
      const auto alive = sigexc::targets();
      for (int i = 0; i < 32; ++i) {
        const auto& one = alive[random_() % alive.size()];
        if (one == not_to_) continue;
        sent.add(one.interrupt(stray{sent_}), sent_);
        ++sent_;
        if (chance(random_, 16)) sent.withdraw_one();
      }
      if (chance(random_, 2))
        for (auto& child : children) (void)child.wait_for(1h);
      born += children.size();
    }
    return sent.settle_all();
  }

  // What the children have caught, when all have gone; and what tasks and other threads have that
  // the workers start, which end by what they get.
  [[nodiscard]] tally caught() {
    const std::lock_guard lock(mutex_);
    return caught_;
  }
  void note(const std::exception_ptr& what) {
    try {
      std::rethrow_exception(what);
    } catch (...) {
      sigexc::handle_each([this](const stray& one) { add(one); }, [](const sigexc::terminated&) {});
    }
  }

  std::size_t born = 0;

 private:
  void live(unsigned long steps) {
    for (; steps > 0; --steps) {
      try {
        step(steps);
      } catch (...) {
        note_current();  // lets a termination pass
      }
    }
  }
  [[gnu::noinline]] static void step(unsigned long number) {
    const sigexc::block_scope<> quiet;
    if (number % 8 == 0) sigexc::unblocked([] { sigexc::sleep_for(2us); });
  }
  void note_current() {
    sigexc::handle_each([this](const stray& one) { add(one); });
  }
  void add(const stray& one) {
    const std::lock_guard lock(mutex_);
    caught_.add(one.number);
  }

  const sigexc::target not_to_;
  random_source random_{77};
  std::uint64_t sent_ = 0;
  std::mutex mutex_;
  tally caught_;
};

}  // namespace soak
