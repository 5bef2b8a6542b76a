// Names by libdw of elfutils: the symbol tables of files, also of what they do not export, and
// source lines where debug information is at hand, in the file or by its build id under
// /usr/lib/debug.
//
// libdw can ask servers of the network for debug information (debuginfod), which has no place in a
// diagnosis: dwfl_build_id_find_debuginfo looks at files only.
#include "unwind/symbols.hpp"

#include <elfutils/libdwfl.h>
#include <unistd.h>

namespace sigexc::detail {

namespace {

constexpr Dwfl_Callbacks callbacks{.find_elf = dwfl_linux_proc_find_elf,
                                   .find_debuginfo = dwfl_build_id_find_debuginfo,
                                   .section_address = nullptr,
                                   .debuginfo_path = nullptr};

}  // namespace

struct symbols::state {
  state() {
    if (session == nullptr) return;
    dwfl_report_begin(session);
    dwfl_linux_proc_report(session, getpid());
    dwfl_report_end(session, nullptr, nullptr);
  }
  state(const state&) = delete;
  state& operator=(const state&) = delete;
  ~state() {
    if (session != nullptr) dwfl_end(session);
  }
  Dwfl* session = dwfl_begin(&callbacks);  // null: no memory
};

symbols::symbols() : state_(std::make_unique<state>()) {}
symbols::~symbols() = default;

backtrace::frame symbols::at(std::uintptr_t address) const {
  backtrace::frame found;
  found.address = address;
  Dwfl_Module* const module =
      state_->session != nullptr ? dwfl_addrmodule(state_->session, address) : nullptr;
  if (module == nullptr) return found;
  const char* const object =
      dwfl_module_info(module, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr);
  if (object != nullptr) found.object = object;
  GElf_Off offset = 0;
  GElf_Sym symbol;
  const char* const name =
      dwfl_module_addrinfo(module, address, &offset, &symbol, nullptr, nullptr, nullptr);
  if (name != nullptr) {
    found.symbol = demangle(name);
    found.offset = offset;
  }
  if (Dwfl_Line* const line = dwfl_module_getsrc(module, address)) {
    int number = 0;
    const char* const file = dwfl_lineinfo(line, nullptr, &number, nullptr, nullptr, nullptr);
    if (file != nullptr) found.source = std::string(file) + ":" + std::to_string(number);
  }
  return found;
}

}  // namespace sigexc::detail
