// The exchange: four senders, two targets, and everything that may happen to an interrupt on its
// way: typed and untyped scopes, waits, callbacks that return, throw or are detached by somebody
// else, withdrawals, prepared interrupts, targets that end.
//
// Each interrupt carries its sender and a number. A target notes what it gets, a sender what the
// receipt says; in the end the two books must agree: raised or handled means seen once, withdrawn
// or discarded means never seen (S8). Interrupts of one type from one sender are seen in the order
// in which they were sent (S5); types may overtake each other, as typed scopes hold one of them.
//
// SIGEXC_STRESS_ROUNDS sets how many interrupts are sent to the targets that live long.
#include "stress/exchange.hpp"

namespace exchange {
namespace {

// S5, S8, S9, M1, M4, D2, D3, D4
TEST(Exchange, LosesAndDoublesNothingInScopesWaitsAndCallbacks) {
  const std::size_t share = rounds() / senders / receivers;
  const idle_target idle;
  std::array<book, receivers> books{book(share), book(share)};
  std::atomic<bool> is_over{false};
  {
    detacher helper;
    std::array<std::unique_ptr<worker>, receivers> workers;
    std::vector<sigexc::thread<void>> targets;
    for (std::size_t r = 0; r < receivers; ++r) {
      workers[r] = std::make_unique<worker>(books[r], helper, idle.never(), unsigned(100 + r));
      targets.emplace_back(sigexc::thread_options{.name = "target " + std::to_string(r)},
                           [&is_over, &who = *workers[r]] {
                             who.run(is_over);
                             who.drain();
                           });
    }
    // They outlive the targets, and so do the exceptions of their prepared interrupts: the C++
    // runtime counts the references to these, which ThreadSanitizer does not see.
    std::array<std::unique_ptr<sender>, senders> origins;
    std::vector<sigexc::thread<sender::outcomes>> sending;
    for (std::size_t s = 0; s < senders; ++s) {
      origins[s] =
          std::make_unique<sender>(s, std::array{targets[0].get_target(), targets[1].get_target()},
                                   std::array{&books[0], &books[1]});
      sending.emplace_back([&who = *origins[s], share] { return who.run(share); });
    }
    std::vector<sender::outcomes> outcomes;
    for (auto& one : sending) outcomes.push_back(one.wait());
    is_over = true;
    for (auto& one : targets) one.wait();

    for (std::size_t r = 0; r < receivers; ++r) {
      std::size_t wrong = 0;
      for (std::size_t s = 0; s < senders; ++s)
        for (std::size_t n = 0; n < share; ++n)
          wrong += books[r].seen(s, n) != (is_delivered(outcomes[s][r][n]) ? 1U : 0U);
      EXPECT_EQ(wrong, 0U);
      EXPECT_EQ(books[r].overtaken(), 0U);
      EXPECT_EQ(books[r].thrown, books[r].caught);
      EXPECT_TRUE(books[r].has_heard_all());
      EXPECT_EQ(workers[r]->late_calls(), 0U);
    }
  }
}

// S6, S8: targets end while they are being sent to.
TEST(Exchange, SettlesEveryReceiptWhenTargetsEnd) {
  const std::size_t generations = rounds() / 20'000 + 1;
  for (std::size_t g = 0; g < generations; ++g) {
    constexpr std::size_t most = 4'000;
    book notes(most);
    random_source random(static_cast<unsigned>(g) + 1);
    const std::size_t wanted = random() % 50;
    sigexc::thread ending([&notes, wanted] {
      const auto note = [&notes](const even& what) { notes.note(what); };
      for (std::size_t seen = 0; seen < wanted;) {
        try {
          const sigexc::block_scope<> block;
          if (seen % 2 == 0) sigexc::unblocked([] {});
        } catch (...) {
          ++seen;
          sigexc::handle_each(note);
        }
      }
    });
    std::vector<std::jthread> sending;
    std::array<std::vector<sigexc::receipt>, senders> receipts;
    for (std::size_t s = 0; s < senders; ++s)
      sending.emplace_back([s, to = ending.get_target(), &mine = receipts[s]] {
        while (mine.size() < most && !(to.finished() && mine.size() % 16 == 0)) {
          mine.push_back(to.interrupt(even{{s, mine.size()}}));
          if (mine.size() % 8 == 0) mine.back().withdraw();
        }
      });
    sending.clear();
    ending.terminate();  // where the senders were done before it had seen enough
    ASSERT_TRUE(ending.wait_for(1h));
    for (std::size_t s = 0; s < senders; ++s)
      for (std::size_t n = 0; n < receipts[s].size(); ++n) {
        const delivery outcome = receipts[s][n].state();
        ASSERT_NE(outcome, delivery::pending);
        ASSERT_EQ(notes.seen(s, n), is_delivered(outcome) ? 1U : 0U);
      }
    ASSERT_EQ(notes.overtaken(), 0U);
    ASSERT_EQ(ending.get_target().pending(), 0U);
  }
}

}  // namespace
}  // namespace exchange
