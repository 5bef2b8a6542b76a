// Says so where the stack of a computation overflows.
#pragma once

namespace sigexc::detail {

// For each thread that runs computations: gives it an alternate stack for signal handlers, if it
// has none, and makes sure that SIGSEGV is looked at. A signal that finds less than 3 KiB left of a
// stack ends the process otherwise, and stacks of computations are small.
void prepare_signal_stack() noexcept;

}  // namespace sigexc::detail
