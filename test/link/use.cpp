// Uses the library: becomes a target, interrupts itself, and catches what a safe point raises.
// Also throws by itself, and looks which library owns the throw.
#include <sigexc/sigexc.hpp>

#include <dlfcn.h>
#include <unwind.h>

#include <cstdio>
#include <string_view>

extern "C" void poll_me();

namespace {

bool is_delivered() {
  const sigexc::enrollment enrolled("self");
  poll_me();  // nothing pending: returns
  sigexc::this_thread::get_target().interrupt(42);
  try {
    poll_me();
  } catch (int interrupt) {
    poll_me();  // once is all
    return interrupt == 42;
  }
  return false;
}

std::string_view owner_of_throws() {
  Dl_info info{};
  dladdr(reinterpret_cast<void*>(&_Unwind_RaiseException), &info);
  return info.dli_fname;
}

}  // namespace

extern "C" int use();
extern "C" int use() {
  if (!is_delivered()) {
    std::fputs("the safe point did not deliver\n", stderr);
    return 1;
  }
  const std::string_view owner = owner_of_throws();
  // A sanitizer may stand in between; `link.throws_go_through_libgcc*` does not run under one.
  if (owner.find("/libgcc_s.so.1") == owner.npos && owner.find("/libasan.so") == owner.npos) {
    std::fprintf(stderr, "throws go through %s\n", owner.data());
    return 1;
  }
  return 0;
}
