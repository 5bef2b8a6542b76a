// Names by glibc's dladdr, where the library is built without libdw: exported functions only.
#include "unwind/symbols.hpp"

#include <dlfcn.h>

namespace sigexc::detail {

struct symbols::state {};

symbols::symbols() = default;
symbols::~symbols() = default;

backtrace::frame symbols::at(std::uintptr_t address) const {
  backtrace::frame found;
  found.address = address;
  Dl_info info{};
  if (dladdr(reinterpret_cast<void*>(address), &info) == 0) return found;
  if (info.dli_fname != nullptr) found.object = info.dli_fname;
  if (info.dli_sname != nullptr) {
    found.symbol = demangle(info.dli_sname);
    found.offset = address - reinterpret_cast<std::uintptr_t>(info.dli_saddr);
  }
  return found;
}

}  // namespace sigexc::detail
