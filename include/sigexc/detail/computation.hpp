// What the library knows of resumable computations: enough to deliver interrupts in them, and to
// pause them. How stacks are switched is the business of the library `context`, which has the rest.
#pragma once

#include <sigexc/export.hpp>
#include <sigexc/target.hpp>

#include <atomic>
#include <cstdint>
#include <exception>
#include <memory>
#include <string>

namespace sigexc::detail {

class callback;
class explorer;
class scope;
struct resumption;

// Why a computation has given control back to who resumed it.
enum class halt : std::uint8_t {
  paused,       // it was asked to
  preempted,    // who resumed it has got an interrupt, and lets it go on afterwards
  handed_over,  // a callback is to decide what becomes of it
  ended
};

// Who runs it on: its `resumable`; who has its continuation; or the first, since that was returned.
enum class holder : std::uint8_t { object, continuation, given_back };

// Whether `which` is that of a computation.
[[nodiscard]] SIGEXC_EXPORT bool is_computation(const record& which) noexcept;

// The part of a computation that is on its record, and on the thread that runs it.
class SIGEXC_EXPORT computation {
 public:
  computation(const computation&) = delete;
  computation& operator=(const computation&) = delete;

  // From any thread.  Throws: nothing.
  void pause() noexcept;

  [[nodiscard]] const reference<record>& self() const noexcept { return self_; }
  [[nodiscard]] bool has_ended() const noexcept;

  // For delivery, on the thread that runs it.
  //
  // Whether somebody further out, who waits for this to halt, has an interrupt that can be
  // delivered there, and the scopes in between let a pause through.
  // @param innermost scope of this one. @param can_wait `policy::on_blocking` lets through as well.
  [[nodiscard]] bool is_wanted_outside(const scope* innermost, bool can_wait);
  // Whether somebody further out holds something for later.
  [[nodiscard]] bool has_held_outside() const noexcept;
  // Whether it may be left at all: not while it is being unwound.
  [[nodiscard]] bool can_pause() const noexcept { return !is_unwinding_; }
  // Takes what `pause` has noted for the thread itself, if there is nothing before it.
  [[nodiscard]] bool take_own_pause() noexcept;
  [[nodiscard]] bool has_own_pause() const noexcept { return has_own_pause_; }
  // Switches to who resumed it. Returns when it is resumed, on any thread.
  void halt_for(halt why) {
    why_ = why;
    switch_out();
  }
  // The same for a pause, and then delivers what has come.
  virtual void pause_here() = 0;
  // The same, for a callback that gets the computation. Throws what the callback has thrown.
  void hand_over(std::shared_ptr<callback> to, const std::exception_ptr& what, const void* object);
  // Whom it halts for, and the next one further out; null: a thread that is no target.
  [[nodiscard]] record* resumer() const noexcept;
  [[nodiscard]] const scope* scope_outside() const noexcept;
  // Whether `of` is this, or waits for this further out.
  [[nodiscard]] static bool is_here(const record* of) noexcept;

 protected:
  // Throws: std::system_error, std::bad_alloc.
  explicit computation(std::string name);
  virtual ~computation();

  // Enters the calling thread, which then switches to the computation's stack; and leaves it, when
  // that has switched back. (They are two, and the switch is not called by them but in between,
  // since each return through a frame that was there before a switch is a surprise to the
  // processor.) Throws: std::logic_error if `by` must not run it, or it runs already.
  void board(resumption& at, holder by);
  halt land(resumption& at) noexcept;
  // Takes it as who runs it does. False: somebody has it. And puts it back, or boards.
  bool try_take() noexcept;
  // After that has failed: in a child of fork(), while the one who has it is in the parent.
  [[nodiscard]] bool is_out_of_reach() const noexcept;
  void put_back() noexcept;
  void enter(resumption& at) noexcept;
  // Of one that was taken: nothing of it has ever run, and nothing will.
  void abandon() noexcept;
  // Of one that runs here: from now on it neither pauses nor is preempted.
  void pause_no_more() noexcept { is_unwinding_ = true; }
  [[nodiscard]] bool is_handed_over() const noexcept {
    return is_handed_over_.load(std::memory_order_relaxed);
  }
  [[nodiscard]] bool is_over() const noexcept { return is_over_; }  // for who has it

  // Kept here, as the computation may be unwound while the callback runs.
  struct hand_over_data {
    std::shared_ptr<callback> to;
    std::exception_ptr what;
    const void* object = nullptr;  // in it
    std::exception_ptr thrown;     // by the callback: to be thrown in the computation instead
  };

  // From the computation's stack to that of who has resumed it.
  virtual void switch_out() = 0;

  // Set by the context library, before its stack is first used, and on it at its end.
  void set_stack(std::uintptr_t low, std::uintptr_t high) noexcept {
    stack_low_ = low;
    stack_high_ = high;
  }
  void note_end() noexcept { is_over_ = true; }

  hand_over_data handed_;

 private:
  [[nodiscard]] const char* reason_against(holder by) const noexcept;
  [[noreturn]] void refuse(const void* occupant) const;

  reference<record> self_;
  reference<interrupt> pause_;  // prepared
  resumption* at_ = nullptr;    // of who runs it; null while nobody does
  // What is installed when it is resumed.
  const scope* innermost_ = nullptr;
  explorer* exploring_ = nullptr;
  std::uintptr_t stack_low_ = 0;
  std::uintptr_t stack_high_ = 0;
  std::uint32_t held_ = 0;
  bool quiet_ = false;
  bool is_signalled_ = false;
  bool is_flagged_ = false;
  // Written on the thread that runs it.
  halt why_ = halt::paused;
  bool has_own_pause_ = false;
  bool is_unwinding_ = false;
  bool is_over_ = false;
  // A callback has got it, or whom that has given it to. Written by who has it.
  std::atomic<bool> is_handed_over_{false};
};

// To a thread that is about to resume a computation; and to a computation, what has come while it
// was paused.
SIGEXC_EXPORT void deliver_before_resuming();
SIGEXC_EXPORT void deliver_preemption();
SIGEXC_EXPORT void deliver_after_pause();

}  // namespace sigexc::detail
