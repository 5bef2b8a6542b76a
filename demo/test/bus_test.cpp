// The operator's bus: whole messages become interrupts, and `quit` ends a read without losing a
// byte.
#include <gtest/gtest.h>
#include <sys/syscall.h>

#include <sigexc/sigexc.hpp>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

#include "mission/bus.hpp"

namespace workcell::mission {
namespace {

/// Returns when the thread called "bus" waits in the kernel's read.
void await_blocked_read() {
  for (;;) {
    for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
      std::string name;
      long call = -1;
      std::ifstream(task.path() / "comm") >> name;
      std::ifstream(task.path() / "syscall") >> call;  // a word instead, while it runs
      if (name == "bus" && call == SYS_read) return;
    }
    std::this_thread::yield();
  }
}

/// A clock with two seats: the test sits at the desk, a thread listens.
class scene {
 public:
  scene() { mission_.wait(); }  // interrupts to it are booked, and then discarded

  /// Puts `bytes` on the bus.
  void type(std::string_view bytes) {
    line.write(bytes);
    line.summon_listener();
  }
  void send_quit() {
    books.send(listener.get_target(), quit{}, "test");
    line.summon_listener();
  }
  void next_tick() { desk_.wait(); }

 private:
  static world::cell& cell() {
    static world::cell only(WORKCELL_SCENE, 1);
    return only;
  }

  control::arm arm_{cell()};
  lockstep_clock clock_;
  control::gripper gripper_{cell(), clock_};
  journal log_{clock_};
  lockstep_clock::seat& desk_ = clock_.add_seat();

 public:
  ledger books{log_};
  bus line{clock_.add_seat()};

 private:
  workplace at_{cell(), arm_, gripper_, log_, books, {}, {}, false};
  sigexc::thread<void> mission_{[] {}};
  std::jthread physics_{[this] { clock_.run([] {}); }};

 public:
  sigexc::thread<std::string> listener{{.name = "bus"},
                                       [this] { return line.listen(at_, mission_.get_target()); }};

 private:
  lockstep_clock::seat::occupant here_{desk_};
};

TEST(Bus, TurnsEachMessageIntoAnInterruptOnceItIsWhole) {
  scene at;
  at.type("order bl");
  at.next_tick();
  EXPECT_TRUE(at.books.entries().empty());
  at.type("ue red\nst");
  at.next_tick();
  ASSERT_EQ(at.books.entries().size(), 1U);
  EXPECT_EQ(at.books.entries()[0].name, "order_changed");
  at.type("op\n");
  at.type("order green\n");  // two writes in a tick
  at.next_tick();
  ASSERT_EQ(at.books.entries().size(), 3U);
  EXPECT_EQ(at.books.entries()[1].name, "emergency_stop");
  EXPECT_EQ(at.books.entries()[2].name, "order_changed");
}

TEST(Bus, QuitEndsTheBlockedReadAndWhatComesLaterStaysInThePipe) {  // O1, O2
  scene at;
  at.type("order bl");
  at.next_tick();
  await_blocked_read();
  at.send_quit();
  at.next_tick();
  at.type("ue\n");
  EXPECT_EQ(at.listener.wait(), "order bl");
  EXPECT_EQ(at.line.drain(), "ue\n");
  EXPECT_EQ(at.line.written(), "order blue\n");
  ASSERT_EQ(at.books.entries().size(), 1U);
  EXPECT_EQ(at.books.entries()[0].answers, 1);
  EXPECT_EQ(at.books.entries()[0].receipt->state(), sigexc::delivery::raised);
}

TEST(Bus, LosesNoByteThatMeetsAQuit) {  // O1-O3, 500 rounds
  int read = 0;
  constexpr int rounds = 500;
  for (int round = 0; round < rounds; ++round) {
    scene at;
    const bool quit_comes_first = round % 2 == 0;
    at.next_tick();  // the listener goes out to read
    if (round % 3 == 0) await_blocked_read();
    if (quit_comes_first) at.send_quit();
    for (int turns = round % 50 * 40; turns > 0; --turns) {
      std::atomic_signal_fence(std::memory_order_seq_cst);
    }
    at.type("order");
    if (!quit_comes_first) at.send_quit();
    at.next_tick();
    const std::string heard = at.listener.wait();
    ASSERT_TRUE(heard.empty() || heard == "order") << heard;
    ASSERT_EQ(heard + at.line.drain(), at.line.written()) << "round " << round;
    ASSERT_EQ(at.books.entries().at(0).answers, 1);
    if (!heard.empty()) ++read;
  }
  RecordProperty("read", read);
  RecordProperty("left_in_the_pipe", rounds - read);
}

}  // namespace
}  // namespace workcell::mission
