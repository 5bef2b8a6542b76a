// The life of a record: begin, collect, end; and sending to it.
#include "target/record.hpp"

#include "mailbox/futex.hpp"
#include "mailbox/kept_errno.hpp"
#include "signal/install.hpp"
#include "signal/send.hpp"
#include "target/registry.hpp"

#include <sigexc/mask.hpp>

#include <sched.h>
#include <unistd.h>

#include <typeinfo>
#include <utility>

namespace sigexc::detail {

constinit thread_local held_here last_held __attribute__((tls_model("initial-exec")));

void interrupt_list::append(interrupt& one) noexcept {
  one.next.store(nullptr, std::memory_order_relaxed);
  std::atomic_signal_fence(std::memory_order_release);
  (last_ != nullptr ? last_->next.store(&one, std::memory_order_relaxed) : void(first_ = &one));
  last_ = &one;
}

void interrupt_list::append_all(interrupt* oldest) noexcept {
  while (oldest != nullptr) {
    interrupt* const next = oldest->next.load(std::memory_order_relaxed);
    append(*oldest);
    oldest = next;
  }
}

void interrupt_list::put_back(interrupt_list&& others) noexcept {
  const auto is_older = [](const interrupt& one, const interrupt& than) {
    return static_cast<std::int32_t>(one.arrival - than.arrival) < 0;
  };
  interrupt* before = nullptr;
  while (interrupt* const one = others.pop()) {
    if (before != nullptr && is_older(*one, *before)) before = nullptr;
    interrupt* after = before != nullptr ? before->next.load(std::memory_order_relaxed) : first_;
    for (; after != nullptr && is_older(*after, *one);
         after = before->next.load(std::memory_order_relaxed))
      before = after;
    one->next.store(after, std::memory_order_relaxed);
    std::atomic_signal_fence(std::memory_order_release);
    (before != nullptr ? before->next.store(one, std::memory_order_relaxed) : void(first_ = one));
    if (after == nullptr) last_ = one;
    before = one;
  }
}

std::size_t interrupt_list::size() const noexcept {
  std::size_t count = 0;
  for (const interrupt* one = first_; one != nullptr;
       one = one->next.load(std::memory_order_relaxed))
    ++count;
  return count;
}

interrupt* interrupt_list::pop() noexcept {
  return extract([](const interrupt&) { return true; });
}

record::record(std::string given_name, std::stop_source source, computation* computed)
    : name(std::move(given_name)), stop(std::move(source)), of(computed) {}

record::~record() = default;

bool prepare_thread() noexcept {
  current.handle = pthread_self();
  current.tid = ::gettid();
  return unblock_signals();
}

void record::begin() noexcept {
  was_masked_ = prepare_thread();
  tid.store(current.tid, std::memory_order_relaxed);
  current.self = this;
  current.traffic = &traffic.word();
  current.held = 0;
  // A thread that is inside a block already has not been through `await_signals`: it is now, while
  // no sender can reach it yet.
  if (current.quiet.load(std::memory_order_relaxed) && has_barrier_everywhere())
    traffic.leave_fence_to_senders();
  block.store(&current, std::memory_order_seq_cst);
  // Who pushed before the store could not set the flag. Who pushes after this look sees the block.
  if (!is_empty()) current.pending_flag.store(1, std::memory_order_seq_cst);
}

void record::take_in() noexcept {
  for (interrupt* one = take(); one != nullptr;) {
    interrupt* const later = one->next.load(std::memory_order_relaxed);
    one->arrival = ++arrivals;
    last_held.is_same = false;
    held.append(*one);
    one = later;
  }
}

void record::collect() noexcept {
  // First the flag, then the mailbox: who pushes after we have taken it sets the flag after we have
  // cleared it.
  if (current.pending_flag.exchange(0, std::memory_order_seq_cst) != 0) current.is_signalled = true;
  deadlines.is_told.store(false, std::memory_order_relaxed);
  take_in();
  // The flag is also that of those who have resumed this. What has come for them since they were
  // last looked at would not be seen any more: so it is taken in, and looked at at the next safe
  // point.
  for (record* one = outside(); one != nullptr; one = one->outside()) {
    if (!one->has_arrivals()) continue;
    one->collect_below();
    current.pending_flag.store(1, std::memory_order_relaxed);
  }
}

void record::drop_withdrawn() noexcept {
  const auto is_withdrawn = [](const interrupt& one) { return one.is_withdrawn(); };
  interrupt* kept = nullptr;
  while (interrupt* const one = held.extract(is_withdrawn, kept)) detail::release(*one);
}

void record::await_signals() noexcept {
  traffic.await();
  for (record* one = outside(); one != nullptr; one = one->outside()) one->traffic.await();
  current.is_signalled = false;
  // A signal that was sent is pending for this thread, and the return from any system call delivers
  // it, so that no later call sees it.
  const kept_errno kept;
  sched_yield();
}

void record::discard(interrupt_list&& ended) noexcept {
  while (interrupt* const one = ended.pop()) {
    if (one->claim()) one->settle(phase::discarded);  // else it was withdrawn
    detail::release(*one);
  }
}

interrupt_list record::shut() noexcept {
  interrupt_list left;
  left.append_all(close());
  registry::remove(*this);
  traffic.await();
  return left;
}

void record::end() noexcept {
  interrupt_list left = shut();
  block.store(nullptr, std::memory_order_relaxed);
  current.self = nullptr;
  current.traffic = nullptr;
  current.held = 0;
  current.pending_flag.store(0, std::memory_order_relaxed);
  if (was_masked_) {
    unblock_signals();  // at its return what was sent is handled: it must not stay, blocked
    block_signals();
    current.tid = 0;
  }
  // Only now, when the thread is no target any more: what is discarded is destroyed, and the
  // destructors may be somebody's.
  discard(std::exchange(held, {}));
  discard(std::move(left));
  callbacks.close();
  last = nullptr;  // its sender may be this record
}

// Boarding and leaving: a computation's record is handed from thread to thread.
//
// `block` says whose it is: null for nobody's, a block for that thread's, and a mark while one
// thread is leaving; only from null can it be taken, by one exchange, so no two threads have it.
//
// Who boards stores the block, then looks into the mailbox; a sender pushes, then looks for a
// block; all four are sequentially consistent, so either the sender finds the thread, or the thread
// what was sent. Who leaves takes the block away, then looks whether senders are counted in
// `traffic`. A sender is counted before it looks for the block: one that is not counted then will
// not find it, and those that are counted are waited for. So nobody reaches the storage of a thread
// on account of a computation that has left it, and nobody boards before that: the mark stays until
// then. (A thread that boarded earlier would wait by turning the same counts.)
//
// A signal of one of those senders may arrive when the thread runs something else. It sets the flag
// of whatever runs there, which looks and finds nothing; and in case that is inside a block of
// everything, it is waited for (see `computation`).

constinit current_block record::leaving_mark;

void record::end_aboard() noexcept {
  interrupt_list left = shut();
  block.store(nullptr, std::memory_order_release);
  discard(std::exchange(held, {}));
  discard(std::move(left));
  callbacks.close();
  last = nullptr;
}

void record::collect_below() noexcept {
  deadlines.is_told.store(false, std::memory_order_relaxed);
  take_in();
}

void record::abandon() noexcept {
  if (!is_left_behind()) discard(shut());
}

void record::before_fork() noexcept {
  callbacks.before_fork();
  wakers.before_fork();
}

void record::discard_in_child() noexcept {
  held.append_all(take());
  // No exception is destroyed here, since that is somebody's code: what was discarded stays in
  // `held`, of which the next safe point drops it. A reusable one must be free to be queued again,
  // so it is taken out, unless nobody else has it.
  interrupt_list over;
  while (interrupt* const one = held.pop()) {
    const bool is_last = one->references.load(std::memory_order_relaxed) == 1;
    if (one->is_reusable && !is_last) {
      detail::release(*one);
    } else {
      if (!one->is_withdrawn())
        one->state.store({.now = phase::discarded}, std::memory_order_relaxed);
      over.append(*one);
    }
  }
  held = over;
  traffic.after_fork();
  come_along(in_delivery);
}

void record::after_fork(bool is_child) noexcept {
  if (is_child) {
    discard_in_child();
    current.tid = ::gettid();
    tid.store(current.tid, std::memory_order_relaxed);
    if (current.self == this) {  // else it waits for a computation to halt
      // No signal is on its way: what is pending for a thread is not for its child.
      current.is_signalled = false;
      current.held = held.empty() ? 0 : 1;
      current.pending_flag.store(current.held, std::memory_order_relaxed);
    }
  }
  wakers.after_fork(is_child);
  callbacks.after_fork();
}

void record::revive() noexcept {
  discard_in_child();
  wakers.renew();
  callbacks.renew();
  requeue_deadlines_in_child(*this);
  registry::add(*this);
}

reference<record> make_record(std::string name, std::stop_source stop, computation* of) {
  install_once();
  auto made = reference<record>::adopt(new record(std::move(name), std::move(stop), of));
  registry::add(*made);
  return made;
}

namespace {

// Gives a running target a moment to see its flag. True: it has lowered the flag, and takes the
// mailbox after that, so no signal is needed. A signal would reach it while it is about to throw,
// and a running target would get its exception ten times later for it.
bool has_looked(const current_block& block) noexcept {
  constexpr int moment = 32;  // less than a microsecond: a small part of what a signal costs
  for (int i = 0; i < moment; ++i) {
    if (block.pending_flag.load(std::memory_order_relaxed) == 0) return true;
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    asm volatile("isb");
#endif
  }
  return false;
}

// After a push: makes sure that the target looks, wherever it is.
// @return the bell of a target that sleeps, which has been rung, or null: the caller wakes it when
// it is no longer counted in `traffic`, since the target may be about to open a block, and would go
// to sleep once more for a sender that only returns from waking it. The thread may have ended by
// then: the kernel is given an address, as by sem_post, and who else sleeps there bears being
// woken.
[[nodiscard]] std::atomic<std::uint32_t>* announce(current_block& block,
                                                   bool issues_fence) noexcept {
  // The flag first: a running target sees it long before a signal could arrive (S2). Who finds it
  // set already leaves the rest to who set it: a storm of senders costs one signal.
  if (block.pending_flag.exchange(1, std::memory_order_seq_cst) != 0) return nullptr;
  // In a wait of ours. The sleeper says so before it looks at the flag (Dekker: one sees the
  // other), so no signal is needed, and a full queue of signals is no matter (S3). It may be the
  // caller itself, which then is a signal handler on top of the sleep.
  if (block.asleep.load(std::memory_order_seq_cst)) {
    block.bell.fetch_add(1, std::memory_order_seq_cst);
    return &block.bell;
  }
  // In the gate, or about to be: only a signal reaches it. Where only that is signalled, the mark
  // is set before the gate's look at the flag (Dekker again). Here too it may be the caller itself.
  const bool is_in_gate = block.in_gate.load(std::memory_order_seq_cst) != 0;
  if (!is_in_gate && (&block == &current || !signals_always() || has_looked(block))) return nullptr;
  if (issues_fence) barrier_everywhere();
  if (!block.quiet.load(std::memory_order_relaxed)) send_signal(block.handle);
  return nullptr;
}

// The same, for who is counted in `to.traffic`, and leaves it, after he has done what is `left`.
template <class F>
void announce_and_leave(record& to, sender_count::ticket counted, F left) noexcept {
  current_block* const block = to.runner();
  auto* const bell = block != nullptr ? announce(*block, !counted.is_fence_needed) : nullptr;
  left();
  to.traffic.leave(counted);
  if (bell != nullptr) futex_wake(bell);
}

}  // namespace

bool send(record& to, interrupt& sent) noexcept {
  const kept_errno kept;
  const sender_count::ticket counted = to.traffic.enter();
  const bool is_queued = to.push(sent);
  if (is_queued) {
    announce_and_leave(to, counted, [] {});
  } else {
    to.traffic.leave(counted);
  }
  return is_queued;
}

std::uint32_t fire(record& to, interrupt& reusable, record* by) noexcept {
  status now = reusable.state.load(std::memory_order_relaxed);
  status then;
  // A read-modify-write also where nothing changes: it comes before the target's claim, which then
  // sees what the caller wrote before firing, or after it, and then finds `delivering`.
  const auto is_on_its_way = [&reusable](status one) {
    return reusable.is_pending_here(one) || one.now == phase::delivering ||
           one.now == phase::delivering_again;
  };
  do {
    then = now;
    if (now.now == phase::delivering)
      then.now = phase::delivering_again;
    else if (!is_on_its_way(now))  // idle, or pending in the parent
      then = reusable.pending_here(now.firing + 1 != 0 ? now.firing + 1 : 1);
  } while (!reusable.state.compare_exchange_weak(now, then, std::memory_order_acq_rel,
                                                 std::memory_order_relaxed));
  if (is_on_its_way(now)) return 0;
  // Who made it pending has it to itself until it is pushed. steady_clock is clock_gettime, which
  // is async-signal-safe; so is counting a record that is the caller's own and cannot go meanwhile.
  if (by != nullptr) reusable.sender = reference<record>(*by);
  reusable.queued = std::chrono::steady_clock::now();
  retain(reusable);
  if (send(to, reusable)) return then.firing;
  if (by != nullptr) reusable.sender = reference<record>();
  reusable.state.store({.now = phase::idle, .firing = then.firing}, std::memory_order_release);
  release(reusable);
  return 0;
}

void fire_and_wake(record& to, interrupt& reusable) noexcept {
  if (const std::uint32_t firing = fire(to, reusable); firing != 0)
    to.wakers.call_for(reusable, firing, reusable.exception.__cxa_exception_type());
}

void tell_of_deadline(record& to, sender_count::ticket counted) noexcept {
  to.deadlines.is_told.store(true, std::memory_order_seq_cst);
  announce_and_leave(to, counted, [&] { to.wakers.post_for(typeid(deadline_reached)); });
}

void scope::leave_with_news(const scope& left, bool is_opened) noexcept {
  // Another one may come to lie where this was.
  if (last_held.innermost == &left) last_held.is_same = false;
  // What this scope held may be deliverable now: the next safe point looks.
  if (current.held != 0) current.pending_flag.store(1, std::memory_order_relaxed);
  // And foreign code around it may have to return for it (see target/wakers.hpp).
  if (is_opened && current.self != nullptr && current.self->wakers.has_any())
    current.self->wakers.post();
}

void scope::await_signals() noexcept {
  // Where the kernel has no barrier for senders to issue, each block comes through here.
  if (has_barrier_everywhere()) current.self->traffic.leave_fence_to_senders();
  current.self->await_signals();
}

}  // namespace sigexc::detail
