// Ways in which a raise may find the stack. Each construction calls a point at its place of
// interest; the runner (verdict_test.cpp) asks there for the verdict, and throws there in a child
// process to see the truth.
#pragma once

#include "unwind/examine.hpp"

#include <typeinfo>
#include <utility>
#include <vector>

namespace sigexc::test {

struct construction {
  const char* name;
  void (*run)();
  bool may_be_held;  // although a throw is survived: the listed exceptions to precision
};

inline std::vector<construction>& constructions() {
  static std::vector<construction> all;
  return all;
}

struct registration {
  registration(const char* name, void (*run)(), bool may_be_held = false) {
    constructions().push_back({name, run, may_be_held});
  }
};

// CONSTRUCTION(name) { ... }        verdict and truth have to agree
// HELD_CONSTRUCTION(name) { ... }   a verdict to hold is allowed, whatever the truth
#define CONSTRUCTION_OF(name, may_be_held)                                                    \
  static void name();                                                                         \
  static const ::sigexc::test::registration registration_of_##name{#name, name, may_be_held}; \
  static void name()
#define CONSTRUCTION(name) CONSTRUCTION_OF(name, false)
#define HELD_CONSTRUCTION(name) CONSTRUCTION_OF(name, true)

enum class purpose { nothing, asking, throwing };

struct outcome {
  bool was_reached = false;
  bool survives = false;
};

inline purpose what_for = purpose::nothing;
inline outcome* result = nullptr;  // shared with the parent process

// What is thrown at points that do not say otherwise.
struct base {
  virtual ~base() = default;
};
struct derived : base {};
struct stranger {};

// The point. Only the first one that a construction reaches counts.
template <class E>
[[gnu::noinline]] void point_of(E value) {
  if (std::exchange(result->was_reached, true)) return;
  if (what_for == purpose::throwing) throw value;
  result->survives = detail::examine(&typeid(E), detail::caller()).survives;
}

[[gnu::noinline]] inline void point() { point_of(derived()); }

// Code that compilers cannot look through.
void opaque() noexcept(false);
void opaque_noexcept() noexcept;
void call(void (*)());                            // calls it
void call_with(void (*)(void*), void*);           // likewise
void call_without_tables(void (*)());             // likewise; has no unwind tables
void call_under_specification(void (*)());        // likewise, under `throw(sigexc::test::stranger)`
void call_under_empty_specification(void (*)());  // likewise, under `throw()` of C++14
extern volatile bool is_true;

// An object with a destructor that compilers see, and have to call.
struct local {
  local() { ++alive; }
  local(const local&) { ++alive; }
  ~local() { --alive; }
  static inline int alive = 0;
};
// ... and one that they do not see.
struct opaque_local {
  opaque_local();
  ~opaque_local();
};

}  // namespace sigexc::test
