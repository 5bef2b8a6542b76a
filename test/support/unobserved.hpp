// Collects what is told to the unobserved handler.
#pragma once

#include <sigexc/sigexc.hpp>

#include <exception>
#include <mutex>
#include <string>

#include "support/interrupts.hpp"

namespace sigexc::test {

// What is told to the unobserved handler while it lives, in words.
class told {
 public:
  told() : before_(set_unobserved_handler(collect)) { all() = {}; }
  told(const told&) = delete;
  told& operator=(const told&) = delete;
  ~told() { set_unobserved_handler(before_); }

  [[nodiscard]] std::string words() const {
    const std::lock_guard lock(mutex());
    return all();
  }

 private:
  static std::mutex& mutex() {
    static std::mutex m;
    return m;
  }
  static std::string& all() {
    static std::string a;
    return a;
  }
  static void collect(const target& who, std::exception_ptr exception) noexcept {
    const std::lock_guard lock(mutex());
    all() += who.name() + ": " + test::words(exception) + "; ";
  }

  unobserved_handler before_;
};

}  // namespace sigexc::test
