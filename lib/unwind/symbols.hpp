// What stands at an address of the program: function, object, source line.
//
// There are two ways, chosen when the library is built: symbols_libdw.cpp and symbols_dladdr.cpp.
#pragma once

#include <sigexc/diagnose.hpp>

#include <memory>
#include <string>
#include <vector>

namespace sigexc::detail {

// The demangled form of `name`, or itself if it is none.
std::string demangle(const char* name);

// Looks at the program once, when it is made, and can then be asked often. One thread at a time.
class symbols {
 public:
  symbols();
  symbols(const symbols&) = delete;
  symbols& operator=(const symbols&) = delete;
  ~symbols();

  [[nodiscard]] backtrace::frame at(std::uintptr_t address) const;
  // A frame a line, each behind `indent`.
  [[nodiscard]] std::string text(const backtrace& stack, const char* indent = "") const;

 private:
  struct state;
  std::unique_ptr<state> state_;
};

}  // namespace sigexc::detail
