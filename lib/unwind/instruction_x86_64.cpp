// Instructions of x86-64 (Intel's manual, volume 2, chapter 2 and appendix A).
#if defined(__x86_64__)

#include "unwind/instruction.hpp"
#include "unwind/table_reader.hpp"

namespace sigexc::detail {

namespace {

using enum instruction::kind;

constexpr place in_register(unsigned number) noexcept {
  return {place::kind::in_register, static_cast<std::uint8_t>(number), 0};
}
constexpr unsigned stack_pointer = 4;

constexpr std::array<condition, 16> conditions = {
    condition::unknown,        condition::unknown,
    condition::below,          condition::above_or_equal,
    condition::equal,          condition::not_equal,
    condition::below_or_equal, condition::above,
    condition::negative,       condition::not_negative,
    condition::unknown,        condition::unknown,
    condition::less,           condition::greater_or_equal,
    condition::less_or_equal,  condition::greater};

class decoder {
 public:
  explicit decoder(std::uintptr_t at) noexcept : start_(at), in_(at) {}

  instruction run() noexcept {
    one_byte();
    if (is_broken_) return {};
    read_.size = static_cast<std::uint8_t>(in_.address() - start_);
    return read_;
  }

 private:
  // Prefixes of the old kind. Returns the opcode's first byte.
  std::uint8_t prefixes() noexcept {
    for (;;) {
      const auto byte = in_.byte();
      switch (byte) {
        case 0x66:
          is_short_ = true;
          break;
        case 0x67:
        case 0xf0:
        case 0xf2:
        case 0xf3:
        case 0x2e:
        case 0x36:
        case 0x3e:
        case 0x26:
          break;
        case 0x64:
        case 0x65:
          is_in_segment_ = true;
          break;
        default:
          if ((byte & 0xf0) != 0x40) return byte;
          rex_ = byte;
          return in_.byte();
      }
      if (in_.address() - start_ > 14) return in_.byte();
    }
  }

  [[nodiscard]] bool is_wide() const noexcept { return (rex_ & 8) != 0; }

  // The byte that names a register and another register or memory.
  void operands() noexcept {
    const auto byte = in_.byte();
    field_ = (byte >> 3) & 7U;
    reg_ = in_register(field_ | ((rex_ & 4U) << 1));
    const unsigned mode = byte >> 6;
    unsigned base = byte & 7U;
    if (mode == 3) {
      other_ = in_register(base | ((rex_ & 1U) << 3));
      return;
    }
    is_memory_ = true;
    bool is_plain = !is_in_segment_;
    if (base == 4) {
      const auto scaled = in_.byte();
      base = scaled & 7U;
      is_plain = is_plain && (scaled & 0x38) == 0x20 && (rex_ & 2) == 0;  // no index
      if (mode == 0 && base == 5) {
        in_.skip(4);
        return;
      }
    } else if (mode == 0 && base == 5) {  // relative to the next instruction
      relative_ = static_cast<std::int32_t>(in_.fixed<std::uint32_t>());
      is_relative_ = !is_in_segment_;
      return;
    }
    std::int32_t offset = 0;
    if (mode == 1) offset = in_.fixed<std::int8_t>();
    if (mode == 2) offset = in_.fixed<std::int32_t>();
    if (is_plain)
      other_ = {place::kind::in_memory, static_cast<std::uint8_t>(base | ((rex_ & 1U) << 3)),
                offset};
  }

  std::int64_t constant(bool is_byte) noexcept {
    if (is_byte) return in_.fixed<std::int8_t>();
    if (is_short_) return in_.fixed<std::int16_t>();
    return in_.fixed<std::int32_t>();
  }

  void assign(place to, place from, std::int64_t constant = 0, bool sets_flags = false) noexcept {
    read_.what = instruction::kind::assign;
    read_.to = to;
    read_.from = from;
    read_.constant = constant;
    read_.sets_flags = sets_flags;
    read_.is_wide = is_wide();
  }

  void compare(place from, place with, std::int64_t constant = 0) noexcept {
    read_.what = instruction::kind::compare;
    read_.from = from;
    read_.with = with;
    read_.constant = constant;
    read_.is_wide = is_wide();
  }

  // What is not understood may write any of its operands.
  void unknown() noexcept {
    read_.what = other;
    read_.to = other_;
    read_.also_to = reg_;
  }

  void to_relative(instruction::kind what, std::int64_t distance) noexcept {
    read_.what = what;
    read_.target = in_.address() + static_cast<std::uintptr_t>(distance);
  }

  // Through the address in an operand.
  void elsewhere(instruction::kind direct, instruction::kind indirect) noexcept {
    if (is_relative_) {
      to_relative(direct, relative_);
      read_.is_indirect = true;
    } else {
      read_.what = indirect;
    }
  }

