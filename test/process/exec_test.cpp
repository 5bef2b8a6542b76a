// New programs: what a target leaves them of SIGEXC, by whichever function it starts them.
//
// Compiled twice: for wake::always, and for wake::when_waiting (WHEN_WAITING).
#include <dlfcn.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "support/child.hpp"
#include "support/interrupts.hpp"
#include "support/order.hpp"
#include "support/rounds.hpp"

extern "C" int stranger_execv(const char* path, char* const* arguments);

namespace sigexc::test {
namespace {

#ifdef WHEN_WAITING
const bool is_configured = (configure({.signal = wake::when_waiting}), true);
#endif

const bool is_told = ::setenv("SIGEXC_TEST_TOLD", "yes", 1) == 0;

// The words of a call of the probe.
struct probe_call {
  std::string number = std::to_string(signal_number());
  std::string path = PROBE;
  std::vector<char*> words{path.data(), number.data(), nullptr};
};

using call = int (*)(probe_call&);

struct way {
  const char* name;
  call exec;
};

constexpr way ways[]{
    {"execve", [](probe_call& p) { return ::execve(PROBE, p.words.data(), environ); }},
    {"execv", [](probe_call& p) { return ::execv(PROBE, p.words.data()); }},
    {"execvp", [](probe_call& p) { return ::execvp(PROBE, p.words.data()); }},
    {"execvpe", [](probe_call& p) { return ::execvpe(PROBE, p.words.data(), environ); }},
    {"execveat",
     [](probe_call& p) { return ::execveat(AT_FDCWD, PROBE, p.words.data(), environ, 0); }},
    {"fexecve",
     [](probe_call& p) {
       return ::fexecve(::open(PROBE, O_RDONLY | O_CLOEXEC), p.words.data(), environ);
     }},
    {"execl", [](probe_call& p) { return ::execl(PROBE, p.words[0], p.words[1], nullptr); }},
    {"execlp", [](probe_call& p) { return ::execlp(PROBE, p.words[0], p.words[1], nullptr); }},
    {"execle",
     [](probe_call& p) { return ::execle(PROBE, p.words[0], p.words[1], nullptr, environ); }},
    {"a stranger's execv", [](probe_call& p) { return stranger_execv(PROBE, p.words.data()); }},
};

// How a child ended, in words; "" if by exit(0).
std::string end_of(pid_t child) {
  int status = 0;
  while (::waitpid(child, &status, 0) != child)
    if (errno != EINTR) return "no child";
  if (WIFSIGNALED(status)) return "killed by signal " + std::to_string(WTERMSIG(status));
  return status == 0 ? "" : "exit " + std::to_string(WEXITSTATUS(status));
}

// Interrupts `to` from threads of its own, until it ends.
class storm {
 public:
  explicit storm(target to) {
    for (const bool asks : {false, true})
      threads_.emplace_back([this, to, asks] {
        while (!is_over_) {
          to.interrupt(0).withdraw();
          if (asks) static_cast<void>(diagnose(to));
          sent_.fetch_add(1, std::memory_order_relaxed);
        }
      });
    await([this] { return sent_ > 20; });
  }
  storm(const storm&) = delete;
  storm& operator=(const storm&) = delete;
  ~storm() {
    is_over_ = true;
    for (auto& one : threads_) one.join();
  }

