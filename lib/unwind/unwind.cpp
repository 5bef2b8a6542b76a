// The walker by libgcc. It runs in a signal handler, and so is compiled as that is (lib/CMakeLists.txt).
#include "unwind/walk.hpp"

#include <unwind.h>

namespace sigexc::detail {

namespace {

struct collector {
  std::uintptr_t interrupted;
  std::uintptr_t* addresses;
  std::size_t most;
  std::size_t count = 0;
  bool has_begun = false;
};

_Unwind_Reason_Code collect(_Unwind_Context* frame, void* argument) {
  auto& all = *static_cast<collector*>(argument);
  int is_exact = 0;  // the counter of an interrupted frame; else a return address
  const std::uintptr_t counter = _Unwind_GetIPInfo(frame, &is_exact);
  if (counter == 0) return _URC_END_OF_STACK;
  if (!all.has_begun && all.interrupted != 0 && counter != all.interrupted) return _URC_NO_REASON;
  all.has_begun = true;
  if (all.count == all.most) return _URC_END_OF_STACK;
  all.addresses[all.count++] = is_exact != 0 ? counter : counter - 1;
  return _URC_NO_REASON;
}

}  // namespace

__attribute__((noinline)) std::size_t unwind(std::uintptr_t interrupted, std::uintptr_t* addresses,
                                             std::size_t most) noexcept {
  collector all{interrupted, addresses, most};
  _Unwind_Backtrace(collect, &all);
  if (interrupted != 0) {
    if (all.count == 0 && most > 0) addresses[all.count++] = interrupted;
    return all.count;
  }
  // Its own frame comes first.
  if (all.count == 0) return 0;
  for (std::size_t i = 1; i < all.count; ++i) addresses[i - 1] = addresses[i];
  return all.count - 1;
}

}  // namespace sigexc::detail
