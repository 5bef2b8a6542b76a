// Writing about every target; at once, or for a signal.
//
// A signal's handler may not dump: it posts an errand, and the thread of the library that makes
// foreign code return does it. So while it dumps, calls of a waker that are left to that thread
// wait.
#include "mailbox/kept_errno.hpp"
#include "process/diagnose.hpp"
#include "process/kernel_view.hpp"
#include "target/errand.hpp"
#include "target/record.hpp"
#include "target/registry.hpp"

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <new>
#include <string_view>
#include <system_error>

namespace sigexc {
namespace detail {

namespace {

bool write_all(int fd, std::string_view text) noexcept {
  while (!text.empty()) {
    const ssize_t written = ::write(fd, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

std::string paragraph(const target& who, const symbols& names) {
  using std::chrono::milliseconds;
  const record& asked = who.record();
  const std::string where = asked.of != nullptr && asked.runner() == nullptr
                                ? "paused"
                                : "thread " + std::to_string(asked.tid);
  const report found = diagnose(who, names);
  const std::string name = who.name().empty() ? "a target without a name" : who.name();
  std::string text =
      "sigexc: " + name + " (" + where + ")\n  " + std::to_string(who.pending()) + " pending";
  if (found.oldest.count() > 0)
    text += ", the oldest for " +
            std::to_string(std::chrono::duration_cast<milliseconds>(found.oldest).count()) + " ms";
  return text + ": " + found.reason + "\n" + names.text(found.stack, "  ") + "\n";
}

// Dumps when it is run. There is one, which stays.
class dump_errand final : public errand {
 public:
  std::atomic<int> fd{2};

 private:
  void run() noexcept override { dump(fd); }
  void keep() noexcept override {}
  void drop() noexcept override {}
};
constinit dump_errand only;
constinit std::atomic<dump_errand*> asked_for{nullptr};

// `post` is async-signal-safe.
void ask(int) {
  if (auto* const one = asked_for.load(std::memory_order_acquire)) one->post();
}

}  // namespace
}  // namespace detail

void dump(int fd) noexcept {
  // Reading and writing files are cancellation points, and nothing may leave this function.
  int before = 0;
  pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before);
  try {
    const detail::kept_errno kept;
    const detail::symbols names;
    for (const target& who : targets())
      if (!detail::write_all(fd, detail::paragraph(who, names))) break;
  } catch (const std::bad_alloc&) {
  }
  pthread_setcancelstate(before, nullptr);
}

void dump_on_signal(int number, int fd) {
  using detail::only;
  detail::errand::start_thread();
  struct sigaction present {};
  const bool is_known = sigaction(number, nullptr, &present) == 0;
  if (is_known && (present.sa_flags & SA_SIGINFO) == 0 && present.sa_handler == detail::ask) {
    only.fd = fd;
    return;
  }
  if (!is_known || (present.sa_flags & SA_SIGINFO) != 0 || present.sa_handler != SIG_DFL)
    throw std::system_error(is_known ? EBUSY : EINVAL, std::generic_category(),
                            "sigexc: dump_on_signal: signal " + std::to_string(number) +
                                (is_known ? " has a handler already" : " does not exist"));
  only.fd = fd;
  detail::asked_for.store(&only, std::memory_order_release);
  struct sigaction ours {};
  ours.sa_handler = detail::ask;
  ours.sa_flags = SA_RESTART;
  if (sigaction(number, &ours, nullptr) != 0)
    throw std::system_error(errno, std::generic_category(), "sigexc: dump_on_signal");
}

}  // namespace sigexc
