// Makes order between threads without sleeping: by what they announce, and by the state that the
// kernel shows of them. What must not be a safe point itself waits with the standard library.
#pragma once

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

namespace sigexc::test {

// Returns when `condition()` holds.
template <class Condition>
void await(Condition condition) {
  while (!condition()) std::this_thread::yield();
}

// Spends a little time, so that another thread gets to another place in its code.
inline void spin(int turns) {
  for (; turns > 0; --turns) std::atomic_signal_fence(std::memory_order_seq_cst);
}

// The kernel's letter for what a thread of this process does: S sleeps, R runs, X is gone.
inline char kernel_state(pid_t tid) {
  std::ifstream file("/proc/self/task/" + std::to_string(tid) + "/stat");
  std::string line;
  std::getline(file, line);
  const auto name_end = line.rfind(')');
  return name_end == std::string::npos ? 'X' : line.at(name_end + 2);
}

// Whether no other thread of this process runs just now.
inline bool are_others_asleep() {
  const std::filesystem::directory_iterator tasks("/proc/self/task");
  return std::none_of(begin(tasks), end(tasks), [](const auto& task) {
    const pid_t tid = std::stoi(task.path().filename());
    return tid != gettid() && kernel_state(tid) == 'R';
  });
}

// A thread says `here()` as the last thing before it waits; others then await that it sleeps.
class witness {
 public:
  void here() noexcept { tid_ = gettid(); }

  [[nodiscard]] pid_t tid() const {
    await([this] { return tid_ != 0; });
    return tid_;
  }
  void await_asleep() const {
    await([tid = tid()] { return kernel_state(tid) == 'S'; });
  }

 private:
  std::atomic<pid_t> tid_{0};
};

}  // namespace sigexc::test
