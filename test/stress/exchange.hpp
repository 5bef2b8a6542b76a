// The parts of the exchange: who sends, who receives, and the books that both keep.
#pragma once

#include <sigexc/sigexc.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace exchange {

using namespace std::chrono_literals;
using sigexc::delivery;

constexpr std::size_t senders = 4;
constexpr std::size_t receivers = 2;

inline std::size_t rounds() {
  const char* const text = std::getenv("SIGEXC_STRESS_ROUNDS");
  return text != nullptr ? std::strtoull(text, nullptr, 10) : 200'000;
}

struct item {
  std::size_t sender = 0;
  std::size_t number = 0;
};
struct even : item {};
struct odd : item {};
struct bell {  // a prepared interrupt
  std::size_t sender = 0;
};
struct replaced {};  // what a callback throws for what it got
struct stray {       // from somebody who sends to whomever he finds
  std::uint64_t number = 0;
};

using random_source = std::minstd_rand;
inline bool chance(random_source& random, unsigned one_in) { return random() % one_in == 0; }

// In which order one target has seen what came, and whether it has heard its bells. Written by its
// thread, read by others when that has ended.
class order_book {
 public:
  void note_order(const item& what, std::size_t kind) {
    auto& last = last_[what.sender][kind];
    if (last && *last >= what.number) ++overtaken_;
    last = what.number;
  }
  void note(const bell& what) { heard_[what.sender] = rung_[what.sender].load(); }

  // A sender says that it is about to fire for the n-th time.
  void announce(std::size_t sender, std::size_t n) { rung_[sender].store(n); }

  [[nodiscard]] std::size_t overtaken() const { return overtaken_; }
  // Whether the last firing of each sender was followed by a delivery.
  [[nodiscard]] bool has_heard_all() const {
    for (std::size_t s = 0; s < senders; ++s)
      if (heard_[s] != rung_[s].load()) return false;
    return true;
  }

  std::size_t thrown = 0;  // by callbacks
  std::size_t caught = 0;

 private:
  std::array<std::array<std::optional<std::size_t>, 2>, senders> last_;
  std::array<std::size_t, senders> heard_{};
  std::array<std::atomic<std::size_t>, senders> rung_{};
  std::size_t overtaken_ = 0;
};

// What one target has seen, each by its number. As above.
class book : public order_book {
 public:
  explicit book(std::size_t per_sender) {
    for (auto& column : seen_) column.resize(per_sender);
  }

  using order_book::note;
  void note(const even& what) { note(what, 0); }
  void note(const odd& what) { note(what, 1); }
  void note(const stray& /*unused*/) {}
  // In a callback that returns.
  template <class E>
  void note_handled(const E& what) {
    note(what);
  }

  [[nodiscard]] unsigned seen(std::size_t sender, std::size_t number) const {
    return seen_[sender][number];
  }

 private:
  void note(const item& what, std::size_t kind) {
    ++seen_[what.sender][what.number];
    note_order(what, kind);
  }

  std::array<std::vector<std::uint8_t>, senders> seen_;
};

// Takes attachments from targets and destroys them on a thread of its own.
class detacher {
 public:
  detacher() : worker_([this](std::stop_token stop) { run(stop); }) {}

  // A callback that must not be called once its attachment is gone.
  struct entrusted {
    std::shared_ptr<std::atomic<bool>> is_attached;
    sigexc::attachment<even> attached;
  };
  void take(entrusted one) {
    const std::lock_guard lock(mutex_);
    taken_.push_back(std::move(one));
  }
  [[nodiscard]] std::size_t taken() {
    const std::lock_guard lock(mutex_);
    return taken_.size();
  }

 private:
  void run(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      std::deque<entrusted> now;
      {
        const std::lock_guard lock(mutex_);
        now.swap(taken_);
      }
      for (auto& one : now) {
        { const auto dropped = std::move(one.attached); }
        one.is_attached->store(false);
      }
      std::this_thread::yield();
    }
  }

  std::mutex mutex_;
  std::deque<entrusted> taken_;
  std::jthread worker_;
};

