// What it costs to resume a computation and to pause it, beside a bare switch of Boost.Context's
// fibers and back, ucontext's, and two threads that hand over to each other.
//
// All are one round: to the other side and back. Ours is done by a thread that is no target, by one
// that is (`_by_target`), and for 10,000 computations in turn, which are in no cache then. What it
// costs to be asked by another thread is the time from the question to the return of `resume()`,
// beside that of a flag that a fiber polls.
#include <sigexc/resumable.hpp>
#include <sigexc/sigexc.hpp>

#include <benchmark/benchmark.h>
#include <ucontext.h>

#include <atomic>
#include <boost/context/fiber.hpp>
#include <boost/context/protected_fixedsize_stack.hpp>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <semaphore>
#include <thread>
#include <utility>
#include <vector>

namespace {

using boost::context::fiber;
using clock = std::chrono::steady_clock;

constexpr std::size_t stack_size = std::size_t{64} * 1024;
constexpr std::size_t many = 10'000;

// Pauses whenever it is resumed.
class pausing {
 public:
  pausing() : work_([this] { pause_for_ever(); }, stack_size) { work_.resume(); }
  pausing(const pausing&) = delete;
  pausing& operator=(const pausing&) = delete;
  ~pausing() = default;
  void resume() { work_.resume(); }

 private:
  [[gnu::noinline]] void pause_for_ever() const {
    for (;;) {
      work_.pause();
      sigexc::safe_point();
    }
  }

  sigexc::resumable<void> work_;
};

// With a guard behind its stack, as ours have.
auto guarded() { return boost::context::protected_fixedsize_stack(stack_size); }

// Until it is destroyed, which unwinds it.
fiber switching_fiber() {
  return fiber(std::allocator_arg, guarded(), [](fiber&& back) {
    for (;;) back = std::move(back).resume();
    return std::move(back);
  });
}

void resume_and_pause(benchmark::State& state) {
  pausing one;
  for (auto _ : state) one.resume();
}

void resume_and_pause_by_target(benchmark::State& state) {
  const sigexc::enrollment here;
  pausing one;
  for (auto _ : state) one.resume();
}

void boost_fiber(benchmark::State& state) {
  fiber one = switching_fiber();
  for (auto _ : state) one = std::move(one).resume();
}

// With a function on each side between the switch and who asks for it, as any wrapper has that is
// not inlined: the processor does not foresee where it returns to, after the stacks have changed.
[[gnu::noinline]] void switch_to(fiber& other) {
  other = std::move(other).resume();
  benchmark::ClobberMemory();  // no tail call
}
void boost_fiber_in_functions(benchmark::State& state) {
  fiber one(std::allocator_arg, guarded(), [](fiber&& back) {
    for (;;) switch_to(back);
    return std::move(back);
  });
  for (auto _ : state) switch_to(one);
}

struct two_contexts {
  ucontext_t outside{};
  ucontext_t inside{};
};
two_contexts* contexts = nullptr;  // makecontext passes on integers only

void switch_for_ever() {
  for (;;) swapcontext(&contexts->inside, &contexts->outside);
}

void ucontext_switch(benchmark::State& state) {
  two_contexts both;
  std::vector<char> stack(stack_size);
  contexts = &both;
  getcontext(&both.inside);
  both.inside.uc_stack.ss_sp = stack.data();
  both.inside.uc_stack.ss_size = stack.size();
  makecontext(&both.inside, switch_for_ever, 0);
  for (auto _ : state) swapcontext(&both.outside, &both.inside);
}

void threads_with_semaphores(benchmark::State& state) {
  std::binary_semaphore there(0);
  std::binary_semaphore back(0);
  std::atomic<bool> is_over = false;
  const std::jthread other([&] {
    for (;;) {
      there.acquire();
      if (is_over) return;
      back.release();
    }
  });
  for (auto _ : state) {
    there.release();
    back.acquire();
  }
  is_over = true;
  there.release();
}

void threads_with_condition_variables(benchmark::State& state) {
  std::mutex mutex;
  std::condition_variable changed;
  enum class turn { here, there, nobodys } whose = turn::here;
  const std::jthread other([&] {
    std::unique_lock lock(mutex);
    for (;;) {
      changed.wait(lock, [&] { return whose != turn::here; });
      if (whose == turn::nobodys) return;
      whose = turn::here;
      changed.notify_one();
    }
  });
  for (auto _ : state) {
    std::unique_lock lock(mutex);
    whose = turn::there;
    changed.notify_one();
    changed.wait(lock, [&] { return whose == turn::here; });
  }
  const std::lock_guard lock(mutex);
  whose = turn::nobodys;
  changed.notify_one();
}

void resume_and_pause_many_in_turn(benchmark::State& state) {
  std::vector<std::unique_ptr<pausing>> all;
  for (std::size_t i = 0; i < many; ++i) all.push_back(std::make_unique<pausing>());
  std::size_t next = 0;
  for (auto _ : state) {
    all[next]->resume();
    if (++next == many) next = 0;
  }
}

void boost_fiber_many_in_turn(benchmark::State& state) {
  std::vector<fiber> all;
  for (std::size_t i = 0; i < many; ++i) all.push_back(switching_fiber().resume());
  std::size_t next = 0;
  for (auto _ : state) {
    all[next] = std::move(all[next]).resume();
    if (++next == many) next = 0;
  }
}

// Made, run to its end, destroyed.
void make_and_run(benchmark::State& state) {
  for (auto _ : state) {
    sigexc::resumable work([] {}, stack_size);
    work.resume();
  }
}

// Made, and destroyed while it is paused, which unwinds it by an exception.
void make_and_unwind(benchmark::State& state) {
  for (auto _ : state) const pausing one;
}

void make_and_run_boost_fiber(benchmark::State& state) {
  for (auto _ : state) {
    fiber one(std::allocator_arg, guarded(), [](fiber&& back) { return std::move(back); });
    one = std::move(one).resume();
  }
}

void make_and_unwind_boost_fiber(benchmark::State& state) {
  for (auto _ : state) {
    fiber one(std::allocator_arg, guarded(), [](fiber&& back) {
      back = std::move(back).resume();
      return std::move(back);
    });
    one = std::move(one).resume();
  }
}

void make_and_join_thread(benchmark::State& state) {
  for (auto _ : state) std::thread([] {}).join();
}

// Another thread, which asks when the question can be answered, and notes when it has asked.
template <class Ask>
class asker {
 public:
  explicit asker(Ask ask) : ask_(std::move(ask)), thread_([this] { work(); }) {}
  asker(const asker&) = delete;
  asker& operator=(const asker&) = delete;
  ~asker() { said_ = over; }

