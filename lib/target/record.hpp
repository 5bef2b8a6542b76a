// The record of a target: its mailbox, what it holds back, its callbacks, and how to wake it.
//
// It is counted, and outlives its thread as long as somebody has a `target` or a receipt. Who may
// touch what:
//
// - The mailbox: senders push, the owner takes (mailbox/mailbox.hpp).
// - `held`: the owner's alone. What it took and may not deliver yet, in order of arrival.
// - `block`: the block of the thread that this runs on, null before the thread begins, and while a
//   computation is paused. Senders may reach through it only while they are counted in `traffic`.
// - `traffic`: counts senders that are between "about to push" and "signal sent". The thread ends
//   only when it has closed the mailbox and then seen them gone, so that neither its storage goes
//   nor its id is used again under a sender's hands (S6, S8). See target/traffic.hpp.
// - `callbacks`, `wakers`: guarded by their mutexes.
// - `deadlines`: see target/deadlines.hpp.
#pragma once

#include "mailbox/mailbox.hpp"
#include "target/callbacks.hpp"
#include "target/deadlines.hpp"
#include "target/registry.hpp"
#include "target/traffic.hpp"
#include "target/wakers.hpp"

#include <sigexc/detail/computation.hpp>
#include <sigexc/detail/current.hpp>

#include <pthread.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <stop_token>
#include <string>
#include <utility>

namespace sigexc::detail {

// A queue of interrupts that one thread owns, linked by `next`. That thread may read it from
// `first` on in a signal handler too: every change keeps the chain from there whole.
class interrupt_list {
 public:
  [[nodiscard]] bool empty() const noexcept { return first_ == nullptr; }
  [[nodiscard]] interrupt* first() const noexcept { return first_; }
  [[nodiscard]] std::size_t size() const noexcept;
  void append(interrupt& one) noexcept;
  void append_all(interrupt* oldest) noexcept;  // a chain linked by `next`
  // Each to where it was, by its place in the order of arrival.
  void put_back(interrupt_list&& others) noexcept;
  interrupt* pop() noexcept;
  // Unlinks and returns the first for which `choose` says so; null if none.
  template <class Choose>
  interrupt* extract(Choose choose) {
    interrupt* before = nullptr;
    return extract(choose, before);
  }
  // The same, from behind `before` on, or from the first one if that is null; `before` is then the
  // last one that was passed over.
  template <class Choose>
  interrupt* extract(Choose choose, interrupt*& before) {
    for (interrupt* one = before != nullptr ? next_of(*before) : first_; one != nullptr;) {
      interrupt* const next = next_of(*one);
      if (choose(*one)) {
        (before != nullptr ? before->next.store(next, std::memory_order_relaxed)
                           : void(first_ = next));
        if (last_ == one) last_ = before;
        one->next.store(nullptr, std::memory_order_relaxed);
        return one;
      }
      before = std::exchange(one, next);
    }
    return nullptr;
  }

 private:
  static interrupt* next_of(const interrupt& one) noexcept {
    return one.next.load(std::memory_order_relaxed);
  }

  interrupt* first_ = nullptr;
  interrupt* last_ = nullptr;
};

// What `last_interrupt` tells.
struct last_delivery {
  reference<record> sender;
  std::chrono::steady_clock::time_point queued;
  std::chrono::steady_clock::time_point raised;
  bool has_place = false;  // false: `where` is still to be filled
  std::size_t depth = 0;   // of `where`
  std::uintptr_t where[64]{};
};

// What the last delivery that held something because of the stack depended on besides: the same
// answer is good there while that scope is open and nothing else has been taken in (R4). Not in the
// record, whose memory counts; a computation that comes to another thread finds it forgotten.
struct held_here {
  const scope* innermost = nullptr;
  std::size_t callbacks = 0;  // that were added
  bool is_same = false;
};
extern constinit thread_local held_here last_held __attribute__((tls_model("initial-exec")));

// Makes the calling thread's block known to itself, and lets SIGEXC through its mask (M2).
// @return whether SIGEXC had been blocked.
bool prepare_thread() noexcept;

struct record final : mailbox, registry::link {
  record(std::string name, std::stop_source stop, computation* of);
  ~record() override;

  // The calling thread becomes this target, and is it no longer.
  void begin() noexcept;
  void end() noexcept;
  // The end of a record whose thread never began, or that another thread ends.
  void abandon() noexcept;

  // The owner clears the pending flag and appends what has arrived to `held`.
  void collect() noexcept;
  // The owner forgets what was withdrawn of what it holds.
  void drop_withdrawn() noexcept;
  // The owner tells its scopes whether something is held.
  void publish_held() const noexcept {
    const bool has = has_held() || is_explored || (of != nullptr && of->has_held_outside());
    current.held = has ? 1 : 0;
  }
  [[nodiscard]] bool has_held() const noexcept { return !held.empty() || deadlines.has_due(); }

