// The handler of SIGEXC, and of the spare signal.
#pragma once

#include <signal.h>

#include <atomic>
#include <cstdint>

namespace sigexc::detail {

extern "C" {
void sigexc_handler(int number, siginfo_t* info, void* context);
// Sends SIGEXC, which is blocked in the frame that the handler returns to, to the calling thread.
// Signals: async-signal-safe; keeps errno.
void sigexc_send_to_self();
}

// SIGEXC and the spare signal as bits of a kernel's mask. 0 where changing the mask in the context
// of a handler has no effect, as under valgrind 3.19, which hands out a mere copy: what is sent
// again would come again at once, for ever. Set when the handler is installed.
extern constinit std::atomic<std::uint64_t> signals_in_mask;

}  // namespace sigexc::detail
