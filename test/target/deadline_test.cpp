// The heap of deadlines against a sorted list; and the deadlines of a child process.
#include "target/deadlines.hpp"

#include "target/deadline_heap.hpp"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>
#include <sigexc/sigexc.hpp>

#include <chrono>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <utility>
#include <vector>

#include "support/child.hpp"
#include "support/rounds.hpp"
#include "support/watchdog.hpp"

namespace sigexc::test {
namespace {

using namespace std::chrono_literals;
using detail::deadline_heap;
using detail::deadline_link;
using time_point = deadline_link::time_point;

TEST(DeadlineHeap, HasTheEarliestWhateverIsAddedAndRemoved) {
  const enrollment self;
  std::minstd_rand random(1);
  constexpr std::size_t many = 200;
  std::vector<std::unique_ptr<deadline_link>> links;
  std::map<deadline_link*, time_point> times;
  for (std::size_t i = 0; i < many; ++i) {  // of times long ago, so that nobody else queues them
    const time_point time(std::chrono::nanoseconds(random() % 100));
    links.push_back(std::make_unique<deadline_link>(time));
    times[links.back().get()] = time;
  }
  deadline_heap heap;
  std::set<std::pair<time_point, deadline_link*>> queued;
  for (int round = stress_rounds(100'000); round > 0; --round) {
    deadline_link* one = links[random() % many].get();
    if (random() % 8 == 0 && heap.earliest() != nullptr) one = heap.earliest();
    const std::pair entry(times[one], one);
    if (queued.erase(entry) != 0) {
      heap.remove(*one);
    } else if (queued.size() < random() % many) {
      heap.add(*one);
      queued.insert(entry);
    } else {
      heap.remove(*one);  // it is not in there
    }
    ASSERT_EQ(heap.earliest() == nullptr, queued.empty());
    if (!queued.empty()) {
      ASSERT_EQ(times[heap.earliest()], queued.begin()->first);
    }
  }
  while (heap.earliest() != nullptr) heap.remove(*heap.earliest());
  while (!links.empty()) links.pop_back();  // as scopes end, the innermost first
}

[[gnu::noinline]] void compute() {
  for (;;) safe_point();
}

// X1
TEST(Deadline, RunsOnInAChildProcess) {
  SIGEXC_TEST_STARTS_THREADS_IN_CHILDREN();
  const enrollment self;
  const auto wait_for_child = [](pid_t child) {
    int status = 0;
    EXPECT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
  };
  pid_t child = -1;
  const bool has_returned = timeout(100ms, [&] {
    leave_sanitizer_unlocked();
    child = ::fork();
    if (child != 0) return;
    compute();
  });
  if (child == 0) ::_exit(!has_returned && !timeout(1ms, compute) ? 0 : 1);
  EXPECT_TRUE(has_returned);
  wait_for_child(child);
}

}  // namespace
}  // namespace sigexc::test