// The work of a target: it opens scopes, waits, throws and catches at random.
template <class Book>
class basic_worker {
 public:
  basic_worker(Book& notes, detacher& helper, const sigexc::receipt& never, unsigned seed)
      : notes_(notes), helper_(helper), never_(never), random_(seed) {}
  basic_worker(const basic_worker&) = delete;
  basic_worker& operator=(const basic_worker&) = delete;
  virtual ~basic_worker() = default;

  void run(const std::atomic<bool>& is_over) {
    while (!is_over.load(std::memory_order_relaxed)) guarded([this] { step(0); });
  }
  // What is still pending when the senders are done.
  void drain() {
    const auto self = sigexc::this_thread::get_target();
    while (self.pending() != 0) guarded([] { sigexc::safe_point(); });
  }
  [[nodiscard]] std::size_t late_calls() const { return late_calls_; }

 protected:
  // What is done in the innermost of the scopes.
  virtual void rest() { wait_a_moment(); }
  void wait_a_moment() { (void)never_.wait_for(std::chrono::microseconds(random_() % 20)); }
  random_source& random() { return random_; }

 private:
  template <class Body>
  void guarded(Body body) {
    try {
      body();
    } catch (...) {
      collect();
    }
  }

  void collect() {
    sigexc::handle_each(
        [this](const even& e) { notes_.note(e); }, [this](const odd& o) { notes_.note(o); },
        [this](const bell& b) { notes_.note(b); }, [this](const stray& s) { notes_.note(s); },
        [this](const replaced&) { ++notes_.caught; }, [](const int&) {});
  }

  void step(int depth) {
    sigexc::safe_point();
    if (depth == 4) return rest();
    switch (random_() % 16) {
      case 0:
        return within<sigexc::block_scope<>>(depth);
      case 1:
        return within<sigexc::block_scope<even>>(depth);
      case 2:
        return within<sigexc::block_scope<item>>(depth);
      case 3:
        return within<sigexc::mask_scope<>>(depth, sigexc::policy::on_blocking);
      case 4:
        return within<sigexc::mask_scope<odd, bell>>(depth, sigexc::policy::on_blocking);
      case 5:
        return within<sigexc::unblock_scope<>>(depth);
      case 6:
        return within<sigexc::unblock_scope<odd>>(depth);
      case 7:
        return reopen(depth);
      case 8:
        return functions(depth);
      case 9:
        return with_callback(depth);
      case 10:
        return with_entrusted_callback(depth);
      case 11:
        return unwind(depth);
      case 12:
        return rest();
      default:
        guarded([this, depth] { step(depth + 1); });
    }
  }

  template <class Scope, class... Argument>
  void within(int depth, Argument... argument) {
    const Scope opened(argument...);
    if (chance(random_, 2)) guarded([this, depth] { step(depth + 1); });
    step(depth + 1);
  }

  void reopen(int depth) {
    const sigexc::block_scope<even> block;
    step(depth + 1);
    const sigexc::unblock_scope<even> opened(block);
    step(depth + 1);
  }

  void functions(int depth) {
    const int value = sigexc::blocked([this, depth](const sigexc::restorer& restore) {
      guarded([&] { restore([this, depth] { step(depth + 1); }); });
      return 1;
    });
    sigexc::unblocked<item>([this, depth, value] { step(depth + value); });
  }

  void with_callback(int depth) {
    const auto first = sigexc::attach<odd>([this](const odd& what) {
      if (!chance(random_, 4)) return notes_.note_handled(what);
      notes_.note(what);
      ++notes_.thrown;
      throw replaced{};
    });
    const auto second = sigexc::attach<bell>([this](const bell& what) { notes_.note(what); });
    step(depth + 1);
  }

