// Looking at another thread: its stack, its scopes, what it holds.
//
// All of these are that thread's alone, so it looks itself, in the handler of a signal that is not
// SIGEXC: that one's handler is to stay as it is (X3), and a SIGEXC from elsewhere would cost a
// walk. The signal is the first after SIGEXC that nobody handles; it is chosen and installed with
// the first inspection, and then kept.
//
// Why the handler may read what it reads, wherever it has interrupted the thread:
//
// - The chain of scopes lives on the thread's own stack. A scope is whole before it is made the
//   innermost, and is no longer the innermost before its storage is used again; compilers keep to
//   that order, by the signal fences in `scope::enter` and `leave`. Scopes do not change in
//   between.
// - `held` is changed by the thread alone, in an order that leaves the chain whole at each step
//   (target/record.hpp). Its interrupts are counted in by being there. Others may mark one of them
//   as withdrawn, an atomic, but take none away. The exception of a held one is not assigned to.
// - What is still in the mailbox is not touched: who withdraws the newest takes it away under our
//   hands. The mailbox tells of the oldest by atomics.
// - The stack: by reads that may fail, as it may be in any state (unwind/interrupted.cpp).
//
// There is one inspection at a time, and a place for it that never goes: a handler may come late,
// when nobody waits any more. `wanted` says whose answer is awaited; the handler and a requester
// that gives up both take that away by an exchange, so that only one of them does.
//
// The signal is sent while counted in `traffic`, as SIGEXC is: no other thread can have the id. The
// count is not kept while waiting for the answer, or the thread could not open a block meanwhile.
#pragma once

#include "target/record.hpp"

#include <sigexc/mask.hpp>

#include <signal.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <typeinfo>

namespace sigexc::detail {

struct inspection {
  std::array<std::uintptr_t, 128> stack;
  std::size_t depth;
  std::array<scope::view, 32> scopes;  // innermost first
  std::size_t scope_count;
  // Of the oldest interrupt that is held and was not withdrawn. `type` is null for a foreign one.
  bool has_held;
  const std::type_info* type;
  std::chrono::steady_clock::time_point queued;
  std::uintptr_t unraised_at;  // as in the record
  // The computation that it has resumed and that runs, whose stack this is; empty: none.
  std::array<char, 32> runs;
};

enum class answer {
  given,
  ended,        // the thread has ended, or has not begun
  no_signal,    // every real-time signal has a handler
  blocked,      // the thread blocks the signal
  not_sent,     // the kernel's queue of signals is full
  not_in_time,  // the signal was sent, and nothing came back
};

// Has `who` look at itself, or does so where `who` is the caller. Blocks for at most about a
// second. Signals: unsafe.
answer inspect(record& who, inspection& found) noexcept;

// In a child of fork(): nobody is asked. (The lock is not held across the fork, as others hold it
// for long, waiting for a thread that may be the one which forks.)
void inspection_after_fork() noexcept;

// The signal, once there was an inspection; 0: there is none.
int inspection_signal() noexcept;

// For the handler's own file.
extern constinit struct inspection_place {
  std::atomic<record*> wanted{nullptr};
  std::atomic<std::uint32_t> answers{0};  // a futex
  inspection found{};
} inspected;
// The caller looks at the scopes and at what is held of `self`: itself, or who waits for it to
// halt.
void look(record& self, inspection& found) noexcept;
extern "C" void sigexc_inspect(int number, siginfo_t* info, void* context);

}  // namespace sigexc::detail
