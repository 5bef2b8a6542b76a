// Through the C and C++ libraries: what they call back, and from where.
#include "construction.hpp"

#include <pthread.h>
#include <search.h>
#include <stdio.h>

#include <algorithm>
#include <any>
#include <array>
#include <charconv>
#include <chrono>
#include <coroutine>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <future>
#include <iostream>
#include <list>
#include <map>
#include <memory_resource>
#include <mutex>
#include <numeric>
#include <optional>
#include <regex>
#include <set>
#include <shared_mutex>
#include <sstream>
#include <stop_token>
#include <string>
#include <thread>
#include <unordered_map>
#include <variant>
#include <vector>

namespace sigexc::test {
namespace {

// The C library.
int compare(const void* a, const void* b) {
  point();
  return a < b ? -1 : a > b;
}
int compare_without_exceptions(const void* a, const void* b) noexcept {
  point();
  return a < b ? -1 : a > b;
}
CONSTRUCTION(qsort_comparing) {
  int numbers[] = {3, 1, 2};
  std::qsort(numbers, 3, sizeof(int), compare);
}
CONSTRUCTION(qsort_comparing_without_exceptions) {
  int numbers[] = {3, 1, 2};
  std::qsort(numbers, 3, sizeof(int), compare_without_exceptions);
}
CONSTRUCTION(qsort_caught_outside) {
  try {
    int numbers[] = {3, 1, 2};
    std::qsort(numbers, 3, sizeof(int), compare);
  } catch (const base&) {
  }
}
CONSTRUCTION(bsearch_comparing) {
  const int numbers[] = {1, 2, 3};
  if (std::bsearch(numbers, numbers, 3, sizeof(int), compare) == nullptr) opaque();
}
CONSTRUCTION(tsearch_comparing) {
  static int numbers[] = {1, 2, 3};
  void* root = nullptr;
  tsearch(&numbers[0], &root, compare);
  tsearch(&numbers[1], &root, compare);
}
CONSTRUCTION(twalk_visiting) {
  static int number = 1;
  void* root = nullptr;
  tsearch(&number, &root, [](const void*, const void*) { return 0; });
  twalk(root, [](const void*, VISIT, int) { point(); });
}
CONSTRUCTION(tdestroy_freeing) {
  static int number = 1;
  void* root = nullptr;
  tsearch(&number, &root, [](const void*, const void*) { return 0; });
  tdestroy(root, [](void*) { point(); });
}
CONSTRUCTION(pthread_once_initializing) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, [] { point(); });
}
CONSTRUCTION(pthread_once_under_a_noexcept) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  const auto outer = []() noexcept { pthread_once(&once, [] { point(); }); };
  outer();
}
CONSTRUCTION(cookie_of_a_stream) {
  cookie_io_functions_t functions{};
  functions.write = [](void*, const char*, std::size_t size) {
    point();
    return static_cast<ssize_t>(size);
  };
  FILE* const stream = fopencookie(nullptr, "w", functions);
  fputs("text", stream);
  fflush(stream);
}
CONSTRUCTION(no_tables) {
  call_without_tables([] { point(); });
}
CONSTRUCTION(caught_before_no_tables) {
  call_without_tables([] {
    try {
      point();
    } catch (const base&) {
    }
  });
}

