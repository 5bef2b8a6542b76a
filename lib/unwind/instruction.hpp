// Machine instructions, as far as following a landing pad needs them: where control goes, and where
// the two values go that the unwinder hands to the pad.
//
// Decoding is exact in what an instruction's size is and where it leads; in what it computes it
// knows copies, additions of constants and comparisons. Whatever else writes a register makes its
// value unknown.
#pragma once

#include <array>
#include <cstdint>

namespace sigexc::detail {

// A register, or memory at a constant offset from one.
struct place {
  enum class kind : std::uint8_t { none, in_register, in_memory };
  kind what = kind::none;
  std::uint8_t number = 0;
  std::int32_t offset = 0;

  friend bool operator==(const place&, const place&) = default;
};

enum class condition : std::uint8_t {
  unknown,
  equal,
  not_equal,
  less,
  less_or_equal,
  greater,
  greater_or_equal,
  below,
  below_or_equal,
  above,
  above_or_equal,
  negative,
  not_negative
};

struct instruction {
  enum class kind : std::uint8_t {
    unreadable,
    other,               // writes `to` and `also_to`, and the flags
    assign,              // to = from + constant; without `from`, the constant if `is_known`
    assign_two,          // to = from, also_to = with
    compare,             // sets the flags by `from` and `with`, or `constant` without `with`
    compare_and_branch,  // both: to `target` if `when` holds
    branch,              // to `target` if `when` holds
    jump,                // to `target`
    call,                // of `target`
    jump_elsewhere,      // to where only a run would tell
    call_elsewhere,
    stop  // returns or traps
  };
  kind what = kind::other;
  std::uint8_t size = 0;
  bool is_wide = true;       // compares 64 bits, not 32
  bool sets_flags = false;   // an `assign` that is a comparison of `from` with -constant as well
  bool is_known = false;     // an `assign` without `from` that is not of an unknown value
  bool forgets_all = false;  // writes registers that it does not name
  bool is_indirect = false;  // `target` is where the address stands
  condition when = condition::unknown;
  place to;
  place also_to;
  place from;
  place with;
  std::int64_t constant = 0;
  std::uintptr_t target = 0;
};

instruction decode(std::uintptr_t at) noexcept;

// If a call of `target` only jumps on through a pointer (an entry of the procedure linkage table),
// the address of that pointer, else 0.
std::uintptr_t find_linkage_slot(std::uintptr_t target) noexcept;

// The registers of the calling convention, by the numbers that `place` uses.
struct convention {
  std::uint8_t registers;
  std::uint8_t exception;  // at the beginning of a pad: the exception object,
  std::uint8_t selector;   // and which handler is meant
  std::uint8_t first_argument;
  std::uint32_t lost_in_calls;  // a bit each
};

#if defined(__x86_64__)
inline constexpr convention machine{16, 0, 2, 7, 0x0fc7};
#elif defined(__aarch64__)
inline constexpr convention machine{32, 0, 1, 0, 0x4007ffff};
#endif

}  // namespace sigexc::detail
