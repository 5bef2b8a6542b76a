// Scenes with children, signals, queues and semaphores.
#include "wait/posix_scenes.hpp"

#include <sigexc/configure.hpp>

#include <mqueue.h>
#include <signal.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/random.h>
#include <sys/sem.h>
#include <sys/wait.h>

#include <cerrno>

namespace sigexc::test {

namespace {

// A child that ends with 7 when it is told to.
scene awaiting_child(std::function<long(pid_t)> call) {
  const auto end = std::make_shared<channel>(make_pipe());
  const pid_t child = ::fork();
  if (child == 0) {
    ::close(*end->out);
    char byte;
    ::_exit(::read(*end->in, &byte, 1) == 0 ? 7 : 1);
  }
  return {.call = [=] { return call(child); },
          .feed =
              [=] {
                end->out.reset();
                siginfo_t ended;  // or the call has reaped it
                ::waitid(P_PID, static_cast<id_t>(child), &ended, WEXITED | WNOWAIT);
              },
          .check =
              [=](long result) {
                EXPECT_EQ(result, child);
                EXPECT_EQ(::waitpid(child, nullptr, WNOHANG), -1);
                EXPECT_EQ(errno, ECHILD);
              }};
}

// SIGUSR2 to the process, in which every thread blocks it. SIGEXC in the set is none of the call's.
scene awaiting_signal() {
  return {.call =
              [] {
                sigset_t set;
                sigemptyset(&set);
                sigaddset(&set, SIGUSR2);
                sigaddset(&set, signal_number());
                siginfo_t info{};
                const int number = posix::sigtimedwait(&set, &info, nullptr);
                EXPECT_EQ(info.si_code, SI_USER);
                EXPECT_EQ(info.si_pid, ::getpid());
                return number;
              },
          .feed = [] { ::kill(::getpid(), SIGUSR2); },
          .check =
              [](long result) {
                EXPECT_EQ(result, SIGUSR2);
                sigset_t pending;
                sigpending(&pending);
                EXPECT_FALSE(sigismember(&pending, SIGUSR2));
              }};
}

// A queue of POSIX that holds one message of one byte. It has a name for a moment only.
shared_descriptor make_queue() {
  mq_attr attributes{};
  attributes.mq_maxmsg = 1;
  attributes.mq_msgsize = 1;
  const std::string name = "/sigexc-test-" + std::to_string(::getpid());
  const mqd_t queue = ::mq_open(name.c_str(), O_CREAT | O_EXCL | O_RDWR, 0600, &attributes);
  EXPECT_EQ(::mq_unlink(name.c_str()), 0);
  return own(queue);
}

scene sending_to_queue() {
  const shared_descriptor queue = make_queue();
  const auto take = [=] {
    char byte = '-';
    EXPECT_EQ(::mq_receive(*queue, &byte, 1, nullptr), 1);
    return byte;
  };
  EXPECT_EQ(::mq_send(*queue, ".", 1, 0), 0);
  return {.call = [=] { return posix::mq_send(*queue, "x", 1, 0); },
          .feed = [=] { EXPECT_EQ(take(), '.'); },
          .check =
              [=](long result) {
                EXPECT_EQ(result, 0);
                EXPECT_EQ(take(), 'x');
                EXPECT_FALSE(is_ready(*queue));
              }};
}

scene receiving_from_queue() {
  const shared_descriptor queue = make_queue();
  const auto byte = std::make_shared<char>('-');
  return {.call =
              [=] {
                unsigned priority = 0;
                const ssize_t result = posix::mq_receive(*queue, byte.get(), 1, &priority);
                EXPECT_EQ(priority, 3U);
                return result;
              },
          .feed = [=] { EXPECT_EQ(::mq_send(*queue, "x", 1, 3), 0); },
          .check =
              [=](long result) {
                EXPECT_EQ(result, 1);
                EXPECT_EQ(*byte, 'x');
                EXPECT_FALSE(is_ready(*queue));
              }};
}

// A queue of System V, for one message.
struct message {
  long type;
  char byte;
};
struct message_queue {
  message_queue() {
    msqid_ds status{};
    EXPECT_EQ(::msgctl(id, IPC_STAT, &status), 0);
    status.msg_qbytes = 1;
    EXPECT_EQ(::msgctl(id, IPC_SET, &status), 0);
  }
  message_queue(const message_queue&) = delete;
  message_queue& operator=(const message_queue&) = delete;
  ~message_queue() { ::msgctl(id, IPC_RMID, nullptr); }