 private:
  std::atomic<bool> is_over_{false};
  std::atomic<int> sent_{0};
  std::vector<std::thread> threads_;
};

// Where the call stands.
void in_the_open(const std::function<void()>& exec) { exec(); }
void in_a_block(const std::function<void()>& exec) {
  const block_scope quiet;
  exec();
}
void after_a_wait(const std::function<void()>& exec) {
  for (int i = 0; i < 3; ++i) raised_by([] { sleep_for(std::chrono::microseconds(50)); });
  int ends[2];
  if (::pipe(ends) != 0) return;
  for (int i = 0; i < 5; ++i) raised_by([&] { posix::write(ends[1], "x", 1); });
  exec();
}

TEST(Exec, FindsNoSignalInTheNewProgram) {  // X1
  SIGEXC_TEST_STARTS_THREADS_IN_CHILDREN();
  const enrollment self;
  const int rounds = stress_rounds(1000);
  int bad = 0;
  for (int round = 0; round < rounds && bad < 5; ++round) {
    const way& tried = ways[static_cast<std::size_t>(round) % std::size(ways)];
    const auto place = round % 3 == 0 ? in_the_open : round % 3 == 1 ? in_a_block : after_a_wait;
    const pid_t child = ::fork();
    if (child == 0) {
      ::alarm(50);
      // Never destroyed: a new program takes the place of all threads.
      new storm(this_thread::get_target());
      raised_by([&] {
        place([&] {
          probe_call words;
          tried.exec(words);
        });
      });
      ::_exit(99);
    }
    const std::string end = end_of(child);
    EXPECT_EQ(end, "") << tried.name << " in round " << round;
    if (!end.empty()) ++bad;
  }
}

TEST(Exec, IsOursAlsoForWhoKnowsNothingOfUs) {  // X1
  Dl_info ours{};
  Dl_info found{};
  ASSERT_NE(::dladdr(reinterpret_cast<void*>(&targets), &ours), 0);
  void* const of_stranger = ::dlsym(RTLD_DEFAULT, "execve");
  ASSERT_NE(::dladdr(of_stranger, &found), 0);
  EXPECT_STREQ(found.dli_fname, ours.dli_fname);
}

TEST(Exec, LeavesAllAsItWasWhereItFails) {  // X1, M1
  const enrollment self;
  const char* const none = "/there/is/no/such/program";
  char* const words[]{const_cast<char*>(none), nullptr};
  sigset_t every;
  sigset_t before;
  sigset_t after;
  sigfillset(&every);
  for (const bool is_masked : {false, true}) {
    if (is_masked) ::pthread_sigmask(SIG_SETMASK, &every, &before);
    to_self(1);
    EXPECT_EQ(raised_by([&] {
                for (const auto& exec : std::vector<std::function<int()>>{
                         [&] { return ::execve(none, words, environ); },
                         [&] { return ::execvp(none, words); },
                         [&] { return ::execl(none, none, nullptr); },
                         [&] { return ::execle(none, none, nullptr, environ); }}) {
                  errno = 0;
                  EXPECT_EQ(exec(), -1);
                  EXPECT_EQ(errno, ENOENT);
                }
              }),
              "nothing");
    EXPECT_EQ(current_policy(), policy::immediate);
    EXPECT_EQ(raised_here(), "1");
    ::pthread_sigmask(SIG_SETMASK, nullptr, &after);
    EXPECT_EQ(sigismember(&after, signal_number()), is_masked ? 1 : 0);
    if (is_masked) ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  }
  EXPECT_EQ(::fexecve(-1, words, environ), -1);
  EXPECT_EQ(errno, EINVAL);
}

TEST(Exec, LetsTheSignalThroughTheMaskOfTheNewProgram) {  // X1
  const enrollment self;
  const pid_t child = ::fork();
  if (child == 0) {
    sigset_t every;
    sigfillset(&every);
    ::pthread_sigmask(SIG_SETMASK, &every, nullptr);
    ::pthread_kill(::pthread_self(), signal_number());
    ::execl(PROBE, PROBE, std::to_string(signal_number()).c_str(), std::to_string(SIGUSR1).c_str(),
            nullptr);
    ::_exit(99);
  }
  EXPECT_EQ(end_of(child), "");
}

TEST(Exec, IsTheCLibrarysForThePathAndForScripts) {
  const enrollment self;
  std::string folder = "/tmp/sigexc-exec-XXXXXX";
  ASSERT_NE(::mkdtemp(folder.data()), nullptr);
  const std::string script = folder + "/script";
  std::ofstream(script) << "exit $1\n";  // without a #! line: the shell runs it
  ASSERT_EQ(::chmod(script.c_str(), 0700), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    ::setenv("PATH", ("/nowhere:" + folder).c_str(), 1);
    ::execlp("script", "script", "7", nullptr);
    ::_exit(99);
  }
  EXPECT_EQ(end_of(child), "exit 7");
  ::unlink(script.c_str());
  ::rmdir(folder.c_str());
}

[[gnu::noinline]] pid_t exec_in_vfork(const char* path, probe_call& words) {
  const pid_t child = ::vfork();
  if (child == 0) {
    ::execv(path, words.words.data());
    ::_exit(7);
  }
  return child;
}

TEST(Exec, DoesNothingInAChildOfVfork) {  // X1, M1
  const enrollment self;
  probe_call words;
  for (int round = 0; round < 200; ++round) {
    std::optional<storm> around(self.get_target());
    const bool is_there = round % 2 == 0;
    EXPECT_EQ(end_of(exec_in_vfork(is_there ? PROBE : "/there/is/no/such/program", words)),
              is_there ? "" : "exit 7");
    EXPECT_EQ(current_policy(), policy::immediate);
    around.reset();
    raised_here();
    to_self(1);
    EXPECT_EQ(raised_here(), "1");
  }
}

TEST(Spawn, LeavesNoSignalToTheNewProgram) {  // X1
  const enrollment self;
  std::string line = PROBE;
  line.append(" ").append(std::to_string(signal_number()));
  probe_call words;
  const block_scope quiet;  // in which waiting is not disturbed
  const storm around(self.get_target());
  for (int round = 0; round < 100; ++round) {
    pid_t child = -1;
    EXPECT_EQ(::posix_spawn(&child, PROBE, nullptr, nullptr, words.words.data(), environ), 0);
    EXPECT_EQ(end_of(child), "") << "posix_spawn";
    EXPECT_EQ(::posix_spawnp(&child, PROBE, nullptr, nullptr, words.words.data(), environ), 0);
    EXPECT_EQ(end_of(child), "") << "posix_spawnp";
    EXPECT_EQ(std::system(line.c_str()), 0);
    std::FILE* const pipe = ::popen(line.c_str(), "r");
    ASSERT_NE(pipe, nullptr);
    EXPECT_EQ(::pclose(pipe), 0);
  }
}

}  // namespace
}  // namespace sigexc::test