  void arithmetic(std::uint8_t code) noexcept {
    constexpr unsigned comparison = 7;
    const unsigned what = (code >> 3) & 7U;
    const unsigned form = code & 7U;
    if (form >= 4) {
      const auto value = constant(form == 4);
      if (what == comparison && form == 5 && !is_short_)
        compare(in_register(0), {}, value);
      else
        read_.to = in_register(0);
      return;
    }
    operands();
    if (what == comparison) {
      if ((form & 1) == 0 || is_short_) return;  // of parts: what follows is not known
      if (form == 1)
        compare(other_, reg_);
      else
        compare(reg_, other_);
      return;
    }
    unknown();
  }

  void one_byte() noexcept {
    const auto code = prefixes();
    if (code == 0x0f) return two_bytes();
    if (code < 0x40) {
      if ((code & 7) >= 6)
        is_broken_ = true;
      else
        arithmetic(code);
      return;
    }
    switch (code) {
      case 0x62:
        return vector_extension(in_.byte() & 7U, 2);
      case 0xc4:
        return vector_extension(in_.byte() & 0x1fU, 1);
      case 0xc5:
        in_.skip(1);
        return vector_extension(1, 0);
      case 0x63:  // movslq
        operands();
        return assign(reg_, other_);
      case 0x68:
        constant(false);
        return pushes();
      case 0x6a:
        constant(true);
        return pushes();
      case 0x69:
        operands();
        constant(false);
        return unknown();
      case 0x6b:
        operands();
        constant(true);
        return unknown();
      case 0x80:
      case 0x81:
      case 0x83:
        return group_1(code);
      case 0x84:
        operands();
        return;
      case 0x85:  // test
        operands();
        if (other_ == reg_ && !is_short_) compare(other_, {});
        return;
      case 0x88:
      case 0x8a:
        operands();
        return assign(code == 0x88 ? other_ : reg_, {});
      case 0x89:
        operands();
        return assign(other_, is_short_ ? place{} : reg_);
      case 0x8b:
        operands();
        return assign(reg_, is_short_ ? place{} : other_);
      case 0x8d:  // lea
        operands();
        if (other_.what == place::kind::in_memory)
          return assign(reg_, in_register(other_.number), other_.offset);
        return assign(reg_, {});
      case 0x8f:
        operands();
        unknown();
        read_.also_to = in_register(stack_pointer);
        return;
      case 0x90:
        return assign({}, {});
      case 0xa0:
      case 0xa1:
      case 0xa2:
      case 0xa3:
        in_.skip(8);
        return assign(in_register(0), {});
      case 0xa8:
        constant(true);
        return;
      case 0xa9:
        constant(false);
        return;
      case 0xc0:
      case 0xc1:
        operands();
        constant(true);
        return unknown();
      case 0xc2:
      case 0xc3:
      case 0xcb:
      case 0xca:
      case 0xcc:
      case 0xcf:
      case 0xf4:
        read_.what = stop;
        return;
      case 0xc6:
        operands();
        constant(true);
        return assign(other_, {});
      case 0xc7:
        operands();
        constant(false);
        return assign(other_, {});
      case 0xc8:
        in_.skip(3);
        read_.forgets_all = true;
        return;
      case 0xcd:
        in_.skip(1);
        read_.forgets_all = true;
        return;
      case 0xe0:
      case 0xe1:
      case 0xe2:
      case 0xe3:  // loops
        to_relative(branch, in_.fixed<std::int8_t>());
        read_.to = in_register(1);
        return;
      case 0xe8:
        return relative_32(call);
      case 0xe9:
        return relative_32(jump);
      case 0xeb: {
        const auto distance = in_.fixed<std::int8_t>();
        return to_relative(jump, distance);
      }
      case 0xf6:
      case 0xf7:
        operands();
        if (field_ < 2) constant(code == 0xf6);
        unknown();
        read_.forgets_all = field_ >= 4;
        return;
      case 0xfe:
        operands();
        return unknown();
      case 0xff:
        return group_5();
      default:
        break;
    }
    if (code >= 0x50 && code < 0x58) return pushes();
    if (code >= 0x58 && code < 0x60) {
      read_.to = in_register((code & 7U) | ((rex_ & 1U) << 3));
      read_.also_to = in_register(stack_pointer);
      return;
    }
    if (code >= 0x70 && code < 0x80) {
      const auto distance = in_.fixed<std::int8_t>();
      to_relative(branch, distance);
      read_.when = conditions[code & 0xfU];
      return;
    }
    if (code >= 0xb0 && code < 0xc0) {
      std::int64_t value = 0;
      if (code < 0xb8)
        in_.skip(1);
      else if (is_wide())
        in_.skip(8);
      else
        value = constant(false);
      assign(in_register((code & 7U) | ((rex_ & 1U) << 3)), {}, value);
      read_.is_known = code >= 0xb8 && !is_wide() && !is_short_;
      return;
    }
    if (code == 0x86 || code == 0x87 || code == 0x8c || code == 0x8e ||
        (code >= 0xd0 && code < 0xd4) || (code >= 0xd8 && code < 0xe0)) {
      operands();
      return unknown();
    }
    if ((code > 0x90 && code < 0xa0 && code != 0x9a) || (code >= 0xa4 && code < 0xb0) ||
        code == 0xc9 || code == 0xd7 || (code >= 0xf5 && code < 0xfe)) {
      read_.forgets_all = true;
      return;
    }
    is_broken_ = true;
  }

