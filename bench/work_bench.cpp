// Whole programs, with safe points and without: what a user pays who is never interrupted.
//
// - A query: SQLite sorts and joins; its progress handler asks whether something is pending, as an
//   exception must not leave through SQLite's frames, and the safe point comes after the query. Or
//   nothing is asked at all, and `with_wake` calls the query off.
// - A planner: A* on a grid with walls, a safe point for each neighbour that it looks at.
// - A merge join of two sorted tables in memory, a safe point for each row: the tightest loop that
//   anyone would put one into.
#include <sigexc/foreign.hpp>
#include <sigexc/sigexc.hpp>

#include <benchmark/benchmark.h>
#include <sqlite3.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <queue>
#include <random>
#include <utility>
#include <vector>

namespace {

struct plain {
  static void poll() {}
};
struct with_safe_points {
  static void poll() { sigexc::safe_point(); }
};

// A query

class database {
 public:
  database() {
    if (::sqlite3_open(":memory:", &handle_) != SQLITE_OK) std::abort();
    run("create table part (id integer primary key, kind integer, weight real);"
        "with recursive n(i) as (select 1 union all select i + 1 from n where i < 20000)"
        "insert into part select i, i * 7919 % 101, i * 31 % 977 from n;");
  }
  database(const database&) = delete;
  database& operator=(const database&) = delete;
  ~database() { ::sqlite3_close(handle_); }

  void run(const char* statements) {
    if (::sqlite3_exec(handle_, statements, nullptr, nullptr, nullptr) != SQLITE_OK) std::abort();
  }
  void query() {
    run("select kind, count(*), avg(weight) from (select a.kind, b.weight from part a join part b"
        " on b.id = a.weight + 1 order by b.weight, a.kind) group by kind;");
  }
  [[nodiscard]] sqlite3* handle() const { return handle_; }

 private:
  sqlite3* handle_ = nullptr;
};

void query_plain(benchmark::State& state) {
  database parts;
  for (auto _ : state) parts.query();
}

void query_with_safe_points(benchmark::State& state) {
  const sigexc::enrollment here;
  database parts;
  constexpr int instructions = 100;  // of SQLite's machine, between two questions
  ::sqlite3_progress_handler(
      parts.handle(), instructions, [](void*) { return sigexc::interrupt_pending() ? 1 : 0; },
      nullptr);
  for (auto _ : state) {
    parts.query();
    sigexc::safe_point();
  }
}

void query_with_wake(benchmark::State& state) {
  const sigexc::enrollment here;
  database parts;
  for (auto _ : state)
    sigexc::with_wake([&] { ::sqlite3_interrupt(parts.handle()); }, [&] { parts.query(); });
}

BENCHMARK(query_plain)->Unit(benchmark::kMicrosecond);
BENCHMARK(query_with_safe_points)->Unit(benchmark::kMicrosecond);
BENCHMARK(query_with_wake)->Unit(benchmark::kMicrosecond);

// A planner

class grid {
 public:
  static constexpr int side = 256;
  static constexpr int cells = side * side;

  // A third of it is walls, the same ones each time.
  grid() : is_wall_(cells) {
    std::minstd_rand random(1);
    for (int cell = 0; cell < cells; ++cell) is_wall_.at(index(cell)) = random() % 3 == 0;
    is_wall_.front() = is_wall_.back() = 0;
  }

  // How many steps it is from the first cell to the last one; or all that can be reached are seen.
  template <class Kind>
  [[gnu::noinline]] int plan() const {
    using entry = std::pair<int, int>;  // the least length of a way through a cell, and the cell
    std::priority_queue<entry, std::vector<entry>, std::greater<>> open;
    std::vector<int> steps(cells, cells);
    steps.front() = 0;
    open.emplace(rest(0), 0);
    while (!open.empty()) {
      const auto [length, cell] = open.top();
      open.pop();
      if (cell == cells - 1) return length;
      for (const int step : {-1, 1, -side, side}) {
        Kind::poll();
        const int next = cell + step;
        if (!is_free(cell, next)) continue;
        const int taken = steps[index(cell)] + 1;
        if (taken >= steps[index(next)]) continue;
        steps[index(next)] = taken;
        open.emplace(taken + rest(next), next);
      }
    }
    return cells;
  }

 private:
  static std::size_t index(int cell) { return static_cast<std::size_t>(cell); }
  static int rest(int cell) { return 2 * (side - 1) - cell % side - cell / side; }
  [[nodiscard]] bool is_free(int from, int to) const {
    if (to < 0 || to >= cells) return false;
    if (std::abs(to % side - from % side) > 1) return false;  // over an edge
    return is_wall_[index(to)] == 0;
  }

  std::vector<char> is_wall_;
};

template <class Kind>
void planner(benchmark::State& state) {
  const sigexc::enrollment here;
  const grid cells;
  for (auto _ : state) benchmark::DoNotOptimize(cells.plan<Kind>());
}
BENCHMARK(planner<plain>)->Name("planner_plain")->Unit(benchmark::kMicrosecond);
BENCHMARK(planner<with_safe_points>)
    ->Name("planner_with_safe_points")
    ->Unit(benchmark::kMicrosecond);

// A merge join

struct row {
  std::uint32_t key;
  std::uint32_t value;
};

std::vector<row> sorted_table(std::uint32_t seed) {
  std::minstd_rand random(seed);
  std::vector<row> table(200'000);
  for (row& one : table)
    one = {static_cast<std::uint32_t>(random() % 400'000), static_cast<std::uint32_t>(random())};
  std::sort(table.begin(), table.end(), [](row a, row b) { return a.key < b.key; });
  return table;
}

// The sum over all pairs of rows with the same key.
template <class Kind>
[[gnu::noinline]] std::uint64_t join(const std::vector<row>& left, const std::vector<row>& right) {
  std::uint64_t sum = 0;
  std::size_t first = 0;  // of the right rows that may match
  for (const row& one : left) {
    Kind::poll();
    while (first < right.size() && right[first].key < one.key) {
      Kind::poll();
      ++first;
    }
    for (std::size_t i = first; i < right.size() && right[i].key == one.key; ++i) {
      Kind::poll();
      sum += one.value ^ right[i].value;
    }
  }
  return sum;
}

template <class Kind>
void merge_join(benchmark::State& state) {
  const sigexc::enrollment here;
  const auto left = sorted_table(1);
  const auto right = sorted_table(2);
  for (auto _ : state) benchmark::DoNotOptimize(join<Kind>(left, right));
}
BENCHMARK(merge_join<plain>)->Name("join_plain")->Unit(benchmark::kMicrosecond);
BENCHMARK(merge_join<with_safe_points>)
    ->Name("join_with_safe_points")
    ->Unit(benchmark::kMicrosecond);

}  // namespace

BENCHMARK_MAIN();
