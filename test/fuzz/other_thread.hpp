// A second thread, which does what it is told, while the first one waits for that (`run`), or
// beside it (`begin`, `finish`). It is no target. Handing over is no safe point.
#pragma once

#include <functional>
#include <semaphore>
#include <stop_token>
#include <thread>
#include <utility>

namespace sigexc::test::fuzz {

class other_thread {
 public:
  other_thread() = default;
  other_thread(const other_thread&) = delete;
  other_thread& operator=(const other_thread&) = delete;
  ~other_thread() {
    task_ = nullptr;
    begins_.release();
  }

  void begin(std::function<void()> task) {
    task_ = std::move(task);
    begins_.release();
  }
  void finish() { ends_.acquire(); }
  void run(std::function<void()> task) {
    begin(std::move(task));
    finish();
  }

 private:
  std::function<void()> task_;  // written by the first thread, between `ends_` and `begins_`
  std::binary_semaphore begins_{0};
  std::binary_semaphore ends_{0};
  std::jthread thread_{[this] {
    for (begins_.acquire(); task_ != nullptr; begins_.acquire()) {
      std::exchange(task_, nullptr)();
      ends_.release();
    }
  }};
};

}  // namespace sigexc::test::fuzz