  void pushes() noexcept { read_.to = in_register(stack_pointer); }

  void relative_32(instruction::kind what) noexcept {
    const auto distance = in_.fixed<std::int32_t>();
    to_relative(what, distance);
  }

  // An operand and a constant.
  void group_1(std::uint8_t code) noexcept {
    operands();
    const auto value = constant(code != 0x81);
    const bool is_whole = code != 0x80 && !is_short_;
    if (is_whole && field_ == 7) return compare(other_, {}, value);
    if (is_whole && (field_ == 0 || field_ == 5))
      return assign(other_, other_, field_ == 0 ? value : -value, /*sets_flags=*/true);
    if (field_ != 7) read_.to = other_;
  }

  void group_5() noexcept {
    operands();
    switch (field_) {
      case 0:
        return assign(other_, other_, 1, /*sets_flags=*/true);
      case 1:
        return assign(other_, other_, -1, /*sets_flags=*/true);
      case 2:
        return elsewhere(call, call_elsewhere);
      case 4:
        return elsewhere(jump, jump_elsewhere);
      case 6:
        return pushes();
      default:
        is_broken_ = true;
    }
  }

  void two_bytes() noexcept {
    const auto code = in_.byte();
    if (code >= 0x80 && code < 0x90) {
      relative_32(branch);
      read_.when = conditions[code & 0xfU];
      return;
    }
    switch (code) {
      case 0x0b:
        read_.what = stop;
        return;
      case 0x05:
      case 0x31:
      case 0xa2:
      case 0x01:
      case 0xc7:
        if (code == 0x01 || code == 0xc7) operands();
        read_.forgets_all = true;
        return;
      case 0x06:
      case 0x08:
      case 0x09:
      case 0x77:
      case 0xa0:
      case 0xa8:
        return;
      case 0xa1:
      case 0xa9:
        return pushes();
      case 0x38:
        in_.skip(1);
        operands();
        return unknown();
      case 0x3a:
        in_.skip(1);
        operands();
        in_.skip(1);
        return unknown();
      default:
        break;
    }
    if (code >= 0xc8 && code < 0xd0) {
      read_.to = in_register((code & 7U) | ((rex_ & 1U) << 3));
      return;
    }
    if (code >= 0x30 && code < 0x38) {
      is_broken_ = true;
      return;
    }
    operands();
    if (has_constant(code) || code == 0xa4 || code == 0xac || code == 0xba) in_.skip(1);
    vector_or_unknown(code);
  }

  static bool has_constant(std::uint8_t code) noexcept {
    return (code >= 0x70 && code < 0x74) || code == 0xc2 || code == 0xc4 || code == 0xc5 ||
           code == 0xc6;
  }

  // Whether it leaves the general registers alone: hints, and most that deal with vectors.
  static bool spares_registers(std::uint8_t code) noexcept {
    return (code >= 0x10 && code < 0x20) || (code >= 0x28 && code < 0x2c) || code == 0x2e ||
           code == 0x2f || (code >= 0x51 && code < 0x7e) || code == 0x7f || code == 0xc2 ||
           code == 0xc4 || code == 0xc6 || (code >= 0xd0 && code != 0xd7);
  }

  void vector_or_unknown(std::uint8_t code) noexcept {
    if (!spares_registers(code)) return unknown();
    assign(is_memory_ ? other_ : place{}, {});  // moves leave the flags alone, too
    if (code == 0x2e || code == 0x2f) read_.what = other;
  }

  void vector_extension(unsigned map, unsigned skipped) noexcept {
    in_.skip(skipped);
    const auto code = in_.byte();
    rex_ = 0;
    if (map == 1 && code == 0x77) return;
    operands();
    if (map == 3 || (map == 1 && has_constant(code))) in_.skip(1);
    if (map == 0 || map > 3) is_broken_ = true;
    if (map == 1) return vector_or_unknown(code);
    read_.forgets_all = true;
  }

  const std::uintptr_t start_;
  table_reader in_;
  instruction read_;
  std::uint8_t rex_ = 0;
  bool is_short_ = false;
  bool is_in_segment_ = false;
  bool is_broken_ = false;
  unsigned field_ = 0;
  place reg_;
  place other_;
  bool is_memory_ = false;
  bool is_relative_ = false;
  std::int32_t relative_ = 0;
};

}  // namespace

instruction decode(std::uintptr_t at) noexcept { return decoder(at).run(); }

std::uintptr_t find_linkage_slot(std::uintptr_t target) noexcept {
  instruction first = decode(target);
  if (load<std::uint32_t>(target) == 0xfa1e0ff3) first = decode(target + 4);  // endbr64
  return first.what == jump && first.is_indirect ? first.target : 0;
}

}  // namespace sigexc::detail

#endif
