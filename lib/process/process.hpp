// Which process this is, for what has to know whether it runs in a child of vfork().
#pragma once

#include <sys/types.h>

#include <atomic>

namespace sigexc::detail {

// The process that the library was loaded into, or the latest child of fork(). Another answer of
// getpid() comes from a child that has run no fork handlers, and may share its parent's memory.
extern constinit std::atomic<pid_t> process_of_library;

}  // namespace sigexc::detail
