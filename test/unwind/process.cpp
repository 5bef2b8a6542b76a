// Where the process, not a function, calls: static storage, the end, signals.
#include "construction.hpp"

#include <csignal>
#include <cstdlib>

#include <pthread.h>

namespace sigexc::test {
namespace {

struct point_in_constructor {
  point_in_constructor() { point(); }
};
struct point_in_destructor {
  ~point_in_destructor() { point(); }
};
struct point_in_throwing_destructor {
  ~point_in_throwing_destructor() noexcept(false) { point(); }
};
struct point_caught_in_destructor {
  ~point_caught_in_destructor() {
    try {
      point();
    } catch (...) {
    }
  }
};
int reach() {
  point();
  return 1;
}

CONSTRUCTION(static_local) { static point_in_constructor one; }
CONSTRUCTION(static_local_initialized_by_a_call) {
  static const int one = reach();
  if (one == 2) opaque();
}
CONSTRUCTION(static_local_under_a_noexcept) {
  const auto outer = []() noexcept { static point_in_constructor one; };
  outer();
}
CONSTRUCTION(thread_local_constructor) {
  static thread_local point_in_constructor one;
  (void)&one;
}

// In the end an exception may well be caught by whoever called exit(): the process would go on half
// destroyed.
HELD_CONSTRUCTION(atexit_function) {
  std::atexit([] { point(); });
  std::exit(0);
}
HELD_CONSTRUCTION(atexit_function_caught_outside) {
  std::atexit([] { point(); });
  try {
    std::exit(0);
  } catch (const base&) {
  }
}
CONSTRUCTION(atexit_function_catching) {
  std::atexit([] {
    try {
      point();
    } catch (const base&) {
    }
  });
  std::exit(0);
}
CONSTRUCTION(static_destructor) {
  static point_in_destructor one;
  std::exit(0);
}
HELD_CONSTRUCTION(static_throwing_destructor) {
  static point_in_throwing_destructor one;
  std::exit(0);
}
CONSTRUCTION(static_destructor_catching) {
  static point_caught_in_destructor one;
  std::exit(0);
}
void run_in_a_thread(void* (*body)(void*)) {
  pthread_t one{};
  pthread_create(&one, nullptr, body, nullptr);
  pthread_join(one, nullptr);
}
CONSTRUCTION(thread_local_destructor) {
  run_in_a_thread([](void*) -> void* {
    static thread_local point_in_destructor one;
    (void)&one;
    return nullptr;
  });
}
CONSTRUCTION(thread_local_throwing_destructor) {
  run_in_a_thread([](void*) -> void* {
    static thread_local point_in_throwing_destructor one;
    (void)&one;
    return nullptr;
  });
}
CONSTRUCTION(thread_local_destructor_catching) {
  run_in_a_thread([](void*) -> void* {
    static thread_local point_caught_in_destructor one;
    (void)&one;
    return nullptr;
  });
}
CONSTRUCTION(pthread_key_destructor) {
  run_in_a_thread([](void*) -> void* {
    static pthread_key_t key;
    pthread_key_create(&key, [](void*) { point(); });
    pthread_setspecific(key, &key);
    return nullptr;
  });
}
// Thrown through the forced unwinding of pthread_exit.
CONSTRUCTION(destructor_while_pthread_exits) {
  run_in_a_thread([](void*) -> void* {
    const point_in_destructor one;
    pthread_exit(nullptr);
  });
}
CONSTRUCTION(caught_in_destructor_while_pthread_exits) {
  run_in_a_thread([](void*) -> void* {
    const point_caught_in_destructor one;
    pthread_exit(nullptr);
  });
}

// A signal's frame. The unwinder gets through; where the signal arrived, the tables often do not
// know of it, and what it interrupted may hold a lock.
void on_signal(void (*handler)(int)) {
  std::signal(SIGUSR1, handler);
  std::raise(SIGUSR1);
}
HELD_CONSTRUCTION(signal_handler) {
  on_signal([](int) { point(); });
}
HELD_CONSTRUCTION(signal_handler_caught_outside) {
  try {
    on_signal([](int) { point(); });
  } catch (...) {
  }
}
CONSTRUCTION(signal_handler_catching) {
  on_signal([](int) {
    try {
      local one;
      point();
    } catch (const base&) {
    }
  });
}
CONSTRUCTION(signal_handler_without_exceptions) {
  on_signal([](int) noexcept { point(); });
}

}  // namespace
}  // namespace sigexc::test
