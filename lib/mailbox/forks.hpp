// How many forks lie between the start of the program and this process.
//
// A child of fork() has the memory of its parent and one of its threads. What belonged to the other
// threads is told by the number of forks that was current when it was made: it needs not be found
// in lists that one of those threads may have been about to change (X1).
#pragma once

#include <atomic>
#include <cstdint>

namespace sigexc::detail {

// Written by the fork handler of a child, while that has one thread only.
inline constinit std::atomic<std::uint32_t> fork_count{0};

// Signals: async-signal-safe.
inline std::uint32_t forks() noexcept { return fork_count.load(std::memory_order_relaxed); }

}  // namespace sigexc::detail
