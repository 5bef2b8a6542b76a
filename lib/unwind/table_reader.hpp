// Reads the numbers and pointers of unwind tables (DWARF 4, section 7.6; LSB core, chapter 10).
//
// The tables are those of code that is on the stack, so they are mapped and well-formed.
#pragma once

#include <cstdint>
#include <cstring>

namespace sigexc::detail {

// The value of type T at any address, aligned or not.
template <class T>
T load(const void* from) noexcept {
  T value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

template <class T>
T load(std::uintptr_t from) noexcept {
  return load<T>(reinterpret_cast<const void*>(from));
}

class table_reader {
 public:
  explicit table_reader(const void* at) noexcept : at_(static_cast<const std::uint8_t*>(at)) {}
  explicit table_reader(std::uintptr_t at) noexcept
      : table_reader(reinterpret_cast<const void*>(at)) {}

  [[nodiscard]] const std::uint8_t* at() const noexcept { return at_; }
  [[nodiscard]] std::uintptr_t address() const noexcept {
    return reinterpret_cast<std::uintptr_t>(at_);
  }
  void skip(std::uint64_t bytes) noexcept { at_ += bytes; }

  template <class T>
  T fixed() noexcept {
    const T value = load<T>(at_);
    at_ += sizeof value;
    return value;
  }
  std::uint8_t byte() noexcept { return *at_++; }

  std::uint64_t uleb() noexcept { return leb().value; }
  std::int64_t sleb() noexcept {
    const auto [value, bits, last] = leb();
    const bool is_negative = bits < 64 && (last & 0x40) != 0;
    return static_cast<std::int64_t>(is_negative ? value | (~0ULL << bits) : value);
  }

  const char* text() noexcept {
    const auto* const start = reinterpret_cast<const char*>(at_);
    at_ += std::strlen(start) + 1;
    return start;
  }

  static constexpr std::uint8_t omitted = 0xff;

  // A pointer in one of the encodings DW_EH_PE_*. `function` is the base of `funcrel`.
  std::uintptr_t pointer(std::uint8_t encoding, std::uintptr_t function = 0) noexcept {
    if (encoding == omitted) return 0;
    const std::uintptr_t here = address();
    std::uintptr_t value = raw(encoding & 0x0f);
    if (value == 0) return 0;
    if ((encoding & 0x70) == 0x10) value += here;
    if ((encoding & 0x70) == 0x40) value += function;
    return (encoding & 0x80) != 0 ? load<std::uintptr_t>(value) : value;
  }

  // The bytes that a pointer in an encoding of fixed size takes.
  static std::size_t size_of(std::uint8_t encoding) noexcept {
    const int format = encoding & 0x07;
    return format == 2 ? 2 : format == 3 ? 4 : 8;
  }

 private:
  struct number {
    std::uint64_t value;
    unsigned bits;
    std::uint8_t last;
  };

  number leb() noexcept {
    number read{0, 0, 0};
    do {
      read.last = byte();
      if (read.bits < 64) read.value |= static_cast<std::uint64_t>(read.last & 0x7f) << read.bits;
      read.bits += 7;
    } while ((read.last & 0x80) != 0);
    return read;
  }

  std::uintptr_t raw(int format) noexcept {
    const auto extended = [](std::int64_t value) { return static_cast<std::uintptr_t>(value); };
    switch (format) {
      case 0x1:
        return uleb();
      case 0x2:
        return fixed<std::uint16_t>();
      case 0x3:
        return fixed<std::uint32_t>();
      case 0x9:
        return extended(sleb());
      case 0xa:
        return extended(fixed<std::int16_t>());
      case 0xb:
        return extended(fixed<std::int32_t>());
      default:
        return fixed<std::uint64_t>();
    }
  }

  const std::uint8_t* at_;
};

}  // namespace sigexc::detail