  // By who is to be asked: from now on.
  void expect() { said_.store(asked, std::memory_order_release); }
  // When it was asked.
  [[nodiscard]] clock::time_point asked_at() const {
    while (said_.load(std::memory_order_acquire) != nothing) continue;
    return asked_at_;
  }

 private:
  enum word { nothing, asked, over };
  void work() {
    for (;;) {
      word now = said_.load(std::memory_order_acquire);
      if (now == over) return;
      if (now == nothing) continue;
      asked_at_ = clock::now();
      ask_();
      said_.compare_exchange_strong(now, nothing, std::memory_order_release);
    }
  }

  Ask ask_;
  std::atomic<word> said_{nothing};
  clock::time_point asked_at_;  // written before `said_` is nothing again, read after that
  std::jthread thread_;
};

void pause_by_another_thread(benchmark::State& state) {
  asker<std::function<void()>>* other = nullptr;
  std::atomic<bool> has_begun = false;
  sigexc::resumable<void> work(
      [&] {
        for (;;) {
          if (!has_begun.exchange(true)) other->expect();
          sigexc::safe_point();
        }
      },
      stack_size);
  asker<std::function<void()>> asking([&] { work.pause(); });
  other = &asking;
  for (auto _ : state) {
    has_begun = false;
    work.resume();
    const auto answered = clock::now();
    state.SetIterationTime(std::chrono::duration<double>(answered - asking.asked_at()).count());
  }
}

void flag_polled_by_boost_fiber(benchmark::State& state) {
  std::atomic<bool> is_asked = false;
  asker<std::function<void()>> asking([&] { is_asked.store(true, std::memory_order_release); });
  fiber work(std::allocator_arg, guarded(), [&](fiber&& back) {
    for (;;) {
      asking.expect();
      while (!is_asked.load(std::memory_order_acquire)) continue;
      is_asked.store(false, std::memory_order_relaxed);
      back = std::move(back).resume();
    }
    return std::move(back);
  });
  for (auto _ : state) {
    work = std::move(work).resume();
    const auto answered = clock::now();
    state.SetIterationTime(std::chrono::duration<double>(answered - asking.asked_at()).count());
  }
}

BENCHMARK(boost_fiber);
BENCHMARK(boost_fiber_in_functions);
BENCHMARK(resume_and_pause);
BENCHMARK(resume_and_pause_by_target);
BENCHMARK(ucontext_switch);
BENCHMARK(threads_with_semaphores)->UseRealTime();
BENCHMARK(threads_with_condition_variables)->UseRealTime();
BENCHMARK(boost_fiber_many_in_turn);
BENCHMARK(resume_and_pause_many_in_turn);
BENCHMARK(make_and_run_boost_fiber);
BENCHMARK(make_and_run);
BENCHMARK(make_and_unwind_boost_fiber);
BENCHMARK(make_and_unwind);
BENCHMARK(make_and_join_thread)->UseRealTime();
BENCHMARK(flag_polled_by_boost_fiber)->UseManualTime()->Iterations(100'000);
BENCHMARK(pause_by_another_thread)->UseManualTime()->Iterations(100'000);

}  // namespace

BENCHMARK_MAIN();
