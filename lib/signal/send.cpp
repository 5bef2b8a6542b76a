// SIGEXC first, the spare signal where the kernel refuses it.
#include "signal/send.hpp"

#include "signal/handler.hpp"
#include "signal/install.hpp"

#include <sigexc/configure.hpp>

#include <signal.h>

#include <cerrno>

namespace sigexc::detail {

namespace {
sigset_t both_signals() noexcept {
  sigset_t both;
  sigemptyset(&both);
  sigaddset(&both, signal_number());
  sigaddset(&both, spare_signal);
  return both;
}
}  // namespace

void send_signal(pthread_t to) noexcept {
  // pthread_kill and sigaction are on POSIX's list of async-signal-safe functions.
  if (pthread_kill(to, signal_number()) == EAGAIN && try_install_handler(spare_signal))
    pthread_kill(to, spare_signal);
}

void sigexc_send_to_self() {
  const int kept = errno;
  send_signal(pthread_self());
  errno = kept;
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
