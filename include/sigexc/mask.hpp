// Scopes: where interrupts may be delivered, as `pthread_sigmask` does it for signals, but as
// objects that nest on the stack and cannot be left unbalanced.
//
//   sigexc::block_scope quiet;                 // nothing is raised from here ...
//   update_index();
//   {
//     sigexc::unblock_scope open{quiet};       // ... except here, if the caller allows it
//     long_search();
//   }
//   write_index();
// }                                            // what came meanwhile is raised here
//
// A scope may govern chosen exception types only: `block_scope<slip, overheated>`. The innermost
// scope that governs the type of an interrupt, matched as a catch clause would, decides (M1).
//
// `unblock_scope{b}` restores what held before the block `b`, and so opens no block of a caller:
// use it in code that others call. The plain `unblock_scope` opens whatever is around it, as the
// `unblock` statement of Freund and Mitchell (2002) does: use it where you own the whole thread.
//
// A catch clause is not blocked by itself, as C++ does not show where it ends. Where the handling
// must not be interrupted by the next interrupt, make `block_scope` its first line (D7).
#pragma once

#include <sigexc/detail/current.hpp>
#include <sigexc/safe_point.hpp>

#include <algorithm>
#include <exception>
#include <type_traits>
#include <typeinfo>
#include <utility>

namespace sigexc {

/// When interrupts are delivered.
enum class policy {
  immediate,    ///< at safe points and in interruptible operations
  on_blocking,  ///< only where an interruptible operation would have to wait
  never         ///< nowhere
};

namespace detail {

// The types that a scope governs: a list that ends with a null pointer. Empty: every interrupt.
using type_list = const std::type_info* const*;
template <class... E>
inline constexpr const std::type_info* governed_types[sizeof...(E) + 1] = {&typeid(E)..., nullptr};

// A link in the chain of open scopes, which runs through the stack from `current.innermost` out.
// Being made enters it; being destroyed leaves it. Neither is a safe point: that is for the
// public classes to add.
class scope {
 public:
  scope(policy what, type_list types) noexcept
      : types_(types),
        policy_(what),
        is_quiet_(what == policy::never && (types[0] == nullptr || was_quiet_)) {
    enter();
  }

  // Restores, for the types that `block` governs, what held before it.
  struct restoring {
    const scope& block;
  };
  SIGEXC_EXPORT explicit scope(restoring) noexcept;

  // Everything waits until an operation has to wait; what is blocked around this stays blocked.
  struct limiting_to_waits {};
  explicit scope(limiting_to_waits) noexcept
      : types_(governed_types<>),
        policy_(policy::on_blocking),
        limits_(true),
        is_quiet_(was_quiet_) {
    enter();
  }

  scope(const scope&) = delete;
  scope& operator=(const scope&) = delete;
  ~scope() {
    if (is_open_) leave();
  }

  void leave() noexcept {
    is_open_ = false;
    current.innermost = outer_;
    std::atomic_signal_fence(std::memory_order_seq_cst);  // before the storage is used again
    change_quiet(is_quiet_, was_quiet_);
    if (current.has_news()) [[unlikely]]
      leave_with_news(*this, is_quiet_ && !was_quiet_);
  }

  // What governs an exception whose type `matches` one of a scope's, seen from `innermost`.
  template <class Matches>
  static policy lookup(const scope* innermost, Matches matches) {
    policy least = policy::immediate;
    for (const scope* s = innermost; s != nullptr;) {
      if (s->types_[0] != nullptr && !matches(s->types_)) {
        s = s->outer_;
      } else if (s->restores_) {
        s = s->base_;
      } else if (s->limits_) {
        least = s->policy_;
        s = s->outer_;
      } else {
        return std::max(s->policy_, least);
      }
    }
    return least;
  }

  // All there is to tell of a scope, for diagnosis, which has to look from another thread.
  struct view {
    const scope* self;
    const scope* outer;
    const scope* base;
    type_list types;
    policy what;
    bool restores;
    bool limits;
  };
  [[nodiscard]] view look() const noexcept {
    return {this, outer_, base_, types_, policy_, restores_, limits_};
  }

