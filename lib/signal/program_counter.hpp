// Where a thread was when a signal's handler interrupted it.
#pragma once

#include <ucontext.h>

namespace sigexc::detail {

[[gnu::always_inline]] inline auto& program_counter(ucontext_t& context) noexcept {
#if defined(__x86_64__)
  return context.uc_mcontext.gregs[REG_RIP];
#elif defined(__aarch64__)
  return context.uc_mcontext.pc;
#else
#error "sigexc: no gate for this architecture; see lib/signal/gate.hpp"
#endif
}

}  // namespace sigexc::detail
