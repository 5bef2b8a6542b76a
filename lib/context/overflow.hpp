// Says so where the stack of a computation overflows.
#pragma once

namespace sigexc::detail {

// For each thread that runs computations: gives it an alternate stack for signal handlers, if it has
// none, and makes sure that SIGSEGV is looked at. A signal that finds less than 3 KiB left of a
// stack ends the process otherwise, and stacks of computations are small.
void prepare_signal_stack() noexcept;

extern constinit thread_local bool has_signal_stack __attribute__((tls_model("initial-exec")));

inline void watch_for_overflow() noexcept {
  if (!has_signal_stack) [[unlikely]]
    prepare_signal_stack();
}

}  // namespace sigexc::detail
