// Asking a thread to look at itself, and waiting for the answer.
#include "process/inspection.hpp"

#include "mailbox/futex.hpp"
#include "process/kernel_view.hpp"
#include "unwind/walk.hpp"

#include <sigexc/configure.hpp>

#include <cerrno>
#include <memory>
#include <mutex>

extern "C" int __sigaction(int, const struct sigaction*,
                           struct sigaction*);  // NOLINT: glibc's name; see signal/install.cpp

namespace sigexc::detail {

namespace {

constinit std::mutex one_at_a_time;
constinit std::atomic<int> chosen{0};  // written under the mutex

bool try_install(int number) noexcept {
  struct sigaction present {};
  if (__sigaction(number, nullptr, &present) != 0 || (present.sa_flags & SA_SIGINFO) != 0 ||
      present.sa_handler != SIG_DFL)
    return false;
  struct sigaction ours {};
  ours.sa_sigaction = sigexc_inspect;
  ours.sa_flags = SA_RESTART | SA_SIGINFO | SA_ONSTACK;
  sigfillset(&ours.sa_mask);
  return __sigaction(number, &ours, nullptr) == 0;
}

void choose_signal() noexcept {
  if (chosen != 0) return;
  const int count = SIGRTMAX - SIGRTMIN + 1;
  for (int i = 1; i < count && chosen == 0; ++i) {
    const int number = SIGRTMIN + (signal_number() - SIGRTMIN + i) % count;
    if (try_install(number)) chosen = number;
  }
}

using std::chrono::steady_clock;
using namespace std::chrono_literals;

constexpr auto patience = 1s;
constexpr auto moment = 1ms;  // how often is looked for what ends the waiting without an answer

// A thread blocks all signals for moments too: in handlers, or while it makes a thread.
bool lets_in(const record& who, int number) noexcept {
  constexpr int looks = 50;
  for (int i = 0; i < looks; ++i) {
    if (!kernel_view(who.tid).blocks(number) || who.is_closed()) return true;
    const auto seen = inspected.answers.load(std::memory_order_relaxed);
    futex_wait(inspected.answers, seen, steady_clock::now() + moment);
  }
  return false;
}

answer send(record& who, int number) noexcept {
  const sender_count::ticket counted = who.traffic.enter();
  answer result = answer::ended;
  // Who is counted in and finds it open is waited for by the thread's end.
  // And by its exec, from which on nothing is sent to it.
  const current_block* const block = who.is_closed() ? nullptr : who.runner();
  if (block != nullptr && !who.is_leaving.load(std::memory_order_seq_cst)) {
    const int error = pthread_kill(block->handle, number);
    result = error == 0 ? answer::given : error == EAGAIN ? answer::not_sent : answer::ended;
  }
  who.traffic.leave(counted);
  return result;
}

answer await(const record& who, std::uint32_t before) noexcept {
  for (const auto until = steady_clock::now() + patience;;) {
    if (inspected.answers.load(std::memory_order_acquire) != before) return answer::given;
    const auto now = steady_clock::now();
    if (who.is_closed()) return answer::ended;
    if (now >= until) return answer::not_in_time;
    futex_wait(inspected.answers, before, now + moment);
  }
}

}  // namespace

int inspection_signal() noexcept { return chosen; }

void inspection_after_fork() noexcept {
  std::construct_at(&one_at_a_time);
  inspected.wanted.store(nullptr, std::memory_order_relaxed);
}

answer inspect(record& who, inspection& found) noexcept {
  if (computation::is_here(&who)) {
    found.depth = unwind(found.stack.data(), found.stack.size());
    look(who, found);
    return answer::given;
  }
  const std::lock_guard lock(one_at_a_time);
  choose_signal();
  if (chosen == 0) return answer::no_signal;
  if (who.is_closed() || who.runner() == nullptr) return answer::ended;
  if (!lets_in(who, chosen)) return answer::blocked;
  const auto before = inspected.answers.load(std::memory_order_relaxed);
  inspected.wanted.store(&who, std::memory_order_release);
  answer result = send(who, chosen);
  if (result == answer::given) result = await(who, before);
  record* expected = &who;
  if (result != answer::given &&
      !inspected.wanted.compare_exchange_strong(expected, nullptr, std::memory_order_acquire)) {
    // The handler is looking: it will be done soon, and writes where the next one would.
    while (inspected.answers.load(std::memory_order_acquire) == before)
      futex_wait(inspected.answers, before);
    result = answer::given;
  }
  if (result == answer::given) found = inspected.found;
  return result;
}

}  // namespace sigexc::detail
