// SIGEXC first, the spare signal where the kernel refuses it.
#include "signal/send.hpp"

#include "mailbox/kept_errno.hpp"
#include "signal/handler.hpp"
#include "signal/install.hpp"

#include <sigexc/configure.hpp>

#include <signal.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <iterator>

namespace sigexc::detail {

namespace {

// Nothing in Linux has ever sent the first, and only failing power supplies the second.
constexpr int spares[]{SIGSTKFLT, SIGPWR};
constinit std::atomic<int> chosen_spare{0};

sigset_t both_signals() noexcept {
  sigset_t both;
  sigemptyset(&both);
  sigaddset(&both, signal_number());
  if (spare_signal() != 0) sigaddset(&both, spare_signal());
  return both;
}

}  // namespace

int spare_signal() noexcept { return chosen_spare.load(std::memory_order_relaxed); }

void choose_spare_signal() noexcept {
  const auto* const found = std::find_if(std::begin(spares), std::end(spares), is_unhandled);
  chosen_spare = found != std::end(spares) ? *found : 0;
}

void send_signal(pthread_t to) noexcept {
  // pthread_kill and sigaction are on POSIX's list of async-signal-safe functions.
  if (pthread_kill(to, signal_number()) == EAGAIN && spare_signal() != 0 &&
      try_install_handler(spare_signal()))
    pthread_kill(to, spare_signal());
}

void sigexc_send_to_self() {
  const kept_errno kept;
  send_signal(pthread_self());
}

bool unblock_signals() noexcept {
  const sigset_t both = both_signals();
  sigset_t before;
  pthread_sigmask(SIG_UNBLOCK, &both, &before);
  return sigismember(&before, signal_number()) == 1;
}

void block_signals() noexcept {
  const sigset_t both = both_signals();
  pthread_sigmask(SIG_BLOCK, &both, nullptr);
}

}  // namespace sigexc::detail
