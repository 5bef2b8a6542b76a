// Computations that go on on other threads: what is the thread's stays, what is theirs goes along.
#include <gtest/gtest.h>
#include <sigexc/resumable.hpp>
#include <sigexc/sigexc.hpp>

#include <cerrno>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "support/interrupts.hpp"
#include "support/order.hpp"
#include "support/rounds.hpp"
#include "support/watchdog.hpp"

namespace sigexc::test {
namespace {

// Runs `work` to its end, each time on another one of two threads.
template <class R>
void run_on_two_threads(resumable<R>& work) {
  std::atomic<int> turn = 0;
  std::atomic<bool> is_over = false;
  const auto run = [&](int mine) {
    const enrollment here;
    while (!is_over) {
      turn.wait(1 - mine);
      if (is_over) return;
      if (work.resume() == progress::finished) is_over = true;
      turn = 1 - mine;
      turn.notify_one();
    }
  };
  std::jthread other([&] { run(1); });
  run(0);
}

TEST(Migration, LetsScopesStandAcrossIt) {  // C3, M1; in a loop, whose code is the compiler's
  const int rounds = stress_rounds(20'000);
  resumable<int>* self = nullptr;
  resumable<int> work([&] {
    const target me = this_thread::get_target();
    int caught = 0;
    for (int i = 0; i < rounds; ++i) {
      try {
        const block_scope<int> quiet;
        me.interrupt(i);
        self->pause();
        safe_point();
        {
          const block_scope everything;
          self->pause();
        }
        safe_point();
        if (current_policy<int>() != policy::never || current_policy() != policy::immediate)
          return -1;
      } catch (int number) {
        caught += number == i ? 1 : 0;
      }
      if (interrupt_pending()) return -2;
    }
    return caught;
  });
  self = &work;
  run_on_two_threads(work);
  EXPECT_EQ(work.result(), rounds);
}

TEST(Migration, TakesTheExceptionsInHandAlong) {  // C3
  const int rounds = stress_rounds(5'000);
  resumable<int>* self = nullptr;
  const auto pause = [&] {
    self->pause();
    safe_point();
  };
  struct pausing {
    const decltype(pause)& how;
    int& good;
    ~pausing() {
      how();
      good += std::uncaught_exceptions() == 1 ? 1 : 0;
    }
  };
  resumable<int> work([&] {
    int good = 0;
    for (int i = 0; i < rounds; ++i) {
      try {
        const pausing in_unwinding{pause, good};
        throw i;
      } catch (int) {
        pause();
        try {
          throw std::to_string(i);
        } catch (const std::string& text) {
          pause();
          good += text == std::to_string(i) ? 1 : 0;
        }
        pause();
        good += words(std::current_exception()) == std::to_string(i) ? 1 : 0;
      }
      good += std::current_exception() == nullptr && std::uncaught_exceptions() == 0 ? 1 : 0;
    }
    return good;
  });
  self = &work;
  run_on_two_threads(work);
  EXPECT_EQ(work.result(), 4 * rounds);
}

TEST(Migration, LeavesTheExceptionsOfTheThreadThere) {  // C3
  resumable<void>* self = nullptr;
  resumable<void> work([&] {
    try {
      throw 1;
    } catch (int) {
      self->pause();
      safe_point();
      EXPECT_EQ(words(std::current_exception()), "1");
    }
  });
  self = &work;
  try {
    throw 2;
  } catch (int) {
    work.resume();
    EXPECT_EQ(words(std::current_exception()), "2");
  }
  EXPECT_EQ(std::current_exception(), nullptr);
  work.resume();
  EXPECT_EQ(std::current_exception(), nullptr);
}

[[gnu::noinline]] int get_errno() { return errno; }
[[gnu::noinline]] void set_errno(int to) { errno = to; }

TEST(Migration, TakesErrnoAlong) {  // C3
  resumable<void>* self = nullptr;
  resumable<void> work([&] {
    set_errno(EDOM);
    self->pause();
    safe_point();
    EXPECT_EQ(get_errno(), EDOM);
  });
  self = &work;
  set_errno(ERANGE);
  work.resume();
  EXPECT_EQ(get_errno(), ERANGE);
  std::thread([&] {
    work.resume();
    EXPECT_EQ(get_errno(), 0);
  }).join();
}

// Four threads run what they find, others send: counted in is counted out.
TEST(Migration, LosesAndDoublesNothingAmongFourThreadsAndTheirSenders) {  // C1, C2, S5, S8
  constexpr int computations = 16;
  const int rounds = stress_rounds(2'000);  // of each sender
  struct one {
    std::optional<resumable<void>> work;
    std::atomic<int> raised = 0;
    std::atomic<int> handled = 0;
    std::atomic<bool> is_over = false;
    std::atomic<bool> has_ended = false;
  };
  std::vector<one> all(computations);
  for (one& each : all)
    each.work.emplace([&each] {
      const auto kept = attach<long>([&](long) { ++each.handled; });
      while (!each.is_over || interrupt_pending()) {
        try {
          const block_scope<int> quiet;
          safe_point();
          {
            const block_scope everything;
            spin(20);
          }
          spin(20);
        } catch (int) {
          ++each.raised;
        } catch (const exception_group& several) {
          each.raised += static_cast<int>(several.exceptions().size());
        }
      }
    });
  std::atomic<int> stray = 0;
  std::vector<std::jthread> runners;
  for (int i = 0; i < 4; ++i)
    runners.emplace_back([&, i] {
      std::optional<enrollment> here;
      if (i % 2 == 0) here.emplace();
      for (bool has_any = true; has_any;) {
        has_any = false;
        for (one& each : all) {
          if (each.has_ended) continue;
          has_any = true;
          try {
            if (each.work->resume() == progress::finished) each.has_ended = true;
          } catch (const std::logic_error&) {
            std::this_thread::yield();  // another one has it
          } catch (...) {
            ++stray;
          }
        }
      }
    });
  std::atomic<bool> have_all_ended = false;
  std::jthread pausing([&] {
    while (!have_all_ended) {
      for (one& each : all) each.work->pause();
      std::this_thread::yield();
    }
  });
  std::atomic<int> sent = 0;
  std::vector<std::jthread> senders;
  for (int i = 0; i < 2; ++i)
    senders.emplace_back([&, i] {
      for (int round = 0; round < rounds; ++round) {
        const one& each = all[static_cast<std::size_t>(round + i) % computations];
        const target to = each.work->get_target();
        while (to.pending() > 8) std::this_thread::yield();
        if (round % 3 == 0) {
          to.interrupt(static_cast<long>(round));
        } else {
          to.interrupt(round);
        }
        ++sent;
        each.work->pause();
      }
    });
  senders.clear();
  for (one& each : all) each.is_over = true;
  runners.clear();
  have_all_ended = true;
  int got = 0;
  for (const one& each : all) got += each.raised + each.handled;
  EXPECT_EQ(got, sent);
  EXPECT_EQ(stray, 0);
}

// A sender may reach a thread as soon as a computation is on it, even if that was no target before.
TEST(Migration, ReachesThreadsThatWereNeverTargets) {  // C1, S2
  const int rounds = stress_rounds(1'000);
  std::atomic<bool> is_over = false;
  resumable<void> work([&] {
    while (!is_over) safe_point();
  });
  std::jthread pausing([&] {
    while (!is_over) work.pause();
  });
  for (int i = 0; i < rounds; ++i)
    std::thread([&] { EXPECT_EQ(work.resume(), progress::paused); }).join();
  is_over = true;
  pausing.join();
  while (work.resume() == progress::paused) {
  }
}

// Interrupts for the threads that run computations, which hand these over among themselves.
TEST(Migration, BringsEveryInterruptOfAThreadToThatThread) {  // C2, S6
  const int rounds = stress_rounds(2'000);
  std::atomic<bool> is_over = false;
  resumable<void> work([&] {
    while (!is_over) {
      const block_scope<long> some;
      safe_point();
    }
  });
  std::atomic<bool> has_ended = false;
  std::atomic<int> wrong = 0;
  std::atomic<int> caught = 0;
  std::vector<std::optional<target>> runners(3);
  std::atomic<int> ready = 0;
  std::vector<std::jthread> threads;
  for (int i = 0; i < 3; ++i)
    threads.emplace_back([&, i] {
      const enrollment here;
      runners[static_cast<std::size_t>(i)] = here.get_target();
      ++ready;
      while (!has_ended || interrupt_pending()) {
        try {
          if (!has_ended && work.resume() == progress::finished) has_ended = true;
          safe_point();
        } catch (const std::logic_error&) {
          std::this_thread::yield();
        } catch (int number) {
          wrong += number == i ? 0 : 1;
          ++caught;
        } catch (const exception_group& several) {
          for (const auto& member : several.exceptions())
            wrong += words(member) == std::to_string(i) ? 0 : 1;
          caught += static_cast<int>(several.exceptions().size());
        }
      }
    });
  await([&] { return ready == 3; });
  int sent = 0;
  for (int round = 0; round < rounds; ++round) {
    const int i = round % 3;
    while (runners[static_cast<std::size_t>(i)]->pending() > 4) std::this_thread::yield();
    runners[static_cast<std::size_t>(i)]->interrupt(i);
    ++sent;
  }
  await([&] {
    return std::all_of(runners.begin(), runners.end(),
                       [](const auto& one) { return one->pending() == 0; });
  });
  is_over = true;
  threads.clear();
  EXPECT_EQ(caught, sent);
  EXPECT_EQ(wrong, 0);
}

}  // namespace
}  // namespace sigexc::test