  // Around a fork that the record's own thread makes: in the child the mailbox is empty (X1).
  void before_fork() noexcept;
  void after_fork(bool is_child) noexcept;
  // In a child, of a computation that was paused when the process forked, and is taken up here.
  void revive() noexcept;

  // On the record's own thread: waits until each signal that a sender was about to send when this
  // was called has been handled. A full fence.
  void await_signals() noexcept;

  // A resumable computation becomes what its thread is, and is it no longer (see record.cpp).
  // @return false: it is on some thread already, or was just leaving one.
  bool try_board() noexcept {
    current_block& here = this_block();
    if (here.tid == 0) [[unlikely]]
      prepare_thread();  // before a sender can find the block
    current_block* nobody = nullptr;
    return block.compare_exchange_strong(nobody, &here, std::memory_order_seq_cst);
  }
  void disembark() noexcept {
    block.exchange(&leaving_mark, std::memory_order_seq_cst);
    if (traffic.has_any()) [[unlikely]]
      traffic.await();
    block.store(nullptr, std::memory_order_release);
  }
  // Its end, still on its thread, whose `current` is the thread's own again.
  void end_aboard() noexcept;
  // Whoever looks now finds something to look at.
  [[nodiscard]] bool has_arrivals() const noexcept {
    return !is_empty() || deadlines.is_told.load(std::memory_order_seq_cst);
  }
  // Who has resumed this, if it is a computation's; null: none, or no target.
  [[nodiscard]] record* outside() const noexcept { return of != nullptr ? of->resumer() : nullptr; }
  // The block of the thread that this runs on; null: none does.
  [[nodiscard]] current_block* runner() const noexcept {
    current_block* const found = block.load(std::memory_order_seq_cst);
    return found == &leaving_mark ? nullptr : found;
  }
  // The owner appends what has arrived to `held`, and numbers it.
  void take_in() noexcept;
  // The same, while it runs a computation, whose flag it is.
  void collect_below() noexcept;

  const std::string name;
  const std::stop_source stop;
  // The computation that this is the record of; null: a thread.
  computation* const of;
  std::atomic<current_block*> block{nullptr};
  sender_count traffic;
  interrupt_list held;
  std::size_t in_delivery = 0;  // how many a safe point has in its hands; the owner's
  bool is_explored = false;     // by deliver/explorer.hpp; the owner's
  // The thread is about to call exec: no signal of any kind is sent any more, by who is counted in
  // `traffic` and finds this set. Written by the owner, before it waits for those who are counted.
  std::atomic<bool> is_leaving{false};
  std::uint32_t arrivals = 0;  // how many it has taken in, modulo 2^32; the owner's
  callback_list callbacks;
  deadline_list deadlines;
  waker_list wakers{*this};

  // The kernel's id of the thread. Written before `block`.
  std::atomic<pid_t> tid{0};
  // The owner's, read by it in a signal handler too: in which frame the last delivery found that a
  // raise would not be survived; 0: nothing was held for that.
  std::atomic<std::uintptr_t> unraised_at{0};
  // The owner's alone. Made by its first delivery, if there is memory.
  std::unique_ptr<last_delivery> last;

 private:
  // Closes the mailbox; afterwards no sender reaches the thread. Returns what was left in it.
  interrupt_list shut() noexcept;
  static void discard(interrupt_list&& ended) noexcept;
  void discard_in_child() noexcept;

  static constinit current_block leaving_mark;

  bool was_masked_ = false;  // SIGEXC, in the thread's mask, before `begin`
};

// Makes a record and enters it into the registry; installs SIGEXC if it is the first.
// Throws std::system_error, std::bad_alloc.
reference<record> make_record(std::string name, std::stop_source stop, computation* of = nullptr);

// Queues `sent` (pending, one count of it is taken over) and wakes the target, but for foreign code
// that it may be in: that is for the caller to do afterwards, by `to.wakers`.
// False: the target has ended.  Signals: async-signal-safe; keeps errno.
bool send(record& to, interrupt& sent) noexcept;
// Sends a reusable interrupt, unless it is on its way already. Foreign code: as above.
// @param by the sender, if it is to be noted: the caller's own record.
// @return which firing this is, if it was sent now; else 0.  Signals: async-signal-safe; keeps
// errno.
std::uint32_t fire(record& to, interrupt& reusable, record* by = nullptr) noexcept;
// The same, and wakes foreign code.  Signals: unsafe.
void fire_and_wake(record& to, interrupt& reusable) noexcept;

// Makes the target look at its deadlines, in foreign code too.
// @param counted as what the caller is counted in `to.traffic`, until this returns.
void tell_of_deadline(record& to, sender_count::ticket counted) noexcept;

}  // namespace sigexc::detail
