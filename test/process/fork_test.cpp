// What fork() leaves in the child: of the targets, the mailboxes, the threads.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <optional>
#include <semaphore>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "support/child.hpp"
#include "support/interrupts.hpp"
#include "support/order.hpp"

namespace sigexc::test {
namespace {

using namespace std::chrono_literals;

std::string name_of(delivery what) {
  constexpr const char* names[]{"pending", "raised", "handled", "withdrawn", "discarded"};
  return names[static_cast<int>(what)];
}

// Starts a thread in this process, interrupts it where it runs, where it waits and where it is in
// foreign code, gets its result; and terminates another one. "" if all is well.
std::string use_everything() {
  std::counting_semaphore<> is_caught(0);
  thread other([&] {
    std::string caught = raised_by([] {
      for (;;) safe_point();
    });
    is_caught.release();
    caught += raised_by([] { sleep_for(1h); });
    is_caught.release();
    std::binary_semaphore is_called(0);
    return caught + raised_by([&] {
             with_wake([&] { is_called.release(); }, [&] { is_called.acquire(); });
           });
  });
  for (int i = 1; i <= 2; ++i) {
    other.interrupt(i);
    is_caught.acquire();
  }
  other.interrupt(3);
  if (other.wait() != "123") return "caught " + other.wait();
  thread endless([] { sleep_for(1h); });
  if (diagnose(endless.get_target()).why == hold::blocked_by_scope) return "something is blocked";
  endless.terminate();
  if (const auto end = raised_by([&] { endless.wait(); }); end != "terminated") return end;
  return "";
}

TEST(Fork, LeavesTheCallerAsTheOnlyTarget) {  // X1
  const enrollment self("caller");
  const long_wait holder;
  thread other([&] { holder.wait(); });
  const target of_other = other.get_target();
  prepared_interrupt prepared(of_other, 7);
  EXPECT_EQ(in_child([&]() -> std::string {
              if (targets() != std::vector{self.get_target()}) return "more targets";
              if (self.get_target().finished()) return "the caller is finished";
              if (!of_other.finished()) return "the other is not finished";
              if (of_other.interrupt(1).state() != delivery::discarded) return "not discarded";
              if (of_other.interrupt(1).wait() != delivery::discarded) return "not discarded";
              if (of_other.terminate().state() != delivery::discarded) return "not terminated";
              prepared.fire();
              if (of_other.pending() != 0) return "pending";
              return holder.wait() == delivery::discarded ? "" : "the sent one is not discarded";
            }),
            "");
  EXPECT_FALSE(of_other.finished());
  holder.end();
  other.wait();
}

TEST(Fork, EmptiesTheMailboxInTheChildOnly) {  // X1, S8
  const enrollment self;
  prepared_interrupt prepared(self.get_target(), 4);
  std::optional<prepared_interrupt> dropped(std::in_place, self.get_target(), 5);
  const auto said_by_child = [&](const std::vector<receipt>& sent) -> std::string {
    for (const auto& one : sent) {
      if (one.state() != delivery::discarded) return name_of(one.state());
      if (one.withdraw()) return "withdrawn";
      if (one.wait() != delivery::discarded) return name_of(one.wait());
    }
    if (self.get_target().pending() != 0) return "counted as pending";
    if (interrupt_pending()) return "pending";
    if (raised_here() != "nothing") return "raised";
    if (prepared.is_pending()) return "pending still, as in the parent";
    prepared.fire();
    prepared.fire();
    if (!prepared.is_pending()) return "not pending after firing";
    if (const auto raised = raised_here(); raised != "4") return raised + " after firing";
    to_self(6);
    return raised_here() == "6" ? "" : "nothing comes any more";
  };
  std::string raised = raised_by([&] {
    const block_scope quiet;
    std::vector<receipt> sent{to_self(1), to_self(2)};
    EXPECT_TRUE(interrupt_pending());  // takes them in: they are held
    sent.push_back(to_self(3));
    prepared.fire();
    dropped->fire();
    dropped.reset();
    EXPECT_EQ(in_child([&]() -> std::string {
                if (sent.back().state() != delivery::discarded) return "pending inside";
                return "";
              }),
              "");
    EXPECT_EQ(in_child([&] { return unblocked([&] { return said_by_child(sent); }); }), "");
    EXPECT_EQ(sent.front().state(), delivery::pending);
  });
  EXPECT_EQ(raised, "group(1, 2, 3, 4, 5)");
}

TEST(Fork, EndsATerminationThatIsPendingInTheChild) {  // X1
  const enrollment self;
  const receipt sent = self.get_target().terminate();
  EXPECT_EQ(in_child([&] { return raised_here() + ", " + name_of(sent.state()); }),
            "nothing, discarded");
  EXPECT_EQ(raised_by([] {
              try {
                safe_point();
              } catch (const terminated& end) {
                end.acknowledge();
                throw;
              }
            }),
            "terminated");
}

TEST(Fork, KeepsTheTerminationThatIsBeingHandled) {  // X1, D5
  const enrollment self;
  self.get_target().terminate();
  pid_t child = -1;
  std::string raised_inside;
  try {
    safe_point();
  } catch (const terminated&) {
    child = ::fork();
    raised_inside = raised_here();
  }
  // Swallowed, here and in the child.
  if (child == 0) ::_exit(raised_inside == "nothing" && raised_here() == "terminated" ? 0 : 1);
  int status = -1;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(raised_by([] {
              try {
                safe_point();
              } catch (const terminated& end) {
                end.acknowledge();
                throw;
              }
            }),
            "terminated");
}

TEST(Fork, LetsTheChildGoOnAsAProgram) {  // X1
  SIGEXC_TEST_STARTS_THREADS_IN_CHILDREN();
  const long_wait holder;
  const thread other([&] { holder.wait(); });
  EXPECT_EQ(in_child(use_everything), "");
  const enrollment self;
  EXPECT_EQ(in_child(use_everything), "");
  EXPECT_EQ(in_child([]() -> std::string {
              std::string said = use_everything();
              said += in_child([]() -> std::string {
                return use_everything() + in_child(use_everything) + use_everything();
              });
              return said + use_everything();
            }),
            "");
  EXPECT_EQ(use_everything(), "");
  holder.end();
}

TEST(Fork, LetsTheChildEnrol) {  // X1
  SIGEXC_TEST_STARTS_THREADS_IN_CHILDREN();
  const enrollment self;
  std::string said;
  std::thread([&] {  // no target
    said = in_child([]() -> std::string {
      if (!targets().empty()) return "there is a target";
      const enrollment child("child");
      if (targets() != std::vector{child.get_target()}) return "there are other targets";
      to_self(1);
      return raised_here() == "1" ? use_everything() : "nothing raised";
    });
  })
      .join();
  EXPECT_EQ(said, "");
}

TEST(Fork, TakesThreadsThatStayedBehindForEnded) {  // X1, D6
  SIGEXC_TEST_STARTS_THREADS_IN_CHILDREN();
  const long_wait holder;
  thread other([&] {
    holder.wait();
    return 1;
  });
  std::optional<thread<int>> ended(std::in_place, [] { return 2; });
  await([&] { return ended->get_target().finished(); });
  EXPECT_TRUE(ended->wait_for(1h));
  EXPECT_EQ(in_child([&]() -> std::string {
              for (int i = 0; i < 2; ++i) {
                if (!other.wait_for(1h)) return "it has not ended";
                try {
                  other.wait();
                  return "it has a result";
                } catch (const std::system_error& e) {
                  if (e.code() != std::errc::no_such_process) return e.what();
                }
              }
              if (ended->wait() != 2) return "the result is lost";
              ended.reset();
              other.attach<int>([](int) {});
              thread<int>(std::move(other));  // destroyed: neither terminates nor joins
              return use_everything();
            }),
            "");
  holder.end();
  EXPECT_EQ(other.wait(), 1);
}

TEST(Fork, KeepsTheScopesOfTheCaller) {  // X1, M1
  const enrollment self;
  const block_scope<std::string> no_texts;
  EXPECT_EQ(in_child([]() -> std::string {
              to_self(std::string("held"));
              to_self(1);
              if (raised_here() != "1") return "the wrong one";
              return raised_by([] { const unblock_scope open; });
            }),
            "held");
}

TEST(Fork, GoesOnInACallback) {  // X1, D3
  SIGEXC_TEST_STARTS_THREADS_IN_CHILDREN();
  const enrollment self;
  std::string said;
  std::optional<receipt> handled;
  const auto callback = attach<int>([&](int) {
    const receipt meanwhile = to_self(std::string("meanwhile"));
    said += in_child([&]() -> std::string {
      std::thread([&] { self.get_target().interrupt(std::string("from a thread")); }).join();
      return name_of(meanwhile.state());
    });
  });
  handled = to_self(1);
  to_self(2);
  EXPECT_EQ(raised_here(), "group(meanwhile, meanwhile)");
  EXPECT_EQ(said, "discardeddiscarded");
  EXPECT_EQ(handled->state(), delivery::handled);
}

TEST(Fork, LetsTheChildReturnFromACallback) {  // X1, D3
  const enrollment self;
  pid_t child = -1;
  int handled = 0;
  const auto callback = attach<int>([&](int) {
    if (++handled == 1) child = ::fork();
  });
  to_self(1);
  to_self(2);
  const receipt text = to_self(std::string("text"));  // in the mailbox still, or claimed already
  const std::string raised = raised_here();
  if (child == 0) {
    const bool is_empty = self.get_target().pending() == 0 && raised_here() == "nothing";
    to_self(std::string("new"));
    ::_exit(is_empty && text.state() != delivery::pending && raised_here() == "new" ? 0 : 1);
  }
  EXPECT_EQ(raised, "text");
  EXPECT_EQ(handled, 2);
  int status = -1;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

TEST(Fork, KeepsAConditionWaitInWhoseCallbackItWasCalled) {  // X1, O5
  SIGEXC_TEST_STARTS_THREADS_IN_CHILDREN();
  const enrollment self;
  mutex guard;
  condition_variable changed;
  bool is_done = false;
  pid_t child = -1;
  const auto callback = attach<int>([&](int) { child = ::fork(); });
  std::unique_lock lock(guard);
  to_self(1);
  std::optional<std::thread> notifier;
  while (!is_done) {
    if (child >= 0 && !notifier)  // woken in vain
      notifier.emplace([&] {
        const std::lock_guard held(guard);
        is_done = true;
        changed.notify_one();
      });
    changed.wait_for(lock, 1ms);
  }
  notifier->join();
  if (child == 0) ::_exit(0);
  int status = -1;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

TEST(Fork, GoesOnInForeignCode) {  // X1
  SIGEXC_TEST_STARTS_THREADS_IN_CHILDREN();
  const enrollment self;
  std::atomic<int> called = 0;
  pid_t child = -1;
  with_wake([&] { ++called; },
            [&] {
              child = ::fork();
              if (child != 0) return;
              ::alarm(50);
              const target me = self.get_target();
              // The sender is another thread of the child; or a prepared interrupt, for which the
              // library's own thread calls.
              std::thread([&] { me.interrupt(1).withdraw(); }).join();
              if (called != 1) ::_exit(1);
              prepared_interrupt prepared(me, 2);
              prepared.fire();
              await([&] { return called == 2; });
              ::_exit(0);
            });
  int status = -1;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(called, 0);
}

TEST(Fork, LetsTheChildLeaveForeignCodeThatIsBeingCalledOff) {  // X1
  SIGEXC_TEST_STARTS_THREADS_IN_CHILDREN();
  std::binary_semaphore is_calling(0);
  std::binary_semaphore may_return(0);
  std::binary_semaphore is_in(0);
  thread other([&] {
    pid_t child = -1;
    raised_by([&] {
      with_wake(
          [&] {
            is_calling.release();
            may_return.acquire();
          },
          [&] {
            is_in.release();
            is_calling.acquire();  // the sender is in the call, and will not be in the child
            child = ::fork();
            if (child == 0) ::alarm(50);
            if (child != 0) may_return.release();
          });
    });
    if (child == 0) ::_exit(use_everything().empty() ? 0 : 1);
    int status = -1;
    ::waitpid(child, &status, 0);
    return status;
  });
  is_in.acquire();
  other.interrupt(1);
  EXPECT_EQ(other.wait(), 0);
}

TEST(Fork, MayBeCalledByAWaker) {  // X1
  SIGEXC_TEST_STARTS_THREADS_IN_CHILDREN();
  std::string said;
  std::binary_semaphore is_called(0);
  std::binary_semaphore is_in(0);
  thread other([&] {
    raised_by([&] {
      with_wake(
          [&] {
            said = in_child(use_everything);
            is_called.release();
          },
          [&] {
            is_in.release();
            is_called.acquire();
          });
    });
  });
  is_in.acquire();
  other.interrupt(1);
  other.wait();
  EXPECT_EQ(said, "");
}

TEST(Fork, KeepsSignalsOutOfBlocksInTheChild) {  // X1, S4
  SIGEXC_TEST_STARTS_THREADS_IN_CHILDREN();
  const enrollment self;
  { const block_scope used; }
  EXPECT_EQ(in_child([]() -> std::string {
              const target me = this_thread::get_target();
              std::atomic<bool> is_over = false;
              std::thread sender([&] {
                while (!is_over) me.interrupt(0).withdraw();
              });
              int disturbed = 0;
              for (int i = 0; i < 200; ++i)
                raised_by([&] {  // where the block ends, if it has not been withdrawn yet
                  const block_scope quiet;
                  const timespec moment{0, 100'000};
                  disturbed += ::nanosleep(&moment, nullptr) != 0 ? 1 : 0;
                });
              is_over = true;
              sender.join();
              return disturbed == 0 ? "" : std::to_string(disturbed) + " were disturbed";
            }),
            "");
}

TEST(Fork, LeavesTheTasksOfAGroupInTheParent) {  // X1, T3
  const enrollment self;
  task_group group;
  std::binary_semaphore is_over(0);
  group.spawn([&] { is_over.acquire(); });
  EXPECT_EQ(in_child([&]() -> std::string {
              const auto joined = raised_by([&] { group.join(); });
              if (joined.find("fork()") == std::string::npos) return "joined: " + joined;
              const auto spawned = raised_by([&] { group.spawn([] {}); });
              if (spawned.find("fork()") == std::string::npos) return "spawned: " + spawned;
              group.terminate();
              group.~task_group();
              new (&group) task_group;
              if constexpr (children_may_start_threads) {
                if (all([] { return 1; }, [] { return 2; }) != std::tuple(1, 2)) return "no tasks";
                group.spawn([] {});
                group.join();
              }
              return "";
            }),
            "");
  is_over.release();
  group.join();
}

}  // namespace
}  // namespace sigexc::test
