// Finds a function's entry where the unwinder itself does, and reads it.
//
// libgcc's `_Unwind_Find_FDE` is what every throw asks; so the answer here cannot differ from the
// throw's. It finds a library's tables by glibc's `_dl_find_object`, without a lock, and those that
// were registered for generated code.
#include "unwind/function_entry.hpp"

#include "unwind/table_reader.hpp"

#include <algorithm>

namespace {

// As in libgcc's unwind-dw2-fde.h.
struct unwind_bases {
  void* text;
  void* data;
  void* function;
};

}  // namespace

extern "C" const void* _Unwind_Find_FDE(void* counter, unwind_bases* bases);

namespace sigexc::detail {

namespace {

// Of the common part of an entry (CIE): how the entries that refer to it are encoded.
struct encodings {
  std::uint8_t code = 0;
  std::uint8_t handlers = table_reader::omitted;
  bool has_augmentation = false;
};

bool read_common(const std::uint8_t* start, function_entry& found, encodings& use) noexcept {
  table_reader in(start);
  const auto length = in.fixed<std::uint32_t>();
  found.common_program_end = in.at() + length;
  in.skip(4);  // says that it is a common part
  const auto version = in.byte();
  const char* augmentation = in.text();
  if (version != 1 && version != 3) return false;
  found.code_alignment = in.uleb();
  found.data_alignment = in.sleb();
  found.return_column = version == 1 ? in.byte() : in.uleb();
  if (*augmentation == 'z') {
    use.has_augmentation = true;
    const auto size = in.uleb();
    const std::uint8_t* const end = in.at() + size;
    for (++augmentation; *augmentation != '\0'; ++augmentation) switch (*augmentation) {
        case 'R':
          use.code = in.byte();
          break;
        case 'L':
          use.handlers = in.byte();
          break;
        case 'S':
          found.is_signal_frame = true;
          break;
        case 'B':
          break;  // aarch64: by which key return addresses are signed
        case 'P': {
          const auto encoding = in.byte();
          found.personality = in.pointer(encoding);
          break;
        }
        default:
          return false;
      }
    in = table_reader(end);
  } else if (*augmentation != '\0') {
    return false;
  }
  found.common_program = in.at();
  return true;
}

}  // namespace

bool find_function(std::uintptr_t counter, function_entry& found) noexcept {
  unwind_bases bases{};
  const void* const entry = _Unwind_Find_FDE(reinterpret_cast<void*>(counter), &bases);
  if (entry == nullptr) return false;
  found = {};
  table_reader in(entry);
  const auto length = in.fixed<std::uint32_t>();
  if (length == 0xffffffff) return false;  // 64-bit DWARF: no compiler makes it here
  found.program_end = in.at() + length;
  const std::uint8_t* const back_from = in.at();
  const auto back = in.fixed<std::uint32_t>();
  encodings use;
  if (!read_common(back_from - back, found, use)) return false;
  found.begin = in.pointer(use.code);
  found.end = found.begin + in.pointer(use.code & 0x0f);
  if (use.has_augmentation) {
    const auto size = in.uleb();
    const std::uint8_t* const end = in.at() + size;
    if (use.handlers != table_reader::omitted)
      found.handlers = in.pointer(use.handlers, found.begin);
    in = table_reader(end);
  }
  found.program = in.at();
  return true;
}

}  // namespace sigexc::detail
