// Recognises the few functions by their addresses, and by their names.
//
// A call mostly goes to an entry of the procedure linkage table (PLT), which jumps on through a
// pointer. The loader sets that pointer at the first call, unless told to earlier; until then, and
// nobody has called std::terminate before, it points back into the PLT. The name tells all the
// same: it belongs to the relocation of the pointer.
#include "unwind/callee.hpp"

#include "unwind/instruction.hpp"
#include "unwind/table_reader.hpp"

#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <unwind.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <span>
#include <string_view>
#include <thread>

extern "C" {
void* __cxa_begin_catch(void*) noexcept;
void __cxa_end_catch();
void* __cxa_get_exception_ptr(void*) noexcept;
[[noreturn]] void __cxa_throw(void*, std::type_info*, void (*)(void*));
[[noreturn]] void __cxa_rethrow();
[[noreturn]] void __stack_chk_fail();
// Since gcc 13.
[[gnu::weak]] void __cxa_call_terminate(void*) noexcept;
}

namespace sigexc::detail {

namespace {

struct known_function {
  const char* name;
  std::uintptr_t address;
  callee what;
};

template <class F>
std::uintptr_t address_of(F* function) noexcept {
  return reinterpret_cast<std::uintptr_t>(function);
}

// The first word of a pointer to a member function that is not virtual (Itanium C++ ABI, 2.3).
std::uintptr_t address_of_join() noexcept {
  void (std::thread::*const join)() = &std::thread::join;
  return load<std::uintptr_t>(&join);
}

const auto& known_functions() noexcept {
  static const std::array known = [] {
    std::array all{
        known_function{"_ZSt9terminatev", address_of(&std::terminate), callee::terminates},
        known_function{"__cxa_call_terminate", address_of(&__cxa_call_terminate),
                       callee::terminates},
        known_function{"__cxa_begin_catch", address_of(&__cxa_begin_catch), callee::catches},
        known_function{"__cxa_end_catch", address_of(&__cxa_end_catch), callee::leaves},
        known_function{"__cxa_rethrow", address_of(&__cxa_rethrow), callee::rethrows},
        known_function{"_Unwind_Resume", address_of(&_Unwind_Resume), callee::resumes},
        known_function{"__cxa_get_exception_ptr", address_of(&__cxa_get_exception_ptr),
                       callee::borrows},
        known_function{"_ZNSt6thread4joinEv", address_of_join(), callee::joins},
        known_function{"__cxa_throw", address_of(&__cxa_throw), callee::throws},
        known_function{"_ZSt17rethrow_exceptionNSt15__exception_ptr13exception_ptrE",
                       address_of(&std::rethrow_exception), callee::throws},
        known_function{"__stack_chk_fail", address_of(&__stack_chk_fail), callee::ends},
        known_function{"abort", address_of(&std::abort), callee::ends},
        known_function{"exit", address_of(&std::exit), callee::ends},
    };
    // A program that is not position-independent may have made them entries of its own PLT.
    for (auto& one : all)
      if (one.address != 0) one.address = resolve(one.address);
    return all;
  }();
  return known;
}

}  // namespace

void prepare_callees() noexcept { known_functions(); }

namespace {

// The dynamic section of the object that `address` lies in, or null.
const ElfW(Dyn) * dynamic_section(std::uintptr_t address, std::uintptr_t& base) noexcept {
  dl_find_object found;
  if (_dl_find_object(reinterpret_cast<void*>(address), &found) != 0) return nullptr;
  base = found.dlfo_link_map->l_addr;
  return found.dlfo_link_map->l_ld;
}

// The name of the function that the pointer at `slot` is for, or null.
const char* name_of(std::uintptr_t slot) noexcept {
  std::uintptr_t base = 0;
  const ElfW(Dyn)* entry = dynamic_section(slot, base);
  if (entry == nullptr) return nullptr;
  std::uintptr_t relocations = 0, size = 0, symbols = 0, names = 0, slots = 0;
  for (; entry->d_tag != DT_NULL; ++entry) switch (entry->d_tag) {
      case DT_JMPREL:
        relocations = entry->d_un.d_ptr;
        break;
      case DT_PLTRELSZ:
        size = entry->d_un.d_val;
        break;
      case DT_PLTGOT:
        slots = entry->d_un.d_ptr;
        break;
      case DT_SYMTAB:
        symbols = entry->d_un.d_ptr;
        break;
      case DT_STRTAB:
        names = entry->d_un.d_ptr;
        break;
      default:
        break;
    }
  if (relocations == 0 || symbols == 0 || names == 0) return nullptr;
  const std::span all(reinterpret_cast<const ElfW(Rela)*>(relocations), size / sizeof(ElfW(Rela)));
  const auto is_its = [=](const ElfW(Rela) & one) { return base + one.r_offset == slot; };
  // Linkers put slots and relocations in the same order, with three slots in front.
  const std::uintptr_t guess = (slot - slots) / sizeof(slot) - 3;
  auto found = guess < all.size() && is_its(all[guess])
                   ? all.begin() + static_cast<std::ptrdiff_t>(guess)
                   : std::ranges::find_if(all, is_its);
  if (found == all.end()) return nullptr;
  const auto& symbol = reinterpret_cast<const ElfW(Sym)*>(symbols)[ELF64_R_SYM(found->r_info)];
  return reinterpret_cast<const char*>(names) + symbol.st_name;
}

// Functions that compilers and libraries call when something is wrong.
bool ends(std::string_view name) noexcept {
  return (name.starts_with("_ZSt") && (name.find("__throw_") != name.npos ||
                                       name.find("__glibcxx_assert_fail") != name.npos)) ||
         name == "__assert_fail" || name == "__cxa_throw_bad_array_new_length" ||
         name == "__cxa_bad_cast" || name == "__cxa_bad_typeid" ||
         (name.starts_with("__ubsan_handle_") && name.ends_with("_abort")) ||
         name.starts_with("__asan_report_");
}

bool is_in_same_object(std::uintptr_t a, std::uintptr_t b) noexcept {
  std::uintptr_t base = 0;
  const auto* const section = dynamic_section(a, base);
  return section != nullptr && section == dynamic_section(b, base);
}

}  // namespace

std::uintptr_t resolve(std::uintptr_t address) noexcept {
  const auto slot = find_linkage_slot(address);
  if (slot == 0) return address;
  const auto value = load<std::uintptr_t>(slot);
  return is_in_same_object(value, slot) ? address : value;
}

callee identify(std::uintptr_t target, bool is_slot) noexcept {
  const auto slot = is_slot ? target : find_linkage_slot(target);
  const auto address = slot == 0 ? target : load<std::uintptr_t>(slot);
  for (const auto& one : known_functions())
    if (one.address == address && address != 0) return one.what;
  const char* const name = slot == 0 ? nullptr : name_of(slot);
  if (name == nullptr) return callee::other;
  for (const auto& one : known_functions())
    if (std::strcmp(one.name, name) == 0) return one.what;
  return ends(name) ? callee::ends : callee::other;
}

}  // namespace sigexc::detail
