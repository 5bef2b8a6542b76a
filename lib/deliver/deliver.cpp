// The slow path of a safe point.
//
// In rounds, it takes the mailbox, picks what the scopes here let through, gives it to callbacks,
// and keeps what no callback handled for raising; callbacks may take long, so after a round in
// which one ran the mailbox is looked at again (D4). Then everything kept is raised at once, as one
// exception or a group (D2).
//
// An interrupt that was claimed for raising has left the queue, so what happens between there and
// the raise must not lose it: `raise_list` puts back what it still has, in order of arrival, when
// it is destroyed, be it because there was no memory for a group or because the thread is being
// cancelled inside a callback.
//
// What a scope lets through and no callback handles is raised only where that can be survived (R1).
// It depends on the type, and so does whether a group can be raised. What a callback throws where
// that cannot be raised is kept for later. What is held only for this keeps the flag up, so that
// every safe point looks again; how that is made cheap stands in unwind/examine.cpp (R4).
#include "deliver/deliver.hpp"

#include "deliver/explorer.hpp"
#include "deliver/raise_list.hpp"
#include "mailbox/error_in_place.hpp"
#include "signal/install.hpp"
#include "target/record.hpp"
#include "unwind/examine.hpp"
#include "unwind/walk.hpp"

#include <sigexc/exceptions.hpp>
#include <sigexc/mask.hpp>
#include <sigexc/safe_point.hpp>

#include <cxxabi.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <exception>
#include <iterator>
#include <new>
#include <stdexcept>
#include <typeinfo>
#include <utility>

namespace sigexc {
namespace detail {

// The last delivery left something pending only because a raise could not be survived there.
constinit thread_local bool is_unraised __attribute__((tls_model("initial-exec"))) = false;

namespace {

// Where it would be raised. Each type is asked for once, if they are not too many.
class raise_site {
 public:
  explicit raise_site(const stack_position& from) noexcept : from_(from) {}

  bool survives(const std::type_info* thrown) noexcept {
    ++questions_;
    for (std::size_t i = 0; i < std::min(asked_, types_.size()); ++i)
      if (types_[i] == thrown) return survives_[i];
    types_[asked_ % types_.size()] = thrown;
    return survives_[asked_++ % types_.size()] = note(examine(thrown, from_));
  }
  // For a deadline it is enough that its own scope is reached.
  bool reaches_scope_of(const deadline_link& due) noexcept {
    ++questions_;
    return note(examine(&typeid(deadline_reached), from_, deadline_list::frame_of(due)));
  }
  [[nodiscard]] bool has_held() const noexcept { return has_held_; }
  // The counter in the frame that holds; 0: nothing is held only for this.
  [[nodiscard]] std::uintptr_t holder() const noexcept { return has_held_ ? holder_.holder : 0; }
  void remember() const noexcept { remember_holding(from_, holder_, holder_.frames + questions_); }

 private:
  bool note(const verdict& found) noexcept {
    // Of the frames that hold, the innermost is gone first.
    if (!found.survives && (!has_held_ || found.at.slot < holder_.at.slot)) holder_ = found;
    has_held_ = has_held_ || !found.survives;
    return found.survives;
  }

