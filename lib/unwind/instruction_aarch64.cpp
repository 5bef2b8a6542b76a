// Instructions of aarch64 (Arm's manual, chapter C4: A64 instruction set encoding).
#if defined(__aarch64__)

#include "unwind/instruction.hpp"
#include "unwind/table_reader.hpp"

namespace sigexc::detail {

namespace {

using enum instruction::kind;

// Number 31 is the stack pointer where an address is meant, else a register that is always 0.
constexpr std::uint32_t stack_pointer = 31;

place address_register(std::uint32_t number) noexcept {
  return {place::kind::in_register, static_cast<std::uint8_t>(number & 31), 0};
}
place value_register(std::uint32_t number) noexcept {
  return (number & 31) == 31 ? place{} : address_register(number);
}
place memory(std::uint32_t base, std::int64_t offset) noexcept {
  return {place::kind::in_memory, static_cast<std::uint8_t>(base & 31),
          static_cast<std::int32_t>(offset)};
}

// `bits` bits of `word` from bit `from` on, as a signed number.
constexpr std::int64_t signed_field(std::uint32_t word, unsigned from, unsigned bits) noexcept {
  const auto shifted =
      static_cast<std::int64_t>(static_cast<std::uint64_t>(word) << (64 - bits - from));
  return shifted >> (64 - bits);
}

constexpr std::array<condition, 16> conditions = {
    condition::equal,          condition::not_equal,        condition::above_or_equal,
    condition::below,          condition::negative,         condition::not_negative,
    condition::unknown,        condition::unknown,          condition::above,
    condition::below_or_equal, condition::greater_or_equal, condition::less,
    condition::greater,        condition::less_or_equal,    condition::unknown,
    condition::unknown};

void branches(std::uintptr_t at, std::uint32_t word, instruction& read) noexcept {
  const auto to = [&](instruction::kind what, std::int64_t words) {
    read.what = what;
    read.target = at + static_cast<std::uintptr_t>(words * 4);
  };
  if ((word & 0x7c000000) == 0x14000000) {  // b, bl
    to((word & 0x80000000) != 0 ? call : jump, signed_field(word, 0, 26));
  } else if ((word & 0xff000000) == 0x54000000) {  // b.cond
    to(branch, signed_field(word, 5, 19));
    read.when = conditions[word & 15];
  } else if ((word & 0x7e000000) == 0x34000000) {  // cbz, cbnz
    to(compare_and_branch, signed_field(word, 5, 19));
    read.when = (word & 0x01000000) != 0 ? condition::not_equal : condition::equal;
    read.from = value_register(word);
    read.is_wide = (word & 0x80000000) != 0;
  } else if ((word & 0x7e000000) == 0x36000000) {  // tbz, tbnz
    to(branch, signed_field(word, 5, 14));
  } else if ((word & 0xfe000000) == 0xd6000000) {  // br, blr, ret and their signed kinds
    const auto what = (word >> 21) & 7;
    read.what = what == 0 ? jump_elsewhere : what == 1 ? call_elsewhere : stop;
  } else if ((word & 0xffe00000) == 0xd4200000) {  // brk
    read.what = stop;
  } else if ((word & 0xfffff01f) != 0xd503201f) {  // not a hint, but of the system
    read.forgets_all = true;
  }
}

void loads_and_stores(std::uint32_t word, instruction& read) noexcept {
  const bool is_vector = (word & 0x04000000) != 0;
  const auto base = word >> 5;
  const bool is_load = (word & 0x00c00000) != 0;
  const unsigned size = word >> 30;
  const auto move = [&](place where) {
    const place value = is_vector || size < 2 ? place{} : value_register(word);
    read.what = assign;
    read.to = is_load ? (is_vector ? place{} : value_register(word)) : where;
    read.from = is_load ? (size < 2 ? place{} : where) : value;
  };
  if ((word & 0x3b000000) == 0x39000000) {  // [base, #offset]
    move(memory(base, static_cast<std::int64_t>((word >> 10) & 0xfff) << size));
  } else if ((word & 0x3b200c00) == 0x38000000) {  // unscaled
    move(memory(base, signed_field(word, 12, 9)));
  } else if ((word & 0x3a000000) == 0x28000000) {  // a pair
    const bool is_whole = !is_vector && (word & 0xc0000000) == 0x80000000;
    const bool writes_base = (word & 0x00800000) != 0;
    const bool is_pair_load = (word & 0x00400000) != 0;
    const auto offset = signed_field(word, 15, 7) * 8;
    const place first = value_register(word);
    const place second = value_register(word >> 10);
    if (is_whole && !writes_base) {
      read.what = assign_two;
      const place low = memory(base, offset);
      const place high = memory(base, offset + 8);
      read.to = is_pair_load ? first : low;
      read.from = is_pair_load ? low : first;
      read.also_to = is_pair_load ? second : high;
      read.with = is_pair_load ? high : second;
    } else if (is_pair_load && !is_vector) {
      read.forgets_all = true;
    } else if (writes_base) {
      read.to = address_register(base);
    }
  } else {
    read.to = is_vector ? place{} : value_register(word);
    read.also_to = address_register(base);  // may be written back
  }
}

void computes(std::uint32_t word, instruction& read) noexcept {
  const bool is_wide = (word & 0x80000000) != 0;
  if ((word & 0x1f800000) == 0x11000000) {  // add, sub of a constant
    std::int64_t constant = (word >> 10) & 0xfff;
    if ((word & 0x00400000) != 0) constant <<= 12;
    if ((word & 0x40000000) == 0) constant = -constant;  // the constant that is subtracted
    const bool sets_flags = (word & 0x20000000) != 0;
    read.is_wide = is_wide;
    read.from = address_register(word >> 5);
    if (sets_flags && (word & 31) == 31) {
      read.what = compare;
      read.constant = constant;
      return;
    }
    read.what = assign;
    read.to = address_register(word);
    read.constant = -constant;
    read.sets_flags = sets_flags;
  } else if ((word & 0x7fe0fc1f) == 0x6b00001f) {  // cmp of registers
    read.what = compare;
    read.is_wide = is_wide;
    read.from = value_register(word >> 5);
    read.with = value_register(word >> 16);
    if (read.with.what == place::kind::none) read.what = other;
  } else if ((word & 0x7fe0ffe0) == 0x2a0003e0) {  // mov
    read.what = assign;
    read.to = value_register(word);
    read.from = value_register(word >> 16);
  } else if ((word & 0xfffffc00) == 0x93407c00) {  // sxtw
    read.what = assign;
    read.to = value_register(word);
    read.from = value_register(word >> 5);
  } else if ((word & 0x1f800000) == 0x12800000 || (word & 0x1f000000) == 0x10000000) {
    read.what = assign;  // mov of a constant, adr: leave the flags alone
    read.to = value_register(word);
    read.is_known = (word & 0x7fe00000) == 0x52800000;  // not shifted, not a part of one
    read.constant = (word >> 5) & 0xffff;
  } else {
    read.to = value_register(word);
  }
}

}  // namespace

instruction decode(std::uintptr_t at) noexcept {
  const auto word = load<std::uint32_t>(at);
  instruction read;
  read.size = 4;
  const auto group = (word >> 25) & 15;
  if (group == 10 || group == 11)
    branches(at, word, read);
  else if ((group & 5) == 4)
    loads_and_stores(word, read);
  else if (word == 0)
    read.what = stop;
  else
    computes(word, read);
  return read;
}

std::uintptr_t find_linkage_slot(std::uintptr_t target) noexcept {
  if (load<std::uint32_t>(target) == 0xd503245f) target += 4;  // bti c
  const auto page = load<std::uint32_t>(target);
  const auto offset = load<std::uint32_t>(target + 4);
  const auto jump_on = load<std::uint32_t>(target + 12);
  if ((page & 0x9f00001f) != 0x90000010 || (offset & 0xffc003ff) != 0xf9400211 ||
      jump_on != 0xd61f0220)
    return 0;
  const auto pages = (signed_field(page, 5, 19) << 2) | ((page >> 29) & 3);
  return (target & ~std::uintptr_t{0xfff}) + static_cast<std::uintptr_t>(pages << 12) +
         (((offset >> 10) & 0xfff) << 3);
}

}  // namespace sigexc::detail

#endif
