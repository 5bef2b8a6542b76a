// Functions that let nothing out, called and inlined in every order with those that do.
#include "construction.hpp"

#include <memory>
#include <string>

namespace sigexc::test {
namespace {

[[gnu::noinline]] void not_inlined() noexcept { point(); }
[[gnu::noinline]] void not_inlined_with_locals() noexcept {
  opaque_local one;
  local two;
  point();
}
[[gnu::always_inline]] inline void inlined() noexcept { point(); }
[[gnu::always_inline]] inline void inlined_with_locals() noexcept {
  opaque_local one;
  point();
}
[[gnu::always_inline]] inline void inlined_throwing() {
  opaque_local one;
  point();
}
[[gnu::always_inline]] inline void inlined_caught() noexcept {
  try {
    opaque_local one;
    point();
  } catch (...) {
  }
}
[[gnu::always_inline]] inline void inlined_missed() noexcept {
  try {
    opaque_local one;
    point();
  } catch (const stranger&) {
  }
}
template <bool is_noexcept>
[[gnu::noinline]] void conditional() noexcept(is_noexcept) {
  local one;
  point();
}

CONSTRUCTION(noexcept_function) { not_inlined(); }
CONSTRUCTION(noexcept_function_with_locals) { not_inlined_with_locals(); }
CONSTRUCTION(noexcept_function_inside_a_try) {
  try {
    not_inlined();
  } catch (...) {
  }
}
CONSTRUCTION(noexcept_true) { conditional<true>(); }
CONSTRUCTION(noexcept_false) { conditional<false>(); }
CONSTRUCTION(noexcept_further_out) {
  const auto outer = []() noexcept {
    call([] {
      local one;
      point();
    });
  };
  outer();
}
CONSTRUCTION(inlined_noexcept) { inlined(); }
CONSTRUCTION(inlined_noexcept_beside_a_local) {
  opaque_local one;
  inlined();
}
CONSTRUCTION(inlined_noexcept_with_locals) { inlined_with_locals(); }
CONSTRUCTION(inlined_noexcept_inside_a_try) {
  try {
    inlined();
  } catch (...) {
  }
}
CONSTRUCTION(inlined_noexcept_with_locals_inside_a_try) {
  try {
    opaque_local one;
    inlined_with_locals();
  } catch (const base&) {
    opaque();
  }
}
CONSTRUCTION(inlined_noexcept_in_a_handler) {
  try {
    throw stranger();
  } catch (...) {
    inlined_with_locals();
  }
}
CONSTRUCTION(inlined_try_in_a_noexcept) { inlined_caught(); }
CONSTRUCTION(inlined_try_in_a_noexcept_inside_a_try) {
  try {
    opaque_local one;
    inlined_caught();
  } catch (const stranger&) {
  }
}
CONSTRUCTION(inlined_missing_try_in_a_noexcept) { inlined_missed(); }
CONSTRUCTION(inlined_missing_try_in_a_noexcept_inside_a_try) {
  try {
    opaque_local one;
    inlined_missed();
  } catch (...) {
    opaque();
  }
}
[[gnu::noinline]] void inlines_two() {
  inlined_throwing();
  opaque();
  inlined_with_locals();
}
CONSTRUCTION(inlined_beside_a_noexcept) { inlines_two(); }
[[gnu::noinline]] void inlines_into_noexcept() noexcept { inlined_throwing(); }
CONSTRUCTION(inlined_into_a_noexcept) { inlines_into_noexcept(); }
[[gnu::noinline]] void inlines_into_noexcept_try() noexcept {
  try {
    inlined_throwing();
  } catch (const derived&) {
    opaque();
  }
}
CONSTRUCTION(inlined_into_a_try_in_a_noexcept) { inlines_into_noexcept_try(); }
[[gnu::noinline]] void runs_after() noexcept {
  try {
    opaque_local one;
    opaque();
  } catch (const stranger&) {
    opaque();
  }
  opaque_local two;
  point();
}
CONSTRUCTION(after_a_try_in_a_noexcept) { runs_after(); }

CONSTRUCTION(noexcept_lambda) {
  [](int) noexcept { point(); }(1);
}
CONSTRUCTION(noexcept_lambda_called_elsewhere) {
  call_with(
      [](void* text) noexcept {
        const std::string copy = *static_cast<std::string*>(text);
        point();
      },
      std::make_unique<std::string>(50, 'x').get());
}
CONSTRUCTION(throwing_lambda_in_a_noexcept_lambda) {
  const auto outer = []() noexcept {
    const std::string text(70, 'x');
    const auto inner = [&text] {
      const std::string more = text + text;
      point();
    };
    inner();
  };
  outer();
}
CONSTRUCTION(throwing_lambda_inside_a_try_of_a_noexcept_lambda) {
  const auto outer = []() noexcept {
    const std::string text(70, 'x');
    try {
      const auto inner = [&text] {
        const std::string more = text + text;
        point();
      };
      inner();
    } catch (const base&) {
    }
  };
  outer();
}

// Virtual functions.
struct interface {
  virtual ~interface() = default;
  virtual void act() = 0;
  virtual void act_noexcept() noexcept = 0;
};
struct implementation : interface {
  void act() override { point(); }
  void act_noexcept() noexcept override { point(); }
};
std::unique_ptr<interface> make() { return std::make_unique<implementation>(); }
CONSTRUCTION(virtual_function) { make()->act(); }
CONSTRUCTION(virtual_noexcept_function) { make()->act_noexcept(); }
CONSTRUCTION(noexcept_function_pointer) {
  void (*volatile pointer)() noexcept = not_inlined;
  pointer();
}
struct member {
  void act() noexcept { point(); }
  void act_throwing() { point(); }
};
CONSTRUCTION(member_function_pointer) {
  void (member::*volatile pointer)() = &member::act_throwing;
  member one;
  (one.*pointer)();
}
CONSTRUCTION(noexcept_member_function_pointer) {
  void (member::*volatile pointer)() noexcept = &member::act;
  member one;
  (one.*pointer)();
}

// Operators, conversions, and what looks as if it could not throw.
struct operators {
  explicit operator bool() const {
    point();
    return true;
  }
  int operator[](int i) const noexcept {
    point();
    return i;
  }
};
CONSTRUCTION(conversion_operator) {
  if (operators()) opaque();
}
CONSTRUCTION(noexcept_index_operator) {
  if (operators()[1] == 2) opaque();
}
int with_default(int number = (point(), 1)) noexcept { return number; }
CONSTRUCTION(default_argument_of_a_noexcept_function) {
  if (with_default() == 2) opaque();
}
void take_by_value(std::string, int) noexcept {}
CONSTRUCTION(argument_of_a_noexcept_function) { take_by_value(std::string(50, 'x'), (point(), 2)); }
// Specifications of C++14.
CONSTRUCTION(specification_of_another_type) {
  call_under_specification([] { point(); });
}
// Whether a specification allows the type is not asked.
HELD_CONSTRUCTION(specification_of_the_type) {
  call_under_specification([] { point_of(stranger()); });
}
CONSTRUCTION(specification_of_nothing) {
  call_under_empty_specification([] { point(); });
}
CONSTRUCTION(specification_around_a_try) {
  call_under_empty_specification([] {
    try {
      point();
    } catch (...) {
    }
  });
}

// Frames of unusual shapes.
[[gnu::noinline]] void with_array_of_any_size(int size) {
  local one;
  auto* const room = static_cast<volatile char*>(__builtin_alloca(static_cast<std::size_t>(size)));
  room[0] = 1;
  point();
}
struct alignas(64) aligned_local : opaque_local {
  volatile char room[64]{};
};
[[gnu::noinline]] void with_aligned_local(int size) {
  aligned_local one;
  auto* const room = static_cast<volatile char*>(__builtin_alloca(static_cast<std::size_t>(size)));
  room[0] = one.room[1];
  point();
}
[[gnu::noinline]] void with_large_frame() {
  volatile char room[300000]{};
  if (room[299999] == 1) opaque();
  local one;
  point();
}
[[gnu::noinline]] int with_many_arguments(int a, int b, int c, int d, int e, int f, int g, int h,
                                          int i) {
  local one;
  point();
  return a + b + c + d + e + f + g + h + i;
}
CONSTRUCTION(frame_of_any_size) { with_array_of_any_size(1000); }
CONSTRUCTION(aligned_frame) { with_aligned_local(100); }
CONSTRUCTION(aligned_frame_in_a_noexcept) {
  const auto outer = []() noexcept { with_aligned_local(200); };
  outer();
}
CONSTRUCTION(large_frame) { with_large_frame(); }
CONSTRUCTION(arguments_on_the_stack) {
  if (with_many_arguments(1, 2, 3, 4, 5, 6, 7, 8, 9) == 0) opaque();
}

// Depth.
[[gnu::noinline]] void recurse(int depth) {
  local one;
  if (depth == 0) return point();
  recurse(depth - 1);
  opaque();
}
CONSTRUCTION(ten_thousand_frames) { recurse(10'000); }
CONSTRUCTION(ten_thousand_frames_in_a_noexcept) {
  const auto outer = []() noexcept { recurse(10'000); };
  outer();
}
CONSTRUCTION(ten_thousand_frames_in_a_try_of_a_noexcept) {
  const auto outer = []() noexcept {
    try {
      recurse(10'000);
    } catch (const base&) {
    }
  };
  outer();
}

}  // namespace
}  // namespace sigexc::test