  void put(char byte) const {
    const message sent{1, byte};
    EXPECT_EQ(::msgsnd(id, &sent, 1, IPC_NOWAIT), 0);
  }
  // A dash if there is none.
  char take() const {
    message got{0, '-'};
    ::msgrcv(id, &got, 1, 0, IPC_NOWAIT);
    return got.byte;
  }

  int id = ::msgget(IPC_PRIVATE, 0600);
};

scene sending_message() {
  const auto queue = std::make_shared<message_queue>();
  queue->put('.');
  return {.call =
              [=] {
                const message sent{1, 'x'};
                return posix::msgsnd(queue->id, &sent, 1, 0);
              },
          .feed = [=] { EXPECT_EQ(queue->take(), '.'); },
          .check =
              [=](long result) {
                EXPECT_EQ(result, 0);
                EXPECT_EQ(queue->take(), 'x');
                EXPECT_EQ(queue->take(), '-');
              }};
}

scene receiving_message() {
  const auto queue = std::make_shared<message_queue>();
  const auto got = std::make_shared<message>(message{0, '-'});
  return {.call = [=] { return posix::msgrcv(queue->id, got.get(), 1, 0, 0); },
          .feed = [=] { queue->put('x'); },
          .check =
              [=](long result) {
                EXPECT_EQ(result, 1);
                EXPECT_EQ(got->byte, 'x');
                EXPECT_EQ(queue->take(), '-');
              }};
}

struct semaphore {
  semaphore() = default;
  semaphore(const semaphore&) = delete;
  semaphore& operator=(const semaphore&) = delete;
  ~semaphore() { ::semctl(id, 0, IPC_RMID); }
  int id = ::semget(IPC_PRIVATE, 1, 0600);
};

scene taking_unit() {
  const auto units = std::make_shared<semaphore>();
  return {.call =
              [=] {
                sembuf take{0, -1, 0};
                return posix::semop(units->id, &take, 1);
              },
          .feed = [=] { EXPECT_EQ(::semctl(units->id, 0, SETVAL, 1), 0); },
          .check =
              [=](long result) {
                EXPECT_EQ(result, 0);
                EXPECT_EQ(::semctl(units->id, 0, GETVAL), 0);
              }};
}

scene taking_random_bytes() {
  const auto bytes = std::make_shared<std::string>(32, '\0');
  return {.call = [=] { return posix::getrandom(bytes->data(), bytes->size(), 0); },
          .check =
              [=](long result) {
                EXPECT_EQ(result, 32);
                EXPECT_NE(*bytes, std::string(32, '\0'));
              },
          .check_untouched = [=] { EXPECT_EQ(*bytes, std::string(32, '\0')); }};
}

}  // namespace

std::vector<row> process_rows() {
  static constexpr timespec no_time{0, -1};
  return {
      {"waitpid",
       [] {
         return awaiting_child([](pid_t child) {
           int status = 0;
           const pid_t ended = posix::waitpid(child, &status, 0);
           EXPECT_EQ(WEXITSTATUS(status), 7);
           return ended;
         });
       },
       [] { return posix::waitpid(::getpid(), nullptr, 0); }, ECHILD},
      {"waitid",
       [] {
         return awaiting_child([](pid_t child) {
           siginfo_t info{};
           const int result = posix::waitid(P_PID, static_cast<id_t>(child), &info, WEXITED);
           EXPECT_EQ(info.si_status, 7);
           return result == 0 ? info.si_pid : result;
         });
       },
       [] { return posix::waitid(P_ALL, 0, nullptr, 0); }, EINVAL},
      {"sigtimedwait", awaiting_signal,
       [] {
         sigset_t none;
         sigemptyset(&none);
         return posix::sigtimedwait(&none, nullptr, &no_time);
       },
       EINVAL},
      {"getrandom", taking_random_bytes, [] { return posix::getrandom(nullptr, 0, ~0U); }, EINVAL,
       waiting::never},
      {"mq_receive", receiving_from_queue,
       [] { return posix::mq_receive(-1, nullptr, 1, nullptr); }, EBADF},
      {"mq_send", sending_to_queue, [] { return posix::mq_send(-1, "", 1, 0); }, EBADF},
      {"msgrcv", receiving_message, [] { return posix::msgrcv(-1, nullptr, 1, 0, 0); }, EINVAL},
      {"msgsnd", sending_message,
       [] {
         const message sent{1, 'x'};
         return posix::msgsnd(-1, &sent, 1, 0);
       },
       EINVAL},
      {"semop", taking_unit,
       [] {
         sembuf take{0, -1, 0};
         return posix::semop(-1, &take, 1);
       },
       EINVAL},
  };
}

}  // namespace sigexc::test
