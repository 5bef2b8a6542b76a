// Children and signals; randomness; and any system call.
#include <sigexc/posix.hpp>

#include "wait/posix_call.hpp"
#include "wait/posix_mask.hpp"

#include <sys/syscall.h>

namespace sigexc {

long detail::call_system(long number, const long* arguments) {
  const long* const a = arguments;
  return unasked([=] { return gate(number, a[0], a[1], a[2], a[3], a[4], a[5]); });
}

namespace posix {

using namespace detail;  // NOLINT: these are its operations

pid_t waitpid(pid_t child, int* status, int options) {
  return by_flag(options, WNOHANG, 0,
                 [=](int how) { return gate(SYS_wait4, child, status, how, nullptr); });
}

int waitid(idtype_t type, id_t id, siginfo_t* info, int options) {
  const auto call = [=](siginfo_t* to, int how) {
    return gate(SYS_waitid, type, id, to, how, nullptr);
  };
  return answer(operate([&] { return call(info, options); },
                        [&] {
                          siginfo_t found{};
                          const long result = call(&found, options | WNOHANG);
                          const bool is_none = result == 0 && found.si_signo == 0;
                          if (is_none && (options & WNOHANG) == 0) return would_wait;
                          if (result == 0 && info != nullptr) *info = found;
                          return result;
                        }));
}

int sigtimedwait(const sigset_t* set, siginfo_t* info, const timespec* timeout) {
  const foreign_signals awaited(set);
  const int number = in_time(timeout, -EAGAIN, [&](const timespec* rest) {
    return gate(SYS_rt_sigtimedwait, awaited.get(), info, rest, mask_size);
  });
  // The kernel says how raise() sends; POSIX, that a process did. As glibc does.
  if (number > 0 && info != nullptr && info->si_code == SI_TKILL) info->si_code = SI_USER;
  return number;
}

ssize_t getrandom(void* buffer, std::size_t size, unsigned flags) {
  return by_flag(static_cast<int>(flags), GRND_NONBLOCK, -EAGAIN,
                 [=](int how) { return gate(SYS_getrandom, buffer, size, how); });
}

}  // namespace posix
}  // namespace sigexc
