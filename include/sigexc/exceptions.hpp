// The library's own exceptions, and groups of exceptions.
//
// An interrupt may be any copyable type. The library itself raises the ones below. Their root is
// not a std::exception on purpose: a `catch (const std::exception&)` on the way, meant for errors
// of the work, must not swallow an order to stop the work.
#pragma once

#include <sigexc/export.hpp>

#include <cxxabi.h>

#include <cstddef>
#include <exception>
#include <memory>
#include <optional>
#include <type_traits>
#include <typeinfo>
#include <utility>
#include <vector>

namespace sigexc {

namespace detail {
class termination;

// Whether a catch clause for `type` would catch `exception`, without throwing it. If so, `object`
// is set to the object as that clause would see it; for a pointer type, to the pointer itself.
SIGEXC_EXPORT bool matches(const std::exception_ptr& exception, const std::type_info& type,
                           const void** object = nullptr) noexcept;

// In a catch clause for everything, the exception that it has caught. Throws that itself, if it is
// what unwinds a fiber of Boost.Context which is destroyed: to keep it would end the process.
SIGEXC_EXPORT std::exception_ptr caught_exception();
}  // namespace detail

/// The root of the exceptions that the library raises by itself. Not a `std::exception`.
class SIGEXC_EXPORT interruption {
 public:
  interruption() noexcept = default;
  interruption(const interruption&) noexcept = default;
  interruption& operator=(const interruption&) noexcept = default;
  virtual ~interruption();

  /// A short English description.
  [[nodiscard]] virtual const char* what() const noexcept;
};

/// Raised by `terminate()`: unwind and end.
///
/// It is level-triggered (D5). As long as the raised object (or a copy, or an exception_ptr to it)
/// is alive nothing is raised again for it; when the last one is dropped without `acknowledge()`,
/// the termination is pending again. A `catch (...)` on the way can so delay it, not lose it.
/// One that is made by hand and sent with `interrupt()` is an exception like any other.
class SIGEXC_EXPORT terminated : public interruption {
 public:
  terminated() noexcept = default;
  terminated(const terminated&) noexcept;
  terminated& operator=(const terminated&) noexcept;
  ~terminated() override;

  /// Says that the termination has been dealt with: it is not raised again.
  ///
  /// Safe point: never.  Blocks: never.  Threads: any.  Signals: unsafe.  Throws: nothing.
  /// See: D5.
  void acknowledge() const noexcept;

  [[nodiscard]] const char* what() const noexcept override;

  // For the library: a termination that counts its `terminated` objects.
  explicit terminated(detail::termination& cause) noexcept;
  [[nodiscard]] detail::termination* cause() const noexcept { return cause_; }

 private:
  detail::termination* cause_ = nullptr;
};

/// Raised for a signal from the keyboard, or another one that asks the process to stop.
class SIGEXC_EXPORT keyboard_interrupt : public interruption {
 public:
  /// @param signal_number which signal it was, such as SIGINT.
  explicit keyboard_interrupt(int signal_number) noexcept : signal_number_(signal_number) {}
  keyboard_interrupt(const keyboard_interrupt&) noexcept = default;
  keyboard_interrupt& operator=(const keyboard_interrupt&) noexcept = default;
  ~keyboard_interrupt() override;

  [[nodiscard]] int signal_number() const noexcept { return signal_number_; }
  [[nodiscard]] const char* what() const noexcept override;

 private:
  int signal_number_;
};

/// Asks a resumable computation to pause (see `resumable`). Where it is delivered nothing is
/// raised: `resumable::resume` returns, and the computation goes on behind its safe point when it
/// is resumed.
///
/// Scopes and callbacks govern it as any other type. To a target that is a thread it cannot be
/// sent: `std::logic_error`.
class SIGEXC_EXPORT pause_request : public interruption {
 public:
  pause_request() noexcept = default;
  pause_request(const pause_request&) noexcept = default;
  pause_request& operator=(const pause_request&) noexcept = default;
  ~pause_request() override;

  [[nodiscard]] const char* what() const noexcept override;
};

/// Several exceptions delivered at once, in order of arrival. Copies share their members.
///
/// See: D2; `ExceptionGroup` of Python (PEP 654).
class SIGEXC_EXPORT exception_group : public interruption {
 public:
  /// @param members at least one, none of them null; else throws `std::invalid_argument`.
  explicit exception_group(std::vector<std::exception_ptr> members);
  exception_group(const exception_group&) noexcept = default;
  exception_group& operator=(const exception_group&) noexcept = default;
  ~exception_group() override;

  [[nodiscard]] const std::vector<std::exception_ptr>& exceptions() const noexcept {
    return *members_;
  }

  /// The members that a `catch (const E&)` would catch; groups among the members are searched,
  /// and keep their shape. Nothing if there is none.
  template <class E>
  [[nodiscard]] std::optional<exception_group> subgroup() const {
    return split(typeid(E)).first;
  }

