// What a thread keeps of itself, in one small block of thread-local storage: the pending flag that
// every safe point reads, and what the inlined parts of scopes need.
//
// The TLS model is initial-exec and the block is constinit, here and on its definition: a read is
// then one load relative to the thread pointer, from an executable as from a shared library, and
// the signal handler never calls __tls_get_addr, which may allocate. The block stays under 64
// bytes, so that it fits into the surplus that the loader keeps for libraries opened later.
//
// Others reach a target's block through its record, and only while they are counted in the
// record's `traffic`: the thread does not end, and its storage does not go, before that is zero.
//
// While a thread runs a resumable computation, `held`, `quiet`, `innermost`, `self`, `traffic` and
// `is_signalled` are the computation's, and are put back when it pauses
// (lib/deliver/computation.cpp). All else belongs to the thread. A computation may go on on another
// thread; so whoever may have paused must not keep the address of the block, and compilers must not
// do it for him: the block is used by its name, which they read relative to the thread pointer each
// time, and its address is taken by `this_block`.
#pragma once

#include <sigexc/export.hpp>

#include <pthread.h>

#include <atomic>
#include <cstdint>

namespace sigexc::detail {

struct record;
class scope;

// See lib/target/traffic.hpp.
inline constexpr std::uint64_t traffic_turn = 1ULL << 48;

struct current_block {
  // Not 0: a safe point has something to look at. Written by senders and by the handler of SIGEXC
  // (set) and by the owner (cleared, always before it takes the mailbox).
  std::atomic<std::uint32_t> pending_flag{0};
  // Not 0: inside the gate, that is, about to make a system call or in it. Written by the gate;
  // read by the handler, and by senders that signal only who waits.
  std::atomic<std::uint32_t> in_gate{0};
  // Not 0: interrupts were taken from the mailbox and are held by a scope. The owner's alone.
  std::uint32_t held{0};
  // Counts wake-ups: the futex on which the owner sleeps in a wait of ours.
  std::atomic<std::uint32_t> bell{0};
  // The owner sleeps, or is about to: senders ring the bell. Written by the owner.
  std::atomic<bool> asleep{false};
  // The owner is inside a block of everything: senders send no signal (S4). Written by the owner.
  std::atomic<bool> quiet{false};
  // The handler has blocked SIGEXC in a frame that it interrupted: see signal/handler.cpp.
  bool is_mask_edited{false};
  // A sender has raised the flag since the last look for signals: its signal may be on its way.
  // The owner's alone.
  bool is_signalled{false};
  // The kernel's id of the thread and its handle, for senders; 0: not known yet, and SIGEXC may be
  // blocked. Written by the owner before a record refers to this.
  std::int32_t tid{0};
  // The innermost scope, and the record if the thread is a target. The owner's alone.
  const scope* innermost{nullptr};
  record* self{nullptr};
  // The word of `self->traffic`: a bit besides `traffic_turn` is set while a sender may be about to
  // send a signal (see scope::enter).
  const std::atomic<std::uint64_t>* traffic{nullptr};
  pthread_t handle{};

  // Something to look at, in the mailbox or held.
  [[nodiscard]] bool has_news() const noexcept {
    return (pending_flag.load(std::memory_order_relaxed) | held) != 0;
  }
};
static_assert(sizeof(current_block) <= 64);

extern SIGEXC_EXPORT constinit thread_local current_block current
    __attribute__((tls_model("initial-exec")));

// The address of `current`, found anew each time: compilers take it to be the same throughout a
// function, which it is not where the function has been paused and goes on on another thread.
[[gnu::always_inline]] inline current_block& this_block() noexcept {
  current_block* found;
#if defined(__x86_64__)
  asm volatile("movq %%fs:0, %0\n\taddq _ZN6sigexc6detail7currentE@gottpoff(%%rip), %0"
               : "=r"(found)
               :
               : "cc");
#else
  std::uintptr_t offset;
  asm volatile(
      "mrs %0, tpidr_el0\n\tadrp %1, :gottprel:_ZN6sigexc6detail7currentE\n\t"
      "ldr %1, [%1, #:gottprel_lo12:_ZN6sigexc6detail7currentE]\n\tadd %0, %0, %1"
      : "=&r"(found), "=&r"(offset));
#endif
  return *found;
}

// The slow path of a safe point: takes the mailbox, runs callbacks, raises. It returns if there
// was nothing that may be delivered here.
SIGEXC_EXPORT void deliver();

}  // namespace sigexc::detail
