// The watch, and what links deadlines into its heap and into the chains of records.
#include "target/deadlines.hpp"

#include "mailbox/futex.hpp"
#include "target/deadline_heap.hpp"
#include "target/errand.hpp"
#include "target/record.hpp"

#include <sigexc/detail/current.hpp>
#include <sigexc/thread.hpp>

#include <sys/prctl.h>

#include <algorithm>
#include <mutex>
#include <new>
#include <system_error>
#include <typeinfo>
#include <utility>

namespace sigexc::detail {

class deadline_watch {
 public:
  using time_point = deadline_link::time_point;

  constexpr deadline_watch() = default;

  void start() {
    if (has_thread_.load(std::memory_order_acquire)) return;
    const std::lock_guard lock(mutex_);
    if (has_thread_.load(std::memory_order_relaxed)) return;
    start_service(serve, "sigexc-deadline");
    has_thread_.store(true, std::memory_order_release);
  }

  void link(deadline_link& one, bool is_queued) noexcept {
    bool is_earlier = false;
    {
      const std::lock_guard lock(mutex_);
      deadline_list& chain = one.self_->deadlines;
      one.outer_ = std::exchange(chain.innermost_, &one);
      if (is_queued) is_earlier = queue(one);
    }
    if (is_earlier) futex_wake(&changes_, 1);
  }

  // @return whether the watch has told the target of it, or may be about to.
  bool unlink(deadline_link& one) noexcept {
    const std::lock_guard lock(mutex_);
    one.self_->deadlines.innermost_ = one.outer_;
    heap_.remove(one);
    return one.is_told_;
  }

  // What was raised for the deadline `serial` of `self` is gone. If it still runs, it is due again.
  void drop(record& self, std::uint64_t serial) noexcept {
    const bool is_owner = current.self == &self;
    bool is_earlier = false;
    {
      const std::lock_guard lock(mutex_);
      deadline_link* one = self.deadlines.innermost_;
      while (one != nullptr && one->serial_ != serial) one = one->outer_;
      if (one == nullptr) return;
      one->is_raised_.store(false, std::memory_order_relaxed);
      if (!is_owner) is_earlier = queue(*one);
    }
    if (is_owner) {
      self.deadlines.is_told.store(true, std::memory_order_relaxed);
      current.pending_flag.store(1, std::memory_order_seq_cst);
    }
    if (is_earlier) futex_wake(&changes_, 1);
  }

  // See restart_deadlines_in_child.
  void restart() noexcept {
    new (&mutex_) std::mutex;
    heap_ = deadline_heap();
    wakes_at_ = time_point::max();
    has_thread_.store(false, std::memory_order_relaxed);
    for (record* mine = current.self; mine != nullptr; mine = mine->outside())
      if (!mine->deadlines.empty()) requeue(*mine);
  }

  // Of `mine`, whose deadlines are in a heap that exists no more.
  void requeue(record& mine) noexcept {
    {
      const std::lock_guard lock(mutex_);
      for (auto* one = mine.deadlines.innermost_; one != nullptr; one = one->outer_) {
        one->is_queued_ = false;
        one->child_ = one->sibling_ = one->previous_ = nullptr;
        if (one->at_ != time_point::max()) queue(*one);
      }
    }
    futex_wake(&changes_, 1);
    try {
      start();
    } catch (const std::system_error&) {
      // No thread can be made now: the next scope tries again, and until then the deadlines are
      // found where something else makes this thread look.
    }
  }

 private:
  // True: the watch has to be woken, as it sleeps for longer.
  bool queue(deadline_link& one) noexcept {
    if (!one.is_queued_) heap_.add(one);
    if (one.at_ >= wakes_at_) return false;
    wakes_at_ = one.at_;
    changes_.fetch_add(1, std::memory_order_release);
    return true;
  }

  [[noreturn]] static void* serve(void* /*unused*/) noexcept;
  [[noreturn]] void watch() noexcept;

