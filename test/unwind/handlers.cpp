// Handlers: which catch clause takes it, and what lies before.
#include "construction.hpp"

#include <sigexc/exceptions.hpp>

#include <cstdlib>
#include <exception>
#include <stdexcept>
#include <string>
#include <thread>

namespace sigexc::test {
namespace {

CONSTRUCTION(catch_all) {
  try {
    point();
  } catch (...) {
  }
}
CONSTRUCTION(catch_the_type) {
  try {
    point();
  } catch (derived&) {
  }
}
CONSTRUCTION(catch_a_base) {
  try {
    point();
  } catch (const base&) {
  }
}
struct copied {
  copied() = default;
  copied(const copied&) { opaque(); }
};
CONSTRUCTION(catch_by_value) {
  try {
    point_of(copied());
  } catch (copied) {  // copied before the handler is entered
  }
}
CONSTRUCTION(catch_another) {
  try {
    point();
  } catch (const stranger&) {
  }
}
CONSTRUCTION(catch_several) {
  try {
    local one;
    point();
  } catch (const stranger&) {
  } catch (const std::string&) {
  } catch (const base&) {
  } catch (int) {
  }
}
CONSTRUCTION(catch_nested) {
  try {
    opaque_local one;
    try {
      opaque_local two;
      point();
    } catch (const stranger&) {
    }
  } catch (const base&) {
  }
}
CONSTRUCTION(catch_in_the_caller) {
  try {
    call([] {
      local one;
      call([] { point(); });
    });
  } catch (const derived&) {
  }
}

// Handlers inside functions that let nothing out: only those that take it save the process.
void catches_base() noexcept {
  try {
    point();
  } catch (const base&) {
  }
}
void catches_stranger() noexcept {
  try {
    point();
  } catch (const stranger&) {
  }
}
void catches_all() noexcept {
  try {
    local one;
    point();
  } catch (...) {
  }
}
void catches_stranger_or_all() noexcept {
  try {
    opaque_local one;
    point();
  } catch (const stranger&) {
    opaque();
  } catch (...) {
    opaque();
  }
}
void catches_stranger_then_base() noexcept {
  try {
    try {
      opaque_local one;
      point();
    } catch (const stranger&) {
      opaque();
    }
  } catch (const base&) {
    opaque();
  }
}
void catches_strangers_twice() noexcept {
  try {
    try {
      opaque_local one;
      point();
    } catch (const stranger&) {
      opaque();
    }
  } catch (int) {
    opaque();
  }
}
void catches_beside() noexcept {
  try {
    opaque();
  } catch (...) {
  }
  point();
}
CONSTRUCTION(noexcept_catching_a_base) { catches_base(); }
CONSTRUCTION(noexcept_catching_another) { catches_stranger(); }
CONSTRUCTION(noexcept_catching_all) { catches_all(); }
CONSTRUCTION(noexcept_catching_another_or_all) { catches_stranger_or_all(); }
CONSTRUCTION(noexcept_catching_another_then_a_base) { catches_stranger_then_base(); }
CONSTRUCTION(noexcept_catching_others_twice) { catches_strangers_twice(); }
CONSTRUCTION(noexcept_catching_elsewhere) { catches_beside(); }

// In a handler.
CONSTRUCTION(in_a_handler) {
  try {
    throw stranger();
  } catch (const stranger&) {
    point();
  }
}
CONSTRUCTION(in_a_catch_all) {
  try {
    throw stranger();
  } catch (...) {
    opaque_local one;
    point();
  }
}
CONSTRUCTION(in_a_handler_inside_a_try) {
  try {
    try {
      throw stranger();
    } catch (const stranger&) {
      point();
    }
  } catch (const base&) {
  }
}
CONSTRUCTION(try_inside_a_handler) {
  try {
    throw stranger();
  } catch (const stranger&) {
    try {
      point();
    } catch (...) {
    }
  }
}
void handles_without_exceptions() noexcept {
  try {
    throw stranger();
  } catch (...) {
    point();
  }
}
CONSTRUCTION(in_a_handler_of_a_noexcept) { handles_without_exceptions(); }
CONSTRUCTION(rethrown_by_a_handler) {
  try {
    point();
  } catch (...) {
    opaque();
    throw;
  }
}
void rethrow() { throw; }
void rethrows() noexcept {
  try {
    point();
  } catch (const stranger&) {
    rethrow();
  }
}
CONSTRUCTION(rethrown_by_another_handler_of_a_noexcept) { rethrows(); }
[[gnu::always_inline]] inline void rethrows_all() {
  try {
    point();
  } catch (...) {
    opaque();
    throw;
  }
}
[[gnu::always_inline]] inline void rethrows_some() {
  try {
    opaque_local one;
    point();
  } catch (const base&) {
    if (is_true) throw;
    opaque();
  }
}
void rethrows_into_a_try() noexcept {
  try {
    try {
      point();
    } catch (...) {
      opaque_local one;
      throw;
    }
  } catch (const derived&) {
    opaque();
  }
}
void rethrows_by_a_call() noexcept {
  try {
    point();
  } catch (...) {
    rethrow();
  }
}
CONSTRUCTION(rethrown_by_a_handler_of_a_noexcept) {
  const auto outer = []() noexcept { rethrows_all(); };
  outer();
}
CONSTRUCTION(rethrown_by_a_handler_of_a_noexcept_sometimes) {
  const auto outer = []() noexcept { rethrows_some(); };
  outer();
}
CONSTRUCTION(rethrown_into_a_try_of_a_noexcept) { rethrows_into_a_try(); }
CONSTRUCTION(rethrown_by_a_call_in_a_noexcept) { rethrows_by_a_call(); }
CONSTRUCTION(in_a_handler_of_a_rethrow) {
  try {
    try {
      throw stranger();
    } catch (...) {
      throw;
    }
  } catch (...) {
    point();
  }
}
CONSTRUCTION(in_a_handler_of_an_exception_ptr) {
  try {
    std::rethrow_exception(std::make_exception_ptr(stranger()));
  } catch (const stranger&) {
    point();
  }
}

// Function-try-blocks.
void function_catches_all() noexcept try { point(); } catch (...) {
}
void function_catches_another() noexcept try { point(); } catch (const stranger&) {
}
CONSTRUCTION(function_try_block_catching_all) { function_catches_all(); }
CONSTRUCTION(function_try_block_catching_another) { function_catches_another(); }

// Types as the runtime matches them. The functions are noexcept, so that a miss kills.
template <class Thrown, class Caught>
[[gnu::noinline]] void match(Thrown what) noexcept {
  try {
    point_of<Thrown>(what);
  } catch (Caught) {
  }
}
struct left : virtual base {};
struct right : virtual base {};
struct diamond : left, right {};
struct left_copy : base {};
struct right_copy : base {};
struct twice : left_copy, right_copy {};
struct privately : private base {};
enum class color { red };

CONSTRUCTION(match_int) { match<int, int>(1); }
CONSTRUCTION(match_no_promotion) { match<char, int>('c'); }
CONSTRUCTION(match_enum) { match<color, color>(color::red); }
CONSTRUCTION(match_pointer_to_base) {
  static derived one;
  match<derived*, const base*>(&one);
}
CONSTRUCTION(match_pointer_to_derived) {
  static derived one;
  match<base*, derived*>(&one);
}
CONSTRUCTION(match_void_pointer) {
  static int one;
  match<int*, const void*>(&one);
}
CONSTRUCTION(match_no_const_cast) { match<const char*, char*>("text"); }
CONSTRUCTION(match_null) { match<std::nullptr_t, void*>(nullptr); }
CONSTRUCTION(match_virtual_base) { match<diamond, const base&>(diamond()); }
CONSTRUCTION(match_ambiguous_base) { match<twice, const base&>(twice()); }
CONSTRUCTION(match_unambiguous_base) { match<twice, const left_copy&>(twice()); }
CONSTRUCTION(match_private_base) { match<privately, const base&>(privately()); }
CONSTRUCTION(match_standard_base) {
  match<std::runtime_error, const std::exception&>(std::runtime_error("one"));
}
CONSTRUCTION(match_group) {
  match<exception_group, const interruption&>(
      exception_group({std::make_exception_ptr(1), std::make_exception_ptr(2)}));
}
CONSTRUCTION(match_group_as_exception) {
  match<exception_group, const std::exception&>(
      exception_group({std::make_exception_ptr(1), std::make_exception_ptr(2)}));
}
CONSTRUCTION(match_function_pointer) { match<void (*)(), void (*)()>(&opaque); }
CONSTRUCTION(match_function_pointer_to_noexcept) {
  match<void (*)() noexcept, void (*)()>(&opaque_noexcept);
}
CONSTRUCTION(match_member_pointer) {
  match<int std::pair<int, int>::*, int std::pair<int, int>::*>(&std::pair<int, int>::first);
}

// Handlers that throw something else, or terminate in their own time.
[[gnu::noinline]] void translate() {
  try {
    point();
  } catch (...) {
    throw std::runtime_error("translated");
  }
}
CONSTRUCTION(translated_in_a_noexcept_function) {
  []() noexcept {
    translate();
    opaque();
  }();
}
CONSTRUCTION(translated_and_caught) {
  try {
    translate();
  } catch (...) {
  }
}
HELD_CONSTRUCTION(translated_and_caught_by_type) {  // nobody looks what it is translated to
  try {
    translate();
  } catch (const std::runtime_error&) {
  }
}
CONSTRUCTION(translated_and_not_caught_by_the_old_type) {
  []() noexcept {
    try {
      translate();
    } catch (const base&) {
    }
  }();
}
[[gnu::noinline]] void nest() {
  try {
    point();
  } catch (...) {
    std::throw_with_nested(std::runtime_error("outer"));
  }
}
CONSTRUCTION(nested_in_a_noexcept_function) {
  []() noexcept {
    nest();
    opaque();
  }();
}
CONSTRUCTION(nested_and_caught) {
  try {
    nest();
  } catch (...) {
  }
}
[[gnu::noinline]] void rethrow_the_pointer() {
  try {
    point();
  } catch (...) {
    std::rethrow_exception(std::current_exception());
  }
}
CONSTRUCTION(rethrown_by_pointer_in_a_noexcept_function) {
  []() noexcept {
    rethrow_the_pointer();
    opaque();
  }();
}
CONSTRUCTION(handler_that_terminates_after_work) {
  try {
    point();
  } catch (...) {
    opaque();
    std::terminate();
  }
}
CONSTRUCTION(handler_of_another_type_and_one_that_terminates) {
  try {
    point();
  } catch (const stranger&) {
    opaque();
  } catch (...) {
    opaque();
    std::terminate();
  }
}
CONSTRUCTION(handler_that_joins_and_throws_on) {
  try {
    try {
      point();
    } catch (...) {
      std::thread([] {}).join();
      throw;
    }
  } catch (...) {
  }
}
CONSTRUCTION(handler_that_may_terminate) {
  try {
    point();
  } catch (...) {
    if (!is_true) std::terminate();
  }
}
CONSTRUCTION(handler_that_aborts) {
  try {
    point();
  } catch (...) {
    std::abort();
  }
}
[[gnu::noinline]] void choose_and_throw_on() {
  try {
    point();
  } catch (...) {
    switch (local::alive & 7) {
      case 0:
        opaque();
        break;
      case 1:
        local::alive = 4;
        break;
      case 2:
        opaque();
        local::alive = 8;
        break;
      case 3:
        opaque_noexcept();
        break;
      case 4:
        local::alive = 99;
        break;
      case 5:
        opaque();
        opaque();
        break;
      case 6:
        local::alive = 12;
        opaque_noexcept();
        break;
      default:
        opaque_noexcept();
        opaque();
        break;
    }
    throw;
  }
}
CONSTRUCTION(chosen_and_thrown_on_in_a_noexcept_function) {
  []() noexcept {
    choose_and_throw_on();
    opaque();
  }();
}

}  // namespace
}  // namespace sigexc::test