  [[nodiscard]] policy what() const noexcept { return policy_; }
  // Nothing at all is delivered inside.
  [[nodiscard]] bool is_quiet() const noexcept { return is_quiet_; }
  // Whether `which` is one of the scopes around the caller.
  static bool is_open_here(const scope& which) noexcept {
    const scope* s = current.innermost;
    while (s != nullptr && s != &which) s = s->outer_;
    return s != nullptr;
  }

 private:
  // A handler of ours may read the chain at any instruction (see lib/process/inspection.hpp).
  void enter() noexcept {
    std::atomic_signal_fence(std::memory_order_seq_cst);
    current.innermost = this;
    change_quiet(was_quiet_, is_quiet_);
  }

  // Entering a block of everything must not cost a fence, but once inside no signal may arrive
  // (S4), although a sender may have looked just before. The sender counts itself in `traffic`,
  // issues a barrier on every processor (membarrier), then reads `quiet`. So either it sees
  // `quiet`, or this load, after the store in program order, sees the sender. A signal may also
  // have been sent already and not arrived: then the flag is up, or was since the last look.
  static void change_quiet(bool from, bool to) noexcept {
    if (from == to) return;
    current.quiet.store(to, std::memory_order_relaxed);
    std::atomic_signal_fence(std::memory_order_seq_cst);
    if (to && current.traffic != nullptr &&
        ((current.traffic->load(std::memory_order_relaxed) & ~traffic_turn) != 0 ||
         current.is_signalled || current.pending_flag.load(std::memory_order_relaxed) != 0))
      await_signals();
  }
  SIGEXC_EXPORT static void await_signals() noexcept;
  SIGEXC_EXPORT static void leave_with_news(const scope& left, bool is_opened) noexcept;

  const scope* const outer_ = current.innermost;
  const scope* base_ = nullptr;  // with `restores_`: the scope that was innermost before the block
  type_list types_;
  policy policy_;
  bool restores_ = false;
  bool limits_ = false;  // it allows no more than its policy, and what is around it decides
  bool is_open_ = true;
  bool was_quiet_ = current.quiet.load(std::memory_order_relaxed);
  bool is_quiet_;
};

// Throws std::invalid_argument unless `block` is open on this thread.
SIGEXC_EXPORT const scope& check_open(const scope& block);

SIGEXC_EXPORT policy policy_of(type_list types) noexcept;
policy policy_of(type_list types, const scope* innermost) noexcept;  // of who has that scope

}  // namespace detail

/// Governs the delivery of interrupts of the types `E...` (none: of every interrupt) from its
/// construction to the end of its C++ scope. It lives on the stack; it is neither copied nor moved.
template <class... E>
class mask_scope {
 public:
  /// Opens the scope.
  ///
  /// @param what the policy that holds inside.
  ///
  /// Safe point: with `policy::immediate` always, otherwise never (M3).  Blocks: never.
  /// Threads: acts on the caller's.  Signals: unsafe.  Throws: interrupts, where a safe point.
  /// See: M1, M3.
  explicit mask_scope(policy what) : link_(what, detail::governed_types<E...>) {
    if (what == policy::immediate && detail::current.has_news()) [[unlikely]]
      detail::deliver();
  }

  mask_scope(const mask_scope&) = delete;
  mask_scope& operator=(const mask_scope&) = delete;

  /// Leaves the scope: what held before it holds again, exactly.
  ///
  /// Safe point: always for `policy::never` and `policy::on_blocking`, unless an exception
  /// is on its way; never for `policy::immediate` (M4).  Blocks: never.  Threads: acts on the
  /// caller's.  Signals: unsafe.  Throws: interrupts, where a safe point.  See: M1, M4.
  ~mask_scope() noexcept(false) {
    link_.leave();
    // During unwinding no callback is called either. The count is asked for here only, and not when
    // the scope is opened, which would cost each scope more than all the rest of it.
    if (link_.what() != policy::immediate && detail::current.has_news()) [[unlikely]] {
      if (std::uncaught_exceptions() == 0) detail::deliver();
    }
  }

 protected:
  // Restores what held before `block`.
  explicit mask_scope(const mask_scope& block, std::true_type /*restoring*/)
      : link_(detail::scope::restoring{detail::check_open(block.link_)}) {
    if (detail::current.has_news()) [[unlikely]]
      detail::deliver();
  }

