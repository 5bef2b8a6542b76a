// Runs the small program in a function's entry (DWARF 4, section 6.4) that says, for each place in
// the function, where the end of its frame is and what is saved where. Of the saved registers only
// the frame pointer and the return address matter to a walk.
#include "unwind/frame_rule.hpp"

#include "unwind/table_reader.hpp"

#include <array>
#include <limits>

namespace sigexc::detail {

namespace {

// The numbers that the ABI gives to registers.
#if defined(__x86_64__)
constexpr std::uint64_t frame_register = 6;
constexpr std::uint64_t stack_register = 7;
#elif defined(__aarch64__)
constexpr std::uint64_t frame_register = 29;
constexpr std::uint64_t stack_register = 31;
#else
#error "sigexc walks stacks of x86-64 and aarch64 only"
#endif

constexpr std::uint8_t op_deref = 0x06;
constexpr std::uint8_t op_frame_plus = 0x70 + frame_register;

struct saved_register {
  enum class kind : std::uint8_t { same, undefined, from_end, from_frame, unknown };
  kind where = kind::same;
  std::int64_t offset = 0;
};

struct row {
  std::uint64_t base = stack_register;
  std::int64_t offset = 0;
  bool is_through_frame = false;
  bool is_unknown = false;
  saved_register frame;
  saved_register return_address;
};

class program {
 public:
  program(const function_entry& function, std::uintptr_t counter) noexcept
      : function_(function), counter_(counter) {}

  row run() noexcept {
    execute(function_.common_program, function_.common_program_end);
    first_ = now_;
    execute(function_.program, function_.program_end);
    return now_;
  }

 private:
  // The state of a register that the walk follows, or a place to throw the others away.
  saved_register& of(std::uint64_t number) noexcept {
    if (number == frame_register) return now_.frame;
    if (number == function_.return_column) return now_.return_address;
    return other_;
  }

  void restore(std::uint64_t number) noexcept {
    if (number == frame_register) now_.frame = first_.frame;
    if (number == function_.return_column) now_.return_address = first_.return_address;
  }

  void execute(const std::uint8_t* from, const std::uint8_t* to) noexcept {
    std::uintptr_t place = function_.begin;
    table_reader in(from);
    while (in.at() < to && place <= counter_) {
      const auto code = in.byte();
      const std::uint8_t operand = code & 0x3f;
      switch (code & 0xc0) {
        case 0x40:
          place += operand * function_.code_alignment;
          break;
        case 0x80:
          of(operand) = factored(in.uleb());
          break;
        case 0xc0:
          restore(operand);
          break;
        default:
          place += extended(operand, in);
      }
    }
  }

  // An instruction with its operands behind it. Returns by how much it advances the place.
  std::uint64_t extended(std::uint8_t code, table_reader& in) noexcept {
    using enum saved_register::kind;
    switch (code) {
      case 0x00:
        break;  // nop
      case 0x02:
        return in.byte() * function_.code_alignment;
      case 0x03:
        return in.fixed<std::uint16_t>() * function_.code_alignment;
      case 0x04:
        return in.fixed<std::uint32_t>() * function_.code_alignment;
      case 0x05: {  // offset_extended
        auto& saved = of(in.uleb());
        saved = factored(in.uleb());
        break;
      }
      case 0x06:
        restore(in.uleb());
        break;
      case 0x07:
        of(in.uleb()) = {undefined, 0};
        break;
      case 0x08:
        of(in.uleb()) = {same, 0};
        break;
      case 0x09: {  // register
        of(in.uleb()) = {saved_register::kind::unknown, 0};
        in.uleb();
        break;
      }
      case 0x0a:  // remember_state
        if (depth_ < remembered_.size())
          remembered_[depth_] = now_;
        else
          now_.is_unknown = true;
        ++depth_;
        break;
      case 0x0b: {  // restore_state
        if (depth_ == 0 || --depth_ >= remembered_.size())
          now_.is_unknown = true;
        else
          now_ = remembered_[depth_];
        break;
      }
      case 0x0c:  // def_cfa
        now_.base = in.uleb();
        define(static_cast<std::int64_t>(in.uleb()));
        break;
      case 0x0d:  // def_cfa_register
        now_.base = in.uleb();
        define(now_.offset);
        break;
      case 0x0e:
        define(static_cast<std::int64_t>(in.uleb()));
        break;
      case 0x0f: {  // def_cfa_expression
        std::int64_t offset = 0;
        const bool is_known = frame_expression(in, /*wants_deref=*/true, offset);
        now_.is_through_frame = is_known;
        now_.is_unknown = !is_known;
        now_.offset = offset;
        break;
      }
      case 0x10: {  // expression
        auto& saved = of(in.uleb());
        std::int64_t offset = 0;
        const bool is_known = frame_expression(in, /*wants_deref=*/false, offset);
        saved = {is_known ? saved_register::kind::from_frame : saved_register::kind::unknown,
                 offset};
        break;
      }
      case 0x11: {  // offset_extended_sf
        auto& saved = of(in.uleb());
        saved = {saved_register::kind::from_end, in.sleb() * function_.data_alignment};
        break;
      }
      case 0x12:  // def_cfa_sf
        now_.base = in.uleb();
        define(in.sleb() * function_.data_alignment);
        break;
      case 0x13:
        define(in.sleb() * function_.data_alignment);
        break;
      case 0x14:  // val_offset
      case 0x15:  // val_offset_sf
        of(in.uleb()) = {saved_register::kind::unknown, 0};
        in.uleb();
        break;
      case 0x16:  // val_expression
        of(in.uleb()) = {saved_register::kind::unknown, 0};
        in.skip(in.uleb());
        break;
      case 0x2d:
        break;  // aarch64: whether the return address is signed; it is stripped anyway
      case 0x2e:
        in.uleb();
        break;  // GNU_args_size
      default:
        now_.is_unknown = true;
        return std::numeric_limits<std::uint32_t>::max();  // and end
    }
    return 0;
  }

