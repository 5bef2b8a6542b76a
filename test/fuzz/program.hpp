// A program made of bytes, each of which is a step: to send, to open a scope, to wait. It is played
// in the library and in the model at once, and after each step both must agree: on what was raised,
// on the receipts, on what is pending.
//
// What a step is to raise is known before it is done, and is compared where the exception arrives:
// in the catch clause of the program that the model says takes it. In between there is nothing that
// would catch it, and no destructor but such as a compiler leaves as a call; so it meets the frames
// that the program has put there, and no others. What differs ends the program: nothing is thrown
// for it, since that would not get out of a noexcept function.
#pragma once

#include "fuzz/model.hpp"
#include "fuzz/other_thread.hpp"

#include <sigexc/sigexc.hpp>

#include <array>
#include <atomic>
#include <cstdint>
#include <exception>
#include <functional>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace sigexc::test::fuzz {

class program {
 public:
  explicit program(std::span<const std::uint8_t> bytes);
  program(const program&) = delete;
  program& operator=(const program&) = delete;
  ~program();

  // Plays it, on a thread that is no target. @return where the library and the model first differ,
  // after the steps that led there; empty: nowhere.
  std::string play();

  // The steps so far, for who sees the process end.
  [[nodiscard]] const std::string& said() const { return said_; }

 private:
  struct open_block {
    std::size_t depth;  // in the model
    std::size_t list;
    const void* scope;
  };
  // Undoes something when it goes; never inlined, for the reason above.
  class leaving {
   public:
    leaving(program& self, void (program::*undo)()) : self_(self), undo_(undo) {}
    leaving(const leaving&) = delete;
    leaving& operator=(const leaving&) = delete;
    [[gnu::noinline]] ~leaving() { (self_.*undo_)(); }

   private:
    program& self_;
    void (program::*undo_)();
  };
  struct handled;
  struct destructor;
  struct open_scope;
  struct wait;

  [[nodiscard]] std::size_t next() {
    if (bytes_.empty()) return 0;
    const std::size_t byte = bytes_.front();
    bytes_ = bytes_.subspan(1);
    return byte;
  }
  [[gnu::noinline]] void say(const std::string& step) {
    said_ += std::string(2 * nesting_, ' ') + step + "\n";
  }
  void differs(const std::string& how);

  void run_steps();
  void run_step();
  void unnest() { --nesting_; }

  // program.cpp: sending and looking
  void send_step(kind type);
  void send(kind type, std::size_t number);
  void withdraw_step();
  void withdraw(std::size_t number, bool is_expected);
  void fire_step();
  void safe_point_step();
  void complete_step();
  void check_units();
  void time_out_step();
  void look_anew();
  void end();
  [[gnu::noinline]] void by_someone(std::function<void()> what);
  // A byte tells whether the other thread does it.
  [[nodiscard]] std::string someone();

  // program_frames.cpp: what has an inside
  void in_scope();
  template <class... E>
  void in_scope_of(std::size_t list, policy what);
  void in_restored_scope();
  void leave_scope() { model_.leave(); }
  void leave_block() { blocks_.pop_back(); }
  void with_callback();
  template <class E>
  void with_callback_for(kind type);
  void detach() { model_.detach(); }
  template <class E>
  void react(const E& got);
  void in_try_block();
  template <class Try>
  void in_try_block_for(taken what);
  void leave_try() { model_.leave_frame(); }
  void handle(handled& after, bool throws_on);
  void acknowledge_raised(const raise& what);
  void in_noexcept();
  void in_noexcept_frame() noexcept;
  void in_destructor();
  void run_destructor(bool is_unwinding);

  // program_waits.cpp: operations that sleep, while the other thread acts
  void wait_step();
  void plan(wait& what);
  void add_action(wait& what);
  void sleep_in(wait& what);
  void play_other(wait& what);

  // What the next thing that may raise is to raise; afterwards one of the two is called.
  void expect(raise what) { expected_ = std::move(what); }
  [[gnu::noinline]] void returned();
  raise arrived(const std::exception_ptr& exception);
  void compare_books();

  std::span<const std::uint8_t> bytes_;
  model model_;
  raise expected_;
  std::mutex receipts_lock_;  // while both threads run
  std::vector<std::optional<receipt>> receipts_;
  std::vector<prepared_interrupt> prepared_;
  std::vector<open_block> blocks_;
  std::optional<target> self_;
  other_thread other_;
  std::atomic<std::size_t> reactions_{0};  // callbacks that have run
  counting_semaphore units_{0};
  std::array<int, 2> pipe_{};
  mutex mutex_;
  condition_variable changed_;
  bool is_changed_ = false;  // under `mutex_`
  std::string said_;
  std::string wrong_;  // in a callback or on the other thread
  bool is_over_ = false;
  // R4: something may be held that need not be any more.
  bool may_be_held_on_ = false;
  std::size_t unwindings_ = 0;  // that run steps, in destructors
  std::size_t nesting_ = 0;
};

}  // namespace sigexc::test::fuzz
