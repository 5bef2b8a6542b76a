// Testing your own code: interrupts it at each of its safe points, one after the other.
//
// Code that can be interrupted can be interrupted anywhere, and what it then leaves behind is
// hardly ever tested: which test comes to the third safe point of a function by chance? `explore`
// runs a piece of code again and again and raises a `probe` at its first safe point, its second,
// its third, until it ends by itself; after each run it looks whether all is well.
//
//   TEST(Basket, LosesNothingWhereverItIsInterrupted) {
//     const auto found = sigexc::explore([] { basket().fill(); },
//                                        [] { return apple::alive() == 0; });
//     EXPECT_TRUE(found) << found.to_string();
//   }                // failed at point 3 of 17: basket::add(apple*)+0x4e (basket_test)
#pragma once

#include <sigexc/exceptions.hpp>
#include <sigexc/export.hpp>

#include <cstddef>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace sigexc {

/// What `explore` raises: an interrupt as any other.
class SIGEXC_EXPORT probe : public interruption {
 public:
  probe() noexcept = default;
  probe(const probe&) noexcept = default;
  probe& operator=(const probe&) noexcept = default;
  ~probe() override;
  [[nodiscard]] const char* what() const noexcept override;
};

/// What `explore` has found. True if the body has ended by itself and nothing has failed.
struct SIGEXC_EXPORT exploration {
  /// The safe points of the longest run at which the scopes there let a probe through. Points are
  /// counted from 1.
  std::size_t points = 0;
  /// The points at which the body caught the probe and did not let it out again.
  std::vector<std::size_t> swallowed_at;
  /// Those at which a raise could not have been survived (R1), so that nothing was raised.
  std::vector<std::size_t> held_at;
  /// Those at which a callback handled it.
  std::vector<std::size_t> handled_at;
  /// The body has ended by itself, within the limit. False also after a failure.
  bool is_complete = false;

  /// The point after which something was wrong; 0: it was wrong without any probe.
  std::optional<std::size_t> failed_at;
  /// What was wrong.
  std::string failure;
  /// Where that point is, the innermost frame first: `function+offset (file)`, or the offset in the
  /// file where it does not export the name (link with -rdynamic, or ask addr2line).
  std::vector<std::string> stack;

  explicit operator bool() const noexcept { return is_complete && !failed_at; }
  /// All of it in words.
  [[nodiscard]] std::string to_string() const;
};

namespace detail {
SIGEXC_EXPORT exploration explore(const std::function<void()>& body,
                                  const std::function<bool()>& check, std::size_t limit);
}  // namespace detail

/// Runs `body` again and again on the calling thread, raising a `probe` at its 1st, 2nd, 3rd, ...
/// safe point, until it ends by itself or something is wrong.
///
/// Every place counts that would deliver: `safe_point()`, the entry of an interruptible operation,
/// the end of a block, the opening of an `unblock_scope`; with `policy::on_blocking` only where an
/// operation has to wait. Not those that the scopes there hold. A body that does the same each time
/// is explored completely; what it leaves to chance is explored by chance.
///
/// @param body called without arguments. Wrong is: an exception that is no probe. If it catches the
///        probe and ends normally, that is told, and not wrong.
/// @param check called after each run, with every interrupt blocked. Wrong is: false, or an
/// exception.
/// @param limit how many points at most. A body that never ends by itself is explored as far as
/// that.
///        (After the limit a body that swallows probes gets one at each point; one that swallows
///        them all for ever cannot be ended.)
/// @return what was found, with the place of the point that was wrong.
///
/// The thread is enrolled for the time, if it is no target. What is sent to it meanwhile is
/// delivered as ever.
///
/// Safe point: never.  Blocks: as `body`.  Threads: acts on the caller's, and explores only it.
/// Signals: unsafe.  Throws: `std::logic_error` inside `body`; `std::system_error` if the thread
/// cannot be enrolled; `std::bad_alloc`.  See: D1, R1, M6.
template <class F, class C>
[[nodiscard]] exploration explore(F body, C check, std::size_t limit = 100'000) {
  return detail::explore([&body] { static_cast<void>(body()); },
                         [&check]() -> bool {
                           if constexpr (std::is_void_v<std::invoke_result_t<C&>>) {
                             check();
                             return true;
                           } else {
                             return static_cast<bool>(check());
                           }
                         },
                         limit);
}
template <class F>
[[nodiscard]] exploration explore(F body) {
  return explore(std::move(body), [] { return true; });
}

}  // namespace sigexc
