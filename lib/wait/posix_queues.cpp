// Message queues, of POSIX and of System V, and the latter's semaphores.
#include <sigexc/posix.hpp>

#include "wait/posix_descriptor.hpp"

#include <sys/syscall.h>

#include <algorithm>
#include <vector>

namespace sigexc::posix {

using namespace detail;  // NOLINT: these are its operations

namespace {
constexpr std::size_t most_operations = 32'000;  // semop(2): what SEMOPM can be set to
}  // namespace

// A queue of POSIX is a descriptor.
ssize_t mq_receive(mqd_t queue, char* message, std::size_t size, unsigned* priority) {
  return on_descriptor(POLLIN, SYS_mq_timedreceive, queue, message, size, priority, nullptr);
}

int mq_send(mqd_t queue, const char* message, std::size_t size, unsigned priority) {
  return on_descriptor(POLLOUT, SYS_mq_timedsend, queue, message, size, priority, nullptr);
}

ssize_t msgrcv(int queue, void* message, std::size_t size, long type, int flags) {
  return by_flag(flags, IPC_NOWAIT, -ENOMSG,
                 [=](int how) { return gate(SYS_msgrcv, queue, message, size, type, how); });
}

int msgsnd(int queue, const void* message, std::size_t size, int flags) {
  return by_flag(flags, IPC_NOWAIT, -EAGAIN,
                 [=](int how) { return gate(SYS_msgsnd, queue, message, size, how); });
}

int semop(int semaphores, sembuf* operations, std::size_t count) {
  const auto call = [=](sembuf* all) { return gate(SYS_semop, semaphores, all, count); };
  if (count > most_operations) return unasked([&] { return call(operations); });  // it fails
  return answer(operate([&] { return call(operations); },
                        [&] {
                          std::vector<sembuf> hasty(operations, operations + count);
                          bool is_told_to_wait = false;
                          for (sembuf& one : hasty) {
                            is_told_to_wait = is_told_to_wait || (one.sem_flg & IPC_NOWAIT) == 0;
                            one.sem_flg |= IPC_NOWAIT;
                          }
                          const long result = call(hasty.data());
                          return result == -EAGAIN && is_told_to_wait ? would_wait : result;
                        }));
}

}  // namespace sigexc::posix
