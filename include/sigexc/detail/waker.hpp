// What `with_wake` keeps on the stack while foreign code runs.
#pragma once

#include <sigexc/export.hpp>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <typeinfo>

namespace sigexc::detail {

struct current_block;
struct record;
class scope;

// The types of exceptions that could be raised in a place (R1), told later and by others: whether a
// frame further out that holds is reached depends on the handlers before it.
struct survivors {
  static constexpr std::size_t most = 6;

  [[nodiscard]] bool include(const std::type_info* thrown) const noexcept {
    return judge == nullptr || judge(*this, thrown);
  }
  [[nodiscard]] bool are_none() const noexcept { return judge != nullptr && count == 0; }

  bool (*judge)(const survivors&, const std::type_info*) noexcept = nullptr;  // null: all types
  std::array<std::uintptr_t, most> counters{};  // in the frames that tell types, outward
  std::size_t count = 0;
};

// How to make a piece of foreign code return. A link in the list that the target's record keeps,
// whose mutex guards all of it, but what is const.
struct waker {
  void (*const call)(void*) noexcept;
  void* const argument;
  // The target's, and where it enters the foreign code. What is out from there on the chain of
  // scopes stays as it is while this is in the list, and may be read by others.
  const current_block* block;  // set by `waker_list::enter`; a computation is not left inside
  const scope* const innermost;
  survivors types{};  // set before it is entered
  waker* outer = nullptr;
  bool is_called = false;        // at least once
  bool is_called_again = false;  // while it was running
  bool is_missed = false;        // it is to be called as soon as that is possible
  // 1: some thread is in `call`. The futex on which the owner waits for its end.
  std::atomic<std::uint32_t> running{0};
};

// The time during which foreign code runs.
class SIGEXC_EXPORT foreign_code {
 public:
  // A safe point. If it returns, whatever is sent from now on calls `call(argument)`.
  foreign_code(void (*call)(void*) noexcept, void* argument);
  foreign_code(const foreign_code&) = delete;
  foreign_code& operator=(const foreign_code&) = delete;
  // No safe point. Afterwards `call` is not running, and is not called again.
  ~foreign_code();
  // The same, and then a safe point.
  void end();

 private:
  void leave() noexcept;

  waker waker_;
  record* entered_ = nullptr;  // counted, since `body` may end the enrollment
};

}  // namespace sigexc::detail