  /// The members that a `catch (const E&)` would catch, and the others.
  template <class E>
  [[nodiscard]] std::pair<std::optional<exception_group>, std::optional<exception_group>> split()
      const {
    return split(typeid(E));
  }

  [[nodiscard]] const char* what() const noexcept override;

 private:
  [[nodiscard]] std::pair<std::optional<exception_group>, std::optional<exception_group>> split(
      const std::type_info& type) const;

  std::shared_ptr<const std::vector<std::exception_ptr>> members_;
};

namespace detail {

// What a handler takes: the E of a callable with one parameter `const E&`.
template <class F>
struct handled_by : handled_by<decltype(&F::operator())> {};
template <class R, class E>
struct handled_by<R (*)(E)> : std::type_identity<std::remove_cvref_t<E>> {};
template <class R, class E>
struct handled_by<R (*)(E) noexcept> : std::type_identity<std::remove_cvref_t<E>> {};
template <class C, class R, class E>
struct handled_by<R (C::*)(E)> : std::type_identity<std::remove_cvref_t<E>> {};
template <class C, class R, class E>
struct handled_by<R (C::*)(E) const> : std::type_identity<std::remove_cvref_t<E>> {};
template <class C, class R, class E>
struct handled_by<R (C::*)(E) noexcept> : std::type_identity<std::remove_cvref_t<E>> {};
template <class C, class R, class E>
struct handled_by<R (C::*)(E) const noexcept> : std::type_identity<std::remove_cvref_t<E>> {};

// If `handler` takes `member`, calls it, in a catch clause for it so that `throw;` means the
// member; what it throws goes to `left`.
template <class Handler>
bool try_handler(const std::exception_ptr& member, Handler& handler,
                 std::vector<std::exception_ptr>& left) {
  using E = typename handled_by<std::decay_t<Handler>>::type;
  if (!matches(member, typeid(E))) return false;
  try {
    try {
      std::rethrow_exception(member);
    } catch (const E& e) {
      handler(e);
    }
  } catch (abi::__forced_unwind&) {
    throw;  // the thread is being cancelled: glibc ends the process if this is swallowed
  } catch (...) {
    left.push_back(caught_exception());
  }
  return true;
}

template <class Handler>
inline constexpr bool takes_groups =
    std::is_same_v<typename handled_by<std::decay_t<Handler>>::type, exception_group>;

// A group is taken apart, but for a nested one that a handler asks for by its very type: a handler
// for a base, such as `interruption`, is meant for the members that are one, and not for all that
// came with them.
template <class... Handlers>
void handle_member(const std::exception_ptr& member, bool is_nested,
                   std::vector<std::exception_ptr>& left, bool& any, Handlers&... handlers) {
  const void* found = nullptr;
  if (matches(member, typeid(exception_group), &found)) {
    if (is_nested && ((takes_groups<Handlers> && try_handler(member, handlers, left)) || ...)) {
      any = true;
      return;
    }
    for (const auto& inner : static_cast<const exception_group*>(found)->exceptions())
      handle_member(inner, true, left, any, handlers...);
  } else if ((try_handler(member, handlers, left) || ...)) {
    any = true;
  } else {
    left.push_back(member);
  }
}

// How many exceptions that are no groups; throws std::logic_error for null.
SIGEXC_EXPORT std::size_t count_leaves(const std::exception_ptr& exception);

// Throws one exception as itself, several as a group.
[[noreturn]] SIGEXC_EXPORT void raise_all(std::vector<std::exception_ptr> exceptions);

}  // namespace detail

/// Hands every member of the current exception, a group or not, to the first handler that takes
/// its type. To be called in a catch clause, as Python's `except*`:
///
///   } catch (...) {
///     sigexc::handle_each([&](const slip& s) { regrip(s); },
///                         [&](const order_changed& o) { order = o.next; });
///   }
///
/// @param handlers callables with one parameter `const E&` each (no generic lambdas). `throw;` in
///        one rethrows the member. Groups among the members are taken apart too, unless a handler
///        takes `const exception_group&`.
///
/// Safe point: never.  Blocks: never.  Threads: any.  Signals: unsafe.
/// Throws: what no handler takes and what handlers throw, after all have run: one exception as
/// itself, several as an `exception_group`; `std::bad_alloc`, before any has run or in the place of
/// such a group; `std::logic_error` outside a catch clause.
/// See: D2; PEP 654.
template <class... Handlers>
void handle_each(Handlers&&... handlers) {
  const std::exception_ptr current = std::current_exception();
  std::vector<std::exception_ptr> left;
  left.reserve(detail::count_leaves(current));  // throws std::logic_error if there is none
  bool any = false;
  detail::handle_member(current, false, left, any, handlers...);
  if (!any) std::rethrow_exception(current);
  if (!left.empty()) detail::raise_all(std::move(left));
}

}  // namespace sigexc