 private:
  detail::scope link_;
};

/// A `mask_scope` with `policy::never`: holds what arrives until it is left.
///
/// As the first line of a catch clause it protects all that follows it. Opening it is no safe
/// point; leaving it in the normal way is one. The statement is `block` in Freund and Mitchell's
/// paper, `mask_` in Haskell, `with nointerrupts` in the proposal for Python.
template <class... E>
class block_scope : public mask_scope<E...> {
 public:
  block_scope() noexcept : mask_scope<E...>(policy::never) {}
};

/// A `mask_scope` with `policy::immediate`: lets interrupts in. Opening it is a safe point.
template <class... E>
class unblock_scope : public mask_scope<E...> {
 public:
  /// Opens whatever blocks around it.  Safe point: always.  Throws: interrupts.  See: M3, M5.
  unblock_scope() : mask_scope<E...>(policy::immediate) {}

  /// Restores what held before `b`; opens no block of a caller.
  ///
  /// @param b a block that is open on this thread.
  ///
  /// Safe point: always.  Throws: `std::invalid_argument` if `b` is not open on this thread;
  /// interrupts.  See: M5; `restore` of Haskell's `mask`.
  explicit unblock_scope(const block_scope<E...>& b) : mask_scope<E...>(b, std::true_type{}) {}
};
block_scope()->block_scope<>;
unblock_scope()->unblock_scope<>;
mask_scope(policy)->mask_scope<>;

/// Runs a function with what held before the block that made it. `blocked` hands it to its body.
class restorer {
 public:
  /// @param body called without arguments. @return what `body` returns.
  ///
  /// Safe point: always, before `body`; not after it.  Throws: interrupts, and what `body` throws.
  /// See: M3, M5.
  template <class F>
  decltype(auto) operator()(F&& body) const {
    detail::scope opened(detail::scope::restoring{detail::check_open(block_)});
    if (detail::current.has_news()) [[unlikely]]
      detail::deliver();
    return std::forward<F>(body)();
  }

  // For `blocked`.
  explicit restorer(const detail::scope& block) noexcept : block_(block) {}

 private:
  const detail::scope& block_;
};

/// Runs `body` with the types `E...` (none: everything) blocked.
///
/// @param body called without arguments, or with a `const restorer&` that reopens for a part of it.
/// @return what `body` returns.
///
/// Safe point: when `body` returned void, after it; else never, as the value would be lost (M4).
/// Throws: what `body` throws; interrupts, where a safe point.  See: M3, M4.
template <class... E, class F>
decltype(auto) blocked(F&& body) {
  const auto run = [&body](const detail::scope& block) -> decltype(auto) {
    if constexpr (std::is_invocable_v<F, const restorer&>) {
      return std::forward<F>(body)(restorer(block));
    } else {
      return std::forward<F>(body)();
    }
  };
  detail::scope block(policy::never, detail::governed_types<E...>);
  if constexpr (std::is_void_v<decltype(run(block))>) {
    run(block);
    block.leave();
    if (detail::current.has_news()) [[unlikely]]
      detail::deliver();
  } else {
    return run(block);
  }
}

/// Runs `body` with the types `E...` (none: everything) unblocked.
///
/// @param body called without arguments. @return what `body` returns.
///
/// Safe point: always, before `body`; not after it.  Throws: interrupts, and what `body` throws.
/// See: M3.
template <class... E, class F>
decltype(auto) unblocked(F&& body) {
  unblock_scope<E...> opened;
  return std::forward<F>(body)();
}

/// Tells which policy governs interrupts of type `E` (none named: every interrupt) here. Of
/// several types the strictest.
///
/// Safe point: never.  Blocks: never.  Threads: acts on the caller's.  Signals: unsafe.
/// Throws: nothing.  See: M1.
template <class... E>
[[nodiscard]] policy current_policy() noexcept {
  if constexpr (sizeof...(E) == 0) {
    return detail::policy_of(detail::governed_types<>);
  } else {
    return std::max({detail::policy_of(detail::governed_types<E>)...});
  }
}

}  // namespace sigexc