// Algorithms.
CONSTRUCTION(sort_comparing) {
  std::vector<std::string> words{"c", "a", "b"};
  std::sort(words.begin(), words.end(), [](const auto& a, const auto& b) {
    point();
    return a < b;
  });
}
CONSTRUCTION(sort_comparing_without_exceptions) {
  std::vector<int> numbers{3, 1, 2};
  std::sort(numbers.begin(), numbers.end(), [](int a, int b) noexcept {
    point();
    return a < b;
  });
}
CONSTRUCTION(stable_sort_comparing) {
  std::vector<std::string> words(100, "word");
  std::stable_sort(words.begin(), words.end(), [](const auto& a, const auto& b) {
    point();
    return a < b;
  });
}
CONSTRUCTION(for_each_and_transform) {
  std::vector<std::string> words(3, "word");
  std::transform(words.begin(), words.end(), words.begin(), [](const std::string& word) {
    point();
    return word + word;
  });
}
CONSTRUCTION(map_comparing) {
  struct less {
    bool operator()(const std::string& a, const std::string& b) const {
      point();
      return a < b;
    }
  };
  std::map<std::string, int, less> numbers;
  numbers["one"] = 1;
  numbers["two"] = 2;
}
CONSTRUCTION(unordered_map_hashing) {
  struct hash {
    std::size_t operator()(const std::string& text) const {
      point();
      return text.size();
    }
  };
  std::unordered_map<std::string, int, hash> numbers;
  numbers.emplace("one", 1);
}
CONSTRUCTION(set_inserting) {
  struct element {
    element() = default;
    element(const element&) { point(); }
    bool operator<(const element&) const { return false; }
  };
  std::set<element> all;
  all.insert(element());
}
CONSTRUCTION(list_filling) {
  struct element {
    element() = default;
    element(const element&) { point(); }
  };
  const std::list<element> all(3, element());
}
template <class T>
struct allocating : std::allocator<T> {
  allocating() = default;
  template <class U>
  allocating(const allocating<U>&) {}
  T* allocate(std::size_t size) {
    point();
    return std::allocator<T>::allocate(size);
  }
};
CONSTRUCTION(vector_allocating) {
  const std::vector<std::string, allocating<std::string>> words(3);
}
CONSTRUCTION(memory_resource_allocating) {
  struct resource : std::pmr::memory_resource {
    void* do_allocate(std::size_t size, std::size_t) override {
      point();
      return ::operator new(size);
    }
    void do_deallocate(void* what, std::size_t, std::size_t) override { ::operator delete(what); }
    bool do_is_equal(const memory_resource& other) const noexcept override {
      return this == &other;
    }
  };
  resource all;
  const std::pmr::vector<int> numbers(10, &all);
}

// Vocabulary types.
CONSTRUCTION(function) {
  const std::function<void(int)> act = [](int) { point(); };
  act(1);
}
CONSTRUCTION(function_of_a_noexcept_lambda) {
  const std::function<void()> act = []() noexcept { point(); };
  act();
}
CONSTRUCTION(bind_and_invoke) {
  const auto act = std::bind([](const std::string&) { point(); }, std::string(50, 'x'));
  std::invoke(act);
}
CONSTRUCTION(visit_of_a_variant) {
  std::variant<int, std::string> one = std::string(50, 'x');
  std::visit([](auto&) { point(); }, one);
}
CONSTRUCTION(visit_of_two_variants) {
  std::variant<int, std::string> one = std::string(50, 'x');
  std::variant<char, double> two = 2.0;
  std::visit([](auto&, auto&) { point(); }, one, two);
}
CONSTRUCTION(variant_among_locals) {
  std::variant<int, std::string, std::vector<int>, std::unique_ptr<int>> one = std::vector<int>(3);
  if (is_true) one = std::string(50, 'x');
  point();
}
CONSTRUCTION(any_copying) {
  struct content {
    content() = default;
    content(const content&) { point(); }
  };
  const std::any one(std::in_place_type<content>);
  const std::any other = one;
}
CONSTRUCTION(any_among_locals) {
  const std::any one = std::string(50, 'x');
  point();
}
CONSTRUCTION(optional_copying) {
  struct content {
    content() = default;
    content(const content&) { point(); }
  };
  const std::optional<content> one(std::in_place);
  [[maybe_unused]] const std::optional<content> other = one;
}
CONSTRUCTION(tuple_constructing) {
  struct content {
    content(int) { point(); }
  };
  const std::tuple<std::string, content, std::string> all("a", 1, "b");
}
CONSTRUCTION(apply_to_a_tuple) {
  std::apply([](const std::string&, int) { point(); }, std::make_tuple(std::string("a"), 1));
}

// Streams, which catch what is thrown in them.
struct buffer : std::streambuf {
  int_type overflow(int_type what) override {
    point();
    return what;
  }
};
CONSTRUCTION(stream_writing) {
  buffer into;
  std::ostream out(&into);
  out << 1;
}
CONSTRUCTION(stream_writing_with_exceptions) {
  buffer into;
  std::ostream out(&into);
  out.exceptions(std::ios::badbit);
  out << "text";
}
struct printed {
  friend std::ostream& operator<<(std::ostream& out, const printed&) {
    point();
    return out;
  }
};
CONSTRUCTION(stream_operator) {
  std::ostringstream out;
  out << 1 << printed() << 2;
}
CONSTRUCTION(regex_searching) {
  const std::regex pattern("a+b");
  std::smatch found;
  const std::string text = "xaab";
  if (std::regex_search(text, found, pattern)) point();
}

