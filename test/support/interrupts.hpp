// Sends to the calling thread, tells in words what is raised, and waits for what does not come.
#pragma once

#include <sigexc/sigexc.hpp>

#include <exception>
#include <semaphore>
#include <string>
#include <utility>

#include "support/watchdog.hpp"

namespace sigexc::test {

template <class E>
receipt to_self(E exception) {
  return this_thread::get_target().interrupt(std::move(exception));
}

inline receipt terminate_self() { return this_thread::get_target().terminate(); }

// An exception in words: "1", "two", "terminated", "group(1, two)".
inline std::string words(const std::exception_ptr& exception) {
  try {
    std::rethrow_exception(exception);
  } catch (int number) {
    return std::to_string(number);
  } catch (const std::string& text) {
    return text;
  } catch (const terminated&) {
    return "terminated";
  } catch (const exception_group& group) {
    std::string all;
    for (const auto& member : group.exceptions()) all += (all.empty() ? "" : ", ") + words(member);
    return "group(" + all + ")";
  } catch (const interruption& i) {
    return i.what();
  } catch (const std::exception& e) {
    return e.what();
  } catch (...) {
    return "unknown";
  }
}

// What `body` throws, in words; "nothing" if it returns.
template <class F>
std::string raised_by(F&& body) {
  try {
    std::forward<F>(body)();
  } catch (...) {
    return words(std::current_exception());
  }
  return "nothing";
}

// What a safe point raises here.
inline std::string raised_here() {
  return raised_by([] { safe_point(); });
}

// An interruptible wait that nothing but `end()` and interrupts end: for an interrupt to a thread
// that has blocked it. Any number of threads may wait.
class long_wait {
 public:
  long_wait() = default;
  long_wait(const long_wait&) = delete;
  long_wait& operator=(const long_wait&) = delete;
  ~long_wait() { leave_.release(); }

  delivery wait() const { return sent_.wait(); }
  // Waits return `delivery::withdrawn`.
  void end() const { sent_.withdraw(); }
  [[nodiscard]] const receipt& sent() const noexcept { return sent_; }

 private:
  std::binary_semaphore leave_{0};
  thread<void> holder_{thread_options{.name = "holder", .start_blocked = true},
                       [this] { leave_.acquire(); }};
  receipt sent_ = holder_.interrupt(0);
};

}  // namespace sigexc::test