  std::mutex mutex_;
  deadline_heap heap_;
  // When the thread looks again at the latest.
  time_point wakes_at_ = time_point::max();
  std::atomic<std::uint32_t> changes_{0};  // the futex on which it sleeps
  std::atomic<bool> has_thread_{false};    // set under the mutex
};

namespace {
constinit deadline_watch process;
}

void* deadline_watch::serve(void* /*unused*/) noexcept {
  ::prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);  // the kernel may be late by 50 us otherwise
  process.watch();
}

void deadline_watch::watch() noexcept {
  for (;;) {
    // Before the lock: who adds an earlier one after we have looked changes it.
    const auto seen = changes_.load(std::memory_order_acquire);
    std::unique_lock lock(mutex_);
    deadline_link* one = nullptr;
    while ((one = heap_.earliest()) != nullptr && one->at_ <= deadline_list::clock::now()) {
      heap_.remove(*one);
      one->is_told_ = true;
      // The scope may end as soon as the lock is released, and then waits for who is counted.
      const reference<record> to = one->self_;
      const sender_count::ticket counted = to->traffic.enter();
      lock.unlock();
      tell_of_deadline(*to, counted);
      lock.lock();
    }
    wakes_at_ = one != nullptr ? one->at_ : time_point::max();
    const auto until = one != nullptr ? deadline(wakes_at_) : std::nullopt;
    lock.unlock();
    futex_wait(changes_, seen, until);
  }
}

namespace {

record& this_thread_record() {
  if (current.self == nullptr) throw not_enrolled();
  return *current.self;
}

}  // namespace

void restart_deadlines_in_child() noexcept { process.restart(); }
void requeue_deadlines_in_child(record& of) noexcept {
  if (!of.deadlines.empty()) process.requeue(of);
}

deadline_link::deadline_link(time_point time)
    : at_(time),
      self_(this_thread_record()),
      serial_(++self_->deadlines.last_serial_),
      frame_(reinterpret_cast<std::uintptr_t>(__builtin_dwarf_cfa())) {
  process.start();
  const bool is_past = at_ <= deadline_list::clock::now();
  process.link(*this, !is_past && at_ != time_point::max());
  if (!is_past) return;
  // Nobody has to tell: the first safe point of the body looks.
  self_->deadlines.is_told.store(true, std::memory_order_relaxed);
  current.pending_flag.store(1, std::memory_order_seq_cst);
}

deadline_link::~deadline_link() {
  const bool is_told = process.unlink(*this);
  if (current.self != self_.get()) return;       // the enrollment has ended meanwhile
  if (is_told) self_->await_signals();           // T1: no signal either
  if (current.held != 0) self_->publish_held();  // S9: it may have been for this one
}

bool deadline_link::is_reached_by(const deadline_reached& reached) const noexcept {
  return reached.self_ == self_ && reached.serial_ == serial_;
}

deadline_link* deadline_list::find_due(const deadline_link* outer) const noexcept {
  // Where the watch has seen one pass, it has passed: the clock of this processor may be a little
  // behind, and nobody would tell again.
  auto now = clock::now();
  for (const deadline_link* one = innermost_; one != nullptr; one = one->outer_)
    if (one->is_told_.load(std::memory_order_seq_cst)) now = std::max(now, one->at_);
  deadline_link* found = nullptr;
  for (deadline_link* one = innermost_; one != outer; one = one->outer_)
    if (one->at_ <= now && !one->is_raised_.load(std::memory_order_relaxed)) found = one;
  return found;
}

std::exception_ptr deadline_list::raise(deadline_link& due) {
  const std::exception_ptr made = std::make_exception_ptr(deadline_reached());
  const void* object = nullptr;
  matches(made, typeid(deadline_reached), &object);
  auto& reached = *static_cast<deadline_reached*>(const_cast<void*>(object));
  reached.self_ = due.self_;
  reached.serial_ = due.serial_;
  due.is_raised_.store(true, std::memory_order_relaxed);
  return made;
}

deadline_reached::~deadline_reached() {
  if (self_) process.drop(*self_, serial_);
}

const char* deadline_reached::what() const noexcept { return "deadline reached"; }

}  // namespace sigexc::detail
