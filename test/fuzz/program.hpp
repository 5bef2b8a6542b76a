// A program made of bytes, each of which is a step: to send, to open a scope, to wait. It is played
// in the library and in the model at once, and after each step both must agree: on what was raised,
// on the receipts, on what is pending.
#pragma once

#include "fuzz/model.hpp"

#include <sigexc/sigexc.hpp>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace sigexc::test::fuzz {

class program {
 public:
  explicit program(std::span<const std::uint8_t> bytes) : bytes_(bytes) {}

  // Plays it, on a thread that is no target. @return where the library and the model first differ,
  // after the steps that led there; empty: nowhere.
  std::string play();

 private:
  struct mismatch {};
  struct open_block {
    std::size_t depth;  // in the model
    std::size_t list;
    const void* scope;
  };

  [[nodiscard]] std::size_t next() {
    if (bytes_.empty()) return 0;
    const std::size_t byte = bytes_.front();
    bytes_ = bytes_.subspan(1);
    return byte;
  }
  void say(const std::string& step) { said_ += std::string(2 * nesting_, ' ') + step + "\n"; }

  void run_steps();
  void run_step();
  void in_scope();
  template <class... E>
  void in_scope_of(std::size_t list, policy what);
  void in_restored_scope();
  void with_callback();
  template <class E>
  void with_callback_for(kind type, reaction what, std::size_t argument);
  template <class E>
  void react(const E& got);
  void in_try_block();
  void send(kind type, std::size_t number);

  // Does `what`, of which the model expects `expected`; passes on what it raises.
  template <class F>
  void expect(const std::string& expected, F&& what);
  void compare(const std::string& expected, const std::string& got);
  void compare_books();

  std::span<const std::uint8_t> bytes_;
  model model_;
  std::vector<std::optional<receipt>> receipts_;
  std::vector<prepared_interrupt> prepared_;
  std::vector<open_block> blocks_;
  counting_semaphore units_{0};
  std::string said_;
  std::string wrong_;  // in a callback
  std::size_t nesting_ = 0;
};

}  // namespace sigexc::test::fuzz
