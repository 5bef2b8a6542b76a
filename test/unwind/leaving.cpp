// Destructors: run when a scope is left, run by unwinding, and interrupted themselves.
#include "construction.hpp"

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace sigexc::test {
namespace {

CONSTRUCTION(nothing_around) { point(); }
CONSTRUCTION(one_local) {
  local one;
  point();
}
CONSTRUCTION(locals_seen_and_unseen) {
  opaque_local one;
  local two;
  opaque_local three;
  point();
}
CONSTRUCTION(local_in_a_loop) {
  for (int i = 0; i < 3; ++i) {
    opaque_local one;
    if (i == 2) point();
  }
}
CONSTRUCTION(array_of_locals) {
  opaque_local all[5];
  (void)all;
  point();
}
CONSTRUCTION(strings_and_vectors) {
  const std::vector<std::string> words(3, std::string(100, 'x'));
  std::string more = words[1] + "y";
  point();
}
CONSTRUCTION(temporary_in_a_condition) {
  const bool is_long = is_true;
  const std::string text = is_long ? std::string(40, 'a') + std::string(40, 'b') : std::string();
  point();
}
CONSTRUCTION(temporary_of_the_calling_expression) {
  const auto take = [](const std::string& text, int) { return text.size(); };
  const auto reach = [] {
    point();
    return 1;
  };
  if (take(std::string(50, 'x'), reach()) == 0) opaque();
}

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
struct point_caught_by_type_in_destructor {
  ~point_caught_by_type_in_destructor() {
    try {
      point();
    } catch (const base&) {
    }
  }
};
struct point_missed_in_destructor {
  ~point_missed_in_destructor() {
    try {
      point();
    } catch (const stranger&) {
    }
  }
};
template <class T>
struct around {
  local before;
  T member;
  local after;
};
template <class T>
struct deriving : T {
  local after;
};
template <class T>
struct deriving_virtually : virtual T {
  local after;
};

CONSTRUCTION(destructor_on_leaving) { point_in_destructor one; }
CONSTRUCTION(throwing_destructor_on_leaving) { point_in_throwing_destructor one; }
CONSTRUCTION(caught_in_destructor_on_leaving) { point_caught_in_destructor one; }
CONSTRUCTION(caught_by_type_in_destructor_on_leaving) { point_caught_by_type_in_destructor one; }
CONSTRUCTION(missed_in_destructor_on_leaving) { point_missed_in_destructor one; }
CONSTRUCTION(destructor_of_a_member) { around<point_in_destructor> one; }
CONSTRUCTION(throwing_destructor_of_a_member) { around<point_in_throwing_destructor> one; }
CONSTRUCTION(caught_in_destructor_of_a_member) { around<point_caught_in_destructor> one; }
CONSTRUCTION(destructor_of_a_base) { deriving<point_in_destructor> one; }
CONSTRUCTION(throwing_destructor_of_a_base) { deriving<point_in_throwing_destructor> one; }
CONSTRUCTION(throwing_destructor_of_a_virtual_base) {
  deriving_virtually<point_in_throwing_destructor> one;
}
CONSTRUCTION(destructor_of_an_array) {
  point_in_destructor all[3];
  (void)all;
}
CONSTRUCTION(throwing_destructor_of_an_array) {
  point_in_throwing_destructor all[3];
  (void)all;
}
CONSTRUCTION(destructor_of_a_temporary) { point_in_throwing_destructor(); }
CONSTRUCTION(deleted_throwing_destructor) { delete new point_in_throwing_destructor; }
CONSTRUCTION(deleted_array_of_throwing_destructors) {
  delete[] new point_in_throwing_destructor[2];
}
CONSTRUCTION(throwing_destructor_in_a_unique_ptr) {
  std::make_unique<point_in_throwing_destructor>();
}
CONSTRUCTION(throwing_destructor_in_an_optional) {
  std::optional<point_in_destructor> one(std::in_place);
  one.reset();
}
CONSTRUCTION(throwing_destructor_in_a_vector) { std::vector<point_in_throwing_destructor> all(2); }

// Run by unwinding: another exception is on its way already.
template <class T>
[[gnu::noinline]] void unwind_through() {
  T one;
  throw stranger();
}
template <class T>
void unwind_and_catch() {
  try {
    unwind_through<T>();
  } catch (const stranger&) {
  }
}
CONSTRUCTION(destructor_while_unwinding) { unwind_and_catch<point_in_destructor>(); }
CONSTRUCTION(throwing_destructor_while_unwinding) {
  unwind_and_catch<point_in_throwing_destructor>();
}
CONSTRUCTION(caught_in_destructor_while_unwinding) {
  unwind_and_catch<point_caught_in_destructor>();
}
CONSTRUCTION(caught_by_type_in_destructor_while_unwinding) {
  unwind_and_catch<point_caught_by_type_in_destructor>();
}
CONSTRUCTION(missed_in_destructor_while_unwinding) {
  unwind_and_catch<point_missed_in_destructor>();
}
CONSTRUCTION(throwing_destructor_of_a_member_while_unwinding) {
  unwind_and_catch<around<point_in_throwing_destructor>>();
}
CONSTRUCTION(caught_in_destructor_of_a_member_while_unwinding) {
  unwind_and_catch<around<point_caught_in_destructor>>();
}

struct calls_caught {
  ~calls_caught() {
    try {
      call([] { point(); });
    } catch (const base&) {
    }
  }
};
CONSTRUCTION(caught_deep_in_destructor_while_unwinding) { unwind_and_catch<calls_caught>(); }

struct calls_with_local {
  ~calls_with_local() {
    try {
      opaque_local one;
      call([] {
        local two;
        point();
      });
    } catch (const stranger&) {
    } catch (...) {
    }
  }
};
CONSTRUCTION(caught_with_locals_in_destructor_while_unwinding) {
  unwind_and_catch<calls_with_local>();
}

struct point_in_deleter {
  void operator()(int* what) const {
    delete what;
    point();
  }
};
CONSTRUCTION(deleter_of_a_unique_ptr) { std::unique_ptr<int, point_in_deleter> one(new int); }
CONSTRUCTION(deleter_of_a_unique_ptr_on_reset) {
  std::unique_ptr<int, point_in_deleter> one(new int);
  one.reset();
}
CONSTRUCTION(deleter_of_a_shared_ptr) { std::shared_ptr<int> one(new int, point_in_deleter()); }
CONSTRUCTION(local_shared_ptr) {
  const auto one = std::make_shared<std::string>(99, 'x');
  const auto other = one;
  point();
}

// Constructors.
struct point_in_constructor {
  point_in_constructor() { point(); }
};
struct point_in_initializer {
  point_in_initializer() : first(), second(reach()), third() {}
  static int reach() {
    point();
    return 1;
  }
  opaque_local first;
  int second;
  opaque_local third;
};
struct noexcept_constructor {
  noexcept_constructor() noexcept { point(); }
};
struct function_try_block {
  function_try_block() try : first() { point(); } catch (const base&) {  // rethrows at its end
  }
  opaque_local first;
};
CONSTRUCTION(constructor) { point_in_constructor one; }
CONSTRUCTION(constructor_of_a_member) { around<point_in_constructor> one; }
CONSTRUCTION(initializer_of_a_member) { point_in_initializer one; }
CONSTRUCTION(constructor_without_exceptions) { noexcept_constructor one; }
CONSTRUCTION(constructor_with_a_function_try_block) { function_try_block one; }
CONSTRUCTION(constructor_in_a_new_expression) { delete new point_in_constructor; }
CONSTRUCTION(constructor_in_an_array_new_expression) { delete[] new point_in_constructor[3]; }
CONSTRUCTION(constructor_of_an_array) {
  around<point_in_constructor> all[3];
  (void)all;
}
CONSTRUCTION(constructor_in_a_placement_new) {
  alignas(point_in_initializer) unsigned char room[sizeof(point_in_initializer)];
  std::destroy_at(new (room) point_in_initializer);
}

// Copies and moves, also those that compilers write.
struct point_in_copy {
  point_in_copy() = default;
  point_in_copy(const point_in_copy&) { point(); }
  point_in_copy& operator=(const point_in_copy&) {
    point();
    return *this;
  }
};
struct point_in_move {
  point_in_move() = default;
  point_in_move(point_in_move&&) { point(); }
};
struct point_in_noexcept_move {
  point_in_noexcept_move() = default;
  point_in_noexcept_move(point_in_noexcept_move&&) noexcept { point(); }
};
struct defaulted_copy {
  opaque_local first;
  point_in_copy second;
  opaque_local third;
};
struct defaulted_move {
  defaulted_move() = default;
  defaulted_move(defaulted_move&&) = default;
  std::string first;
  point_in_move second;
};
struct defaulted_noexcept_move {
  defaulted_noexcept_move() = default;
  defaulted_noexcept_move(defaulted_noexcept_move&&) noexcept = default;
  std::string first;
  point_in_move second;
};
CONSTRUCTION(defaulted_copy_constructor) {
  const defaulted_copy one;
  const defaulted_copy other = one;
}
CONSTRUCTION(defaulted_copy_assignment) {
  defaulted_copy one, other;
  other = one;
}
CONSTRUCTION(defaulted_move_constructor) {
  defaulted_move one;
  const defaulted_move other = std::move(one);
}
CONSTRUCTION(defaulted_move_constructor_without_exceptions) {
  defaulted_noexcept_move one;
  const defaulted_noexcept_move other = std::move(one);
}
CONSTRUCTION(move_without_exceptions) {
  point_in_noexcept_move one;
  [[maybe_unused]] const point_in_noexcept_move other = std::move(one);
}
CONSTRUCTION(growing_vector_copies) {
  std::vector<point_in_copy> all(1);
  all.reserve(100);
}
CONSTRUCTION(growing_vector_copies_under_a_noexcept) {  // the vector catches, and throws on
  const auto outer = []() noexcept {
    std::vector<point_in_copy> all(1);
    all.reserve(100);
  };
  outer();
}
CONSTRUCTION(growing_vector_moves) {
  std::vector<point_in_noexcept_move> all(1);
  all.reserve(100);
}

}  // namespace
}  // namespace sigexc::test