// Locks and threads.
CONSTRUCTION(lock_guard) {
  static std::mutex mutex;
  const std::lock_guard lock(mutex);
  point();
}
CONSTRUCTION(unique_and_scoped_locks) {
  static std::mutex one, two;
  static std::shared_mutex shared;
  std::unique_lock first(shared);
  const std::scoped_lock both(one, two);
  first.unlock();
  point();
}
CONSTRUCTION(call_once_initializing) {
  static std::once_flag once;
  std::call_once(once, [] { point(); });
}
CONSTRUCTION(call_once_under_a_noexcept) {
  static std::once_flag once;
  const auto outer = []() noexcept { std::call_once(once, [] { point(); }); };
  outer();
}
CONSTRUCTION(thread_top) {
  std::thread([] { point(); }).join();
}
CONSTRUCTION(thread_catching) {
  std::thread([] {
    try {
      point();
    } catch (...) {
    }
  }).join();
}
CONSTRUCTION(jthread_top) {
  const std::jthread one([] { point(); });
}
CONSTRUCTION(pthread_top) {
  pthread_t one{};
  const auto body = [](void*) -> void* {
    point();
    return nullptr;
  };
  pthread_create(&one, nullptr, body, nullptr);
  pthread_join(one, nullptr);
}
CONSTRUCTION(pthread_catching) {
  pthread_t one{};
  const auto body = [](void*) -> void* {
    try {
      local two;
      point();
    } catch (const base&) {
    }
    return nullptr;
  };
  pthread_create(&one, nullptr, body, nullptr);
  pthread_join(one, nullptr);
}
CONSTRUCTION(jthread_among_locals) {
  const std::jthread one([] {});
  point();
}
// A std::thread that is joinable terminates when it is destroyed; one that is not does not. The
// pad, or the function that it calls, contains both.
HELD_CONSTRUCTION(joined_thread_among_locals) {
  std::thread one([] {});
  one.join();
  point();
}
CONSTRUCTION(async) {
  auto result = std::async(std::launch::async, [] { point(); });
  try {
    result.get();
  } catch (const base&) {
  }
}
CONSTRUCTION(deferred_async) {
  auto result = std::async(std::launch::deferred, [] { point(); });
  try {
    result.get();
  } catch (const base&) {
  }
}
CONSTRUCTION(packaged_task) {
  std::packaged_task<void()> task([] { point(); });
  task();
}
CONSTRUCTION(future_and_promise_among_locals) {
  std::promise<std::string> promise;
  const auto future = promise.get_future();
  promise.set_value("text");
  point();
}
CONSTRUCTION(stop_callback) {
  std::stop_source source;
  const std::stop_callback callback(source.get_token(), [] { point(); });
  source.request_stop();
}

// Coroutines.
struct task {
  struct promise_type {
    task get_return_object() { return {std::coroutine_handle<promise_type>::from_promise(*this)}; }
    std::suspend_always initial_suspend() noexcept { return {}; }
    std::suspend_always final_suspend() noexcept { return {}; }
    void return_void() {}
    void unhandled_exception() { thrown = std::current_exception(); }
    std::exception_ptr thrown;
  };
  std::coroutine_handle<promise_type> handle;
};
struct throwing_task {
  struct promise_type {
    throwing_task get_return_object() {
      return {std::coroutine_handle<promise_type>::from_promise(*this)};
    }
    std::suspend_always initial_suspend() noexcept { return {}; }
    std::suspend_always final_suspend() noexcept { return {}; }
    void return_void() {}
    void unhandled_exception() { throw; }
  };
  std::coroutine_handle<promise_type> handle;
};
task keeps() {
  opaque_local one;
  point();
  co_return;
}
throwing_task throws() {
  opaque_local one;
  point();
  co_return;
}
struct awaiting {
  bool await_ready() const noexcept {
    point();
    return true;
  }
  void await_suspend(std::coroutine_handle<>) const noexcept {}
  void await_resume() const noexcept {}
};
task awaits() { co_await awaiting(); }
CONSTRUCTION(coroutine_that_keeps_exceptions) {
  const auto one = keeps();
  one.handle.resume();
  one.handle.destroy();
}
CONSTRUCTION(coroutine_that_throws_exceptions) {
  const auto one = throws();
  one.handle.resume();
}
CONSTRUCTION(coroutine_in_a_noexcept_await) {
  const auto one = awaits();
  one.handle.resume();
}
CONSTRUCTION(coroutine_under_a_noexcept) {
  const auto outer = []() noexcept { throws().handle.resume(); };
  outer();
}
CONSTRUCTION(coroutine_destroyed) {
  struct at_end {
    ~at_end() { point(); }
  };
  const auto body = []() -> task {
    at_end one;
    co_await std::suspend_always();
  };
  const auto one = body();
  one.handle.resume();
  one.handle.destroy();
}

}  // namespace
}  // namespace sigexc::test