  void with_entrusted_callback(int depth) {
    if (helper_.taken() < 8) {
      auto is_attached = std::make_shared<std::atomic<bool>>(true);
      auto attached = sigexc::attach<even>([this, is_attached](const even& what) {
        if (!is_attached->load()) ++late_calls_;
        notes_.note_handled(what);
      });
      helper_.take({is_attached, std::move(attached)});
    }
    step(depth + 1);
  }

  // An exception on its way holds all others, also in waits.
  void unwind(int depth) {
    struct waits_at_the_end {
      basic_worker& owner;
      ~waits_at_the_end() { owner.wait_a_moment(); }
    };
    const sigexc::block_scope<> block;
    const waits_at_the_end last{*this};
    const sigexc::block_scope<odd> inner;
    if (chance(random_, 2)) step(depth + 1);
    throw 1;
  }

  Book& notes_;
  detacher& helper_;
  const sigexc::receipt& never_;
  random_source random_;
  std::size_t late_calls_ = 0;
};
using worker = basic_worker<book>;

// Sends its share to the targets, and keeps what the receipts say.
class sender {
 public:
  using outcomes = std::array<std::vector<delivery>, receivers>;

  sender(std::size_t number, std::array<sigexc::target, receivers> to,
         std::array<book*, receivers> books)
      : number_(number), to_(std::move(to)), books_(books), random_(unsigned(number) + 1) {
    for (std::size_t r = 0; r < receivers; ++r) bells_.emplace_back(to_[r], bell{number_});
  }

  outcomes run(std::size_t share) {
    for (std::size_t i = 0; i < share; ++i)
      for (std::size_t r = 0; r < receivers; ++r) send(r);
    while (!sent_.empty()) settle_oldest();
    return std::move(outcomes_);
  }

 private:
  struct sent {
    std::size_t receiver;
    std::size_t number;
    sigexc::receipt receipt;
  };

  void send(std::size_t r) {
    const std::size_t n = outcomes_[r].size();
    outcomes_[r].push_back(delivery::pending);
    sent_.push_back(
        {r, n,
         n % 2 == 0 ? to_[r].interrupt(even{{number_, n}}) : to_[r].interrupt(odd{{number_, n}})});
    if (chance(random_, 8)) sent_.back().receipt.withdraw();
    if (chance(random_, 16)) sent_[random_() % sent_.size()].receipt.withdraw();
    if (chance(random_, 8)) {
      books_[r]->announce(number_, ++fired_[r]);
      bells_[r].fire();
    }
    while (sent_.size() > most_in_flight) settle_oldest();
  }

  void settle_oldest() {
    const sent& oldest = sent_.front();
    outcomes_[oldest.receiver][oldest.number] =
        chance(random_, 2) ? oldest.receipt.wait() : oldest.receipt.wait_for(1h);
    sent_.pop_front();
  }

  static constexpr std::size_t most_in_flight = 200;

  const std::size_t number_;
  const std::array<sigexc::target, receivers> to_;
  const std::array<book*, receivers> books_;
  random_source random_;
  std::vector<sigexc::prepared_interrupt> bells_;
  std::array<std::size_t, receivers> fired_{};
  std::deque<sent> sent_;
  outcomes outcomes_;
};

inline bool is_delivered(delivery outcome) {
  return outcome == delivery::raised || outcome == delivery::handled;
}

// A target with a receipt that stays pending, for others to wait for.
class idle_target {
 public:
  idle_target()
      : thread_(sigexc::thread_options{.name = "idle", .start_blocked = true},
                [this] { is_over_.wait(false); }),
        never_(thread_.interrupt(0)) {}
  idle_target(const idle_target&) = delete;
  idle_target& operator=(const idle_target&) = delete;
  ~idle_target() {
    is_over_ = true;
    is_over_.notify_all();
  }
  [[nodiscard]] const sigexc::receipt& never() const { return never_; }
  [[nodiscard]] sigexc::target get_target() const { return thread_.get_target(); }

 private:
  std::atomic<bool> is_over_{false};
  sigexc::thread<void> thread_;
  sigexc::receipt never_;
};

}  // namespace exchange