  const stack_position& from_;
  std::array<const std::type_info*, 4> types_{};
  std::array<bool, 4> survives_{};
  std::size_t asked_ = 0;
  std::size_t questions_ = 0;
  verdict holder_;
  bool has_held_ = false;
};

void note_unraised(const raise_site& site) noexcept {
  is_unraised = site.has_held();
  if (current.self != nullptr)
    current.self->unraised_at.store(site.holder(), std::memory_order_relaxed);
}

// Notes where it was that something was just delivered, for `last_interrupt`.
void note_place(const stack_position& from) noexcept {
  if (current.self == nullptr || current.self->last == nullptr) return;
  last_delivery& noted = *current.self->last;
  if (noted.has_place) return;
  noted.has_place = true;
  noted.depth = walk(from, noted.where, std::size(noted.where));
}

constexpr int most_rounds = 64;  // D4: no stream of arrivals starves the thread

// Who delivers: usually the caller.
struct receiver {
  record& self;
  const scope* innermost;
  place where;
};

bool is_let_through(const interrupt& one, const scope* innermost, place where) {
  const policy governing = scope::lookup(innermost, [&one](type_list governed) {
    for (; *governed != nullptr; ++governed)
      if (matches(one.exception, **governed)) return true;
    return false;
  });
  return governing == policy::immediate ||
         (governing == policy::on_blocking && where == place::wait);
}

// A prepared interrupt may be fired again while it is delivered, and then must not be overtaken by
// what its sender sends afterwards (S5). So it is free again as soon as it is claimed, and another
// one, which is returned, goes on in its place. Without memory for that one it goes on itself, and
// is queued again at the end of the delivery.
interrupt* free_if_reusable(record& self, interrupt& claimed) noexcept {
  if (!claimed.is_reusable || claimed.cause() != nullptr || claimed.had_callback) return &claimed;
  auto* const other = new (std::nothrow) interrupt(self, claimed.exception, /*reusable=*/false);
  if (other == nullptr) return &claimed;
  self.count_in();
  other->claim();
  other->sender = std::move(claimed.sender);
  other->queued = claimed.queued;
  other->arrival = claimed.arrival;
  if (claimed.settle(phase::raised)) fire(self, claimed);
  release(claimed);
  return other;
}

// Callbacks that get the computation are left out where it cannot be had.
bool can_be_left(const record& self) noexcept {
  return self.of != nullptr && self.of->can_pause() && !self.wakers.has_any();
}

bool has_callback(record& self, const interrupt& one) {
  return !one.had_callback && self.callbacks.has([&](const callback& candidate) {
    return matches(one.exception, candidate.type()) &&
           (!candidate.gets_computation() || can_be_left(self));
  });
}

// Whether `one`, if no callback takes it, pauses the computation.
bool is_pause(const record& self, const interrupt& one) noexcept {
  return self.of != nullptr && one.replacement == nullptr &&
         matches(one.exception, typeid(pause_request));
}

// Whether `one` may go to a callback there, or pauses, or may be raised there.
bool is_deliverable(const receiver& to, interrupt& one, raise_site& site) {
  if (!is_let_through(one, to.innermost, to.where)) return false;
  if (has_callback(to.self, one)) return true;
  return is_pause(to.self, one) ? !to.self.of->can_pause() || can_be_left(to.self)
                                : site.survives(type_of(one));
}

// The next interrupt to deliver behind `passed`, claimed, or null. Drops withdrawn ones on the way.
interrupt* next_deliverable(record& self, place where, raise_site& site, interrupt*& passed) {
  const receiver here{self, current.innermost, where};
  for (;;) {
    interrupt* const one = self.held.extract(
        [&](interrupt& candidate) {
          return candidate.is_withdrawn() || is_deliverable(here, candidate, site);
        },
        passed);
    if (one == nullptr) return nullptr;
    if (one->claim()) return free_if_reusable(self, *one);
    release(*one);
  }
}

// Gives `one` to the innermost callback that takes it. True: one ran, and `one` is either settled
// or carries what the callback threw.
// (A forced unwinding, which passes, has no object for the catch clause to refer to.)
__attribute__((no_sanitize("null"))) bool run_callback(record& self, interrupt& one,
                                                       raise_list& raising, raise_site& site) {
  if (one.had_callback) return false;
  const void* object = nullptr;
  const callback_list::running found(self.callbacks, [&](const callback& candidate) {
    return (!candidate.gets_computation() || can_be_left(self)) &&
           matches(one.exception, candidate.type(), &object);
  });
  if (found.get() == nullptr) {  // none, or it was detached just now
    if (!is_pause(self, one) && !site.survives(type_of(one))) raising.give_back(one);
    return false;
  }
  const scope everything_blocked(policy::never, governed_types<>);
  try {
    if (found.get()->gets_computation())
      self.of->hand_over(found.shared(), one.exception, object);
    else
      (*found.get())(object);
    raising.settle(one, phase::handled);
  } catch (abi::__forced_unwind&) {
    throw;
  } catch (...) {
    std::exception_ptr thrown = caught_exception();
    if (thrown == nullptr)  // not a C++ exception
      thrown = error_in_place("sigexc: a callback threw a foreign exception");
    // A termination that is thrown on is still the termination.
    if (one.cause() == nullptr || !matches(thrown, typeid(terminated)))
      one.replacement = std::move(thrown);
    one.had_callback = true;
    if (!site.survives(type_of(one))) raising.give_back(one);
  }
  return true;
}

// What is to be done at a safe point, when all else has been done.
struct next_step {
  std::exception_ptr raised;  // to be thrown; or null
  bool pauses = false;        // the computation is to be left
  halt why = halt::paused;
  bool can_pause = true;
};

// A pause that no callback has taken. What came before it is raised first, and then it waits for
// the next safe point (S5).
// @return whether the delivery ends with it.
bool settle_pause(record& self, interrupt& one, raise_list& raising, next_step& next) noexcept {
  const bool can_pause = self.of->can_pause();
  if (can_pause && (raising.has_several() || !next.can_pause)) {
    raising.give_back(one);
    current.pending_flag.store(1, std::memory_order_relaxed);
    return true;
  }
  raising.settle(one, phase::handled);
  next.pauses = can_pause;
  return can_pause;
}

// Runs callbacks. What is to be raised is returned, or null, so that it is thrown from a frame that
// is near the user's and has nothing to clean up: each frame more costs a throw 170 ns.
void take_deliverable(place where, raise_site& site, next_step& next) {
  record& self = *current.self;
  const reference<record> kept(self);  // a callback may end the enrollment
  raise_list raising(self);
  bool is_full = false;
  for (int round = 0; round < most_rounds && !is_full; ++round) {
    self.collect();
    bool has_called = false;
    interrupt* passed = nullptr;
    while (interrupt* const one = next_deliverable(self, where, site, passed)) {
      raising.add(*one);
      const bool is_called = run_callback(self, *one, raising, site);
      // A callback may do what lets through one that was passed over, or deliver that itself.
      if (is_called) passed = nullptr;
      has_called = is_called || has_called;
      is_full = !delivers_groups() && !raising.empty();
      if (!is_called && is_pause(self, *one))
        is_full = settle_pause(self, *one, raising, next) || is_full;
      // A callback may have ended the enrollment: what is here now belongs to nobody, or to the
      // next.
      if (is_full || current.self != &self) break;
    }
    if (!has_called || current.self != &self) break;
  }
  next.raised = raising.take(!raising.has_several() || site.survives(&typeid(exception_group)));
}

// The deadline that ends its scope here, or null. The outermost of those that have passed (T2),
// unless a frame on the way out to its scope holds it: one inside that frame goes first then.
deadline_link* deliverable_deadline(const receiver& to, raise_site& site) {
  const deadline_list& all = to.self.deadlines;
  deadline_link* due = all.empty() ? nullptr : all.find_due(nullptr);
  if (due == nullptr) return nullptr;
  const policy governing = policy_of(governed_types<deadline_reached>, to.innermost);
  if (governing == policy::never || (governing == policy::on_blocking && to.where != place::wait))
    return nullptr;
  while (due != nullptr && !site.reaches_scope_of(*due)) due = all.find_due(due);
  return due;
}
deadline_link* deliverable_deadline(record& self, place where, raise_site& site) {
  return deliverable_deadline({self, current.innermost, where}, site);
}

// Whether something of what `to` holds would be delivered there.
bool would_deliver(const receiver& to, raise_site& site) {
  interrupt* one = to.self.held.first();
  while (one != nullptr && (one->is_withdrawn() || !is_deliverable(to, *one, site)))
    one = one->next.load(std::memory_order_relaxed);
  return one != nullptr || deliverable_deadline(to, site) != nullptr;
}

// What has to be thrown for a deadline, or null.
std::exception_ptr take_deadline(place where, raise_site& site) {
  record& self = *current.self;
  deadline_link* const due = deliverable_deadline(self, where, site);
  if (due == nullptr) return nullptr;
  self.deadlines.is_first = false;
  return deadline_list::raise(*due);
}

// Interrupts before deadlines, since those wait for nobody: but only once, or a stream of
// interrupts would keep a deadline from ending its scope.
void take_next(place where, raise_site& site, next_step& next) {
  if (current.self->deadlines.is_first && (next.raised = take_deadline(where, site)) != nullptr) {
    current.pending_flag.store(1, std::memory_order_relaxed);  // nobody has looked at the mailbox
    return;
  }
  take_deliverable(where, site, next);
  if (next.pauses || current.self == nullptr || current.self->deadlines.empty()) return;
  if (next.raised == nullptr) {
    next.raised = take_deadline(where, site);
  } else {
    current.self->deadlines.is_first = deliverable_deadline(*current.self, where, site) != nullptr;
    if (current.self->deadlines.is_first) current.pending_flag.store(1, std::memory_order_relaxed);
  }
  current.self->publish_held();
}

// Whether nothing has changed since all that is here was held: nothing has arrived, no scope was
// opened or left, no callback was added, and the stack is the same (R4).
bool is_known_to_hold_all(const stack_position& from) noexcept {
  return current.self->is_empty() &&
         !current.self->deadlines.is_told.load(std::memory_order_relaxed) && last_held.is_same &&
         current.innermost == last_held.innermost &&
         current.self->callbacks.count_added() == last_held.callbacks && is_known_to_hold(from);
}

}  // namespace

bool would_deliver_at(place where) {
  if (exploring != nullptr && where == place::wait && explorer::counts_waits()) return true;
  const stack_position from = caller();
  raise_site site(from);
  record& self = *current.self;
  if (self.of != nullptr && (self.of->has_own_pause() ||
                             self.of->is_wanted_outside(current.innermost, where == place::wait)))
    return true;
  const bool has_any = would_deliver({self, current.innermost, where}, site);
  note_unraised(site);
  return has_any;
}

void deliver_before_resuming() { deliver_at(place::operation); }
void deliver_preemption() { deliver_at(place::wait); }

bool would_deliver_outside(record& outside, const scope* innermost, const stack_position& from) {
  raise_site site(from);
  return would_deliver({outside, innermost, place::wait}, site);
}

bool lets_pause(const record& self, const scope* innermost, bool can_wait) noexcept {
  if (self.wakers.has_any()) return false;
  const policy governing = policy_of(governed_types<pause_request>, innermost);
  return governing == policy::immediate || (governing == policy::on_blocking && can_wait);
}

bool has_deliverable_at(place where) {
  if (current.self == nullptr) return false;
  current.self->collect();
  current.self->publish_held();
  const bool has = would_deliver_at(where);
  if (has) current.pending_flag.store(1, std::memory_order_relaxed);
  return has;
}

void keep_flag_if_unraised() noexcept {
  if ((current.held != 0 && is_unraised) || exploring != nullptr)
    current.pending_flag.store(1, std::memory_order_relaxed);
}

namespace {

// What a computation is to be left for, before anything of its own is delivered.
bool is_left_first(place where, next_step& next) {
  computation* const of = current.self->of;
  if (of == nullptr) return false;
  next.why = halt::paused;
  if (!next.can_pause || !of->can_pause()) return false;
  if (of->has_own_pause() && of->take_own_pause()) return true;
  next.why = halt::preempted;
  return of->is_wanted_outside(current.innermost, where == place::wait);
}

// All of a delivery but for its last step. Not inlined: where a computation is left, the caller
// goes on on another thread, perhaps, and keeps nothing that is the thread's.
[[gnu::noinline]] void find_next(place where, const stack_position& from, next_step& next) {
  if (current.self == nullptr) {  // no target any more, if a callback has ended the enrollment
    current.pending_flag.store(0, std::memory_order_relaxed);
    return;
  }
  next.pauses = is_left_first(where, next);
  if (next.pauses) return;
  if (exploring != nullptr) exploring->before_delivery(where, from);
  // A wait looks for itself: it may sleep on the answer.
  if (where == place::safe_point && is_known_to_hold_all(from)) return;
  forget_holding();
  raise_site site(from);
  next.why = halt::paused;
  take_next(where, site, next);
  note_unraised(site);
  note_place(from);
  // A wait that goes on must find the flag clear, or it would spin; it sets it again at its end.
  const bool goes_on = next.raised == nullptr && !next.pauses;
  if (is_unraised && current.self != nullptr &&
      (where == place::safe_point || next.raised != nullptr)) {
    current.pending_flag.store(1, std::memory_order_relaxed);
    last_held = {current.innermost, current.self->callbacks.count_added(), true};
    if (goes_on) site.remember();
  }
  if (exploring != nullptr) exploring->after_delivery(where, next.raised != nullptr);
}

// @return whether there is something to look at, on the thread that it goes on on.
[[gnu::noinline]] bool leave_computation(halt why) {
  current.self->of->halt_for(why);
  return this_block().has_news();
}

}  // namespace

namespace {
[[gnu::always_inline]] inline void deliver_from(const stack_position& from, place where,
                                                bool can_pause) {
  next_step next;
  next.can_pause = can_pause;
  find_next(where, from, next);
  // What came while it was paused is delivered now. Another pause waits for the next safe point,
  // so that no stream of them keeps the computation from getting there.
  while (next.pauses && leave_computation(next.why)) {
    next.can_pause = false;
    find_next(where, from, next);
  }
  if (next.raised != nullptr) std::rethrow_exception(std::move(next.raised));
}
}  // namespace

void deliver_at(place where) { deliver_from(caller(), where, true); }

void deliver_after_pause() { deliver_from(caller(), place::safe_point, false); }

// A computation that pauses itself has a short way, with few frames that are returned through after
// a switch.
void deliver() {
  computation* const of = current.self != nullptr ? current.self->of : nullptr;
  if (of != nullptr && of->has_own_pause() && of->take_own_pause()) return of->pause_here();
  deliver_from(caller(), place::safe_point, true);
}

}  // namespace detail

bool interrupt_pending() noexcept {
  using detail::current;
  if (current.self == nullptr || !current.has_news()) return false;
  // Not the count of what is pending: a sender counts in before it queues, and who was told of an
  // interrupt may rely on the next safe point to find it.
  detail::record& self = *current.self;
  const bool is_news = current.pending_flag.load(std::memory_order_relaxed) != 0;
  self.collect();
  self.drop_withdrawn();
  self.publish_held();
  if (!self.has_held()) return false;
  if (is_news) current.pending_flag.store(1, std::memory_order_relaxed);  // still to be looked at
  return true;
}

}  // namespace sigexc
