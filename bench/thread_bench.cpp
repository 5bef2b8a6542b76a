// What a target costs (P10): to start a thread that is one and to join it, to enroll one that is
// there, and its memory.
//
// Memory is what the heap has handed out: this program has the allocation functions itself, and the
// library calls those. The block of thread-local storage that each thread has comes to it.
#include <sigexc/sigexc.hpp>

#include <benchmark/benchmark.h>
#include <malloc.h>
#include <boost/thread.hpp>

#include <atomic>
#include <cstdlib>
#include <latch>
#include <new>
#include <thread>
#include <vector>

namespace {

// Bytes that are allocated, with what malloc adds to them.
std::atomic<std::int64_t> allocated{0};

void* allocate(std::size_t size) {
  void* const block = std::malloc(size);
  if (block == nullptr) throw std::bad_alloc();
  allocated.fetch_add(static_cast<std::int64_t>(::malloc_usable_size(block) + sizeof(std::size_t)),
                      std::memory_order_relaxed);
  return block;
}
void deallocate(void* block) noexcept {
  if (block == nullptr) return;
  allocated.fetch_sub(static_cast<std::int64_t>(::malloc_usable_size(block) + sizeof(std::size_t)),
                      std::memory_order_relaxed);
  std::free(block);
}

}  // namespace

void* operator new(std::size_t size) { return allocate(size); }
void operator delete(void* block) noexcept { deallocate(block); }
void operator delete(void* block, std::size_t) noexcept { deallocate(block); }

namespace {

void start_and_join_std(benchmark::State& state) {
  for (auto _ : state) std::thread([] {}).join();
}
void start_and_join_sigexc(benchmark::State& state) {
  for (auto _ : state) sigexc::thread([] {}).wait();
}
void start_and_join_boost(benchmark::State& state) {
  for (auto _ : state) boost::thread([] {}).join();
}
BENCHMARK(start_and_join_std)->UseRealTime();
BENCHMARK(start_and_join_sigexc)->UseRealTime();
BENCHMARK(start_and_join_boost)->UseRealTime();

void enroll_and_leave(benchmark::State& state) {
  for (auto _ : state) const sigexc::enrollment here;
}
BENCHMARK(enroll_and_leave);

// What a `Prepared` keeps allocated on each of so many threads.
constexpr int many = 64;
template <class Prepared>
void memory(benchmark::State& state) {
  double bytes = 0;
  for (auto _ : state) {
    std::latch are_there(many + 1);
    std::latch prepare_now(1);
    std::latch are_prepared(many + 1);
    std::latch end(1);
    std::vector<std::thread> all;
    all.reserve(many);
    for (int i = 0; i < many; ++i)
      all.emplace_back([&] {
        are_there.count_down();
        prepare_now.wait();
        const Prepared prepared;
        are_prepared.count_down();
        end.wait();
      });
    are_there.arrive_and_wait();
    const std::int64_t before = allocated;
    prepare_now.count_down();
    are_prepared.arrive_and_wait();
    bytes = static_cast<double>(allocated - before) / many;
    end.count_down();
    for (std::thread& one : all) one.join();
  }
  state.counters["bytes"] = bytes + sizeof(sigexc::detail::current);
}

// The first delivery adds the note of where it was, which `last_interrupt()` tells.
struct interrupted_once {
  const sigexc::enrollment here;
  interrupted_once() {
    try {
      here.get_target().interrupt(1);
      sigexc::safe_point();
    } catch (int) {
      return;
    }
  }
};

void memory_of_target(benchmark::State& state) { memory<sigexc::enrollment>(state); }
void memory_of_interrupted_target(benchmark::State& state) { memory<interrupted_once>(state); }
BENCHMARK(memory_of_target)->Iterations(3)->UseRealTime();
BENCHMARK(memory_of_interrupted_target)->Iterations(3)->UseRealTime();

}  // namespace

BENCHMARK_MAIN();