  void define(std::int64_t offset) noexcept {
    now_.offset = offset;
    now_.is_through_frame = false;
    now_.is_unknown = false;
  }

  [[nodiscard]] saved_register factored(std::uint64_t offset) const noexcept {
    return {saved_register::kind::from_end,
            static_cast<std::int64_t>(offset) * function_.data_alignment};
  }

  // Reads an expression; true if it is "frame pointer + offset", with one dereference if wanted.
  static bool frame_expression(table_reader& in, bool wants_deref, std::int64_t& offset) noexcept {
    const auto size = in.uleb();
    const std::uint8_t* const end = in.at() + size;
    bool is_known = size > 0 && in.byte() == op_frame_plus;
    if (is_known) {
      offset = in.sleb();
      if (wants_deref) is_known = in.at() < end && in.byte() == op_deref;
      is_known = is_known && in.at() == end;
    }
    in = table_reader(end);
    return is_known;
  }

  const function_entry& function_;
  const std::uintptr_t counter_;
  row now_;
  row first_;
  saved_register other_;
  std::array<row, 8> remembered_;
  std::size_t depth_ = 0;
};

bool fits(std::int64_t offset) noexcept {
  return offset >= std::numeric_limits<std::int32_t>::min() &&
         offset <= std::numeric_limits<std::int32_t>::max();
}

}  // namespace

frame_rule find_rule(const function_entry& function, std::uintptr_t counter) noexcept {
  using enum frame_rule::kind;
  using where = saved_register::kind;
  const row at = program(function, counter).run();
  frame_rule rule;
  if (at.return_address.where == where::undefined) {
    rule.how = outermost;
    return rule;
  }
  const bool is_known = !at.is_unknown && at.return_address.where == where::from_end &&
                        fits(at.offset) && fits(at.frame.offset) &&
                        fits(at.return_address.offset) &&
                        (at.frame.where == where::same || at.frame.where == where::from_end ||
                         at.frame.where == where::from_frame);
  if (!is_known) return rule;
  if (at.is_through_frame)
    rule.how = through_frame;
  else if (at.base == frame_register)
    rule.how = from_frame;
  else if (at.base == stack_register)
    rule.how = from_stack;
  rule.end = static_cast<std::int32_t>(at.offset);
  rule.return_address = static_cast<std::int32_t>(at.return_address.offset);
  if (at.frame.where != where::same) {
    rule.frame_is = at.frame.where == where::from_end ? frame_rule::saved::from_end
                                                      : frame_rule::saved::from_frame;
    rule.frame = static_cast<std::int32_t>(at.frame.offset);
  }
  return rule;
}

// A sanitizer may call what is read here poisoned or racy.
__attribute__((no_sanitize("address", "thread"), noinline)) std::uintptr_t read_stack(
    std::uintptr_t slot) noexcept {
  return *reinterpret_cast<const std::uintptr_t*>(slot);
}

bool step(const frame_rule& rule, stack_position& at) noexcept {
  return step(rule, at, [](std::uintptr_t slot, std::uintptr_t& found) noexcept {
    found = read_stack(slot);
    return true;
  });
}

}  // namespace sigexc::detail
