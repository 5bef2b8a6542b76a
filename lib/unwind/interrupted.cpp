// The walk of a stack that a signal has interrupted anywhere.
//
// Anywhere: also in the unwinder, between its setting of one register and the next, where no table
// is true. libgcc's `_Unwind_Backtrace` believes what it finds and crashes there, once in some ten
// thousand signals to threads that throw. So the stack is read by a system call, which fails where
// there is nothing to read; what is found is then wrong at worst.
//
// At each signal frame on the way the registers are those that the kernel has saved in it.
//
// It runs in a signal handler, and so is compiled as that is (lib/CMakeLists.txt).
#include "signal/program_counter.hpp"
#include "unwind/walk.hpp"

#include <signal.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cstring>

namespace sigexc::detail {

namespace {

// Reads a block of the stack at a time. A block never lies on two pages.
class stack_reader {
 public:
  bool operator()(std::uintptr_t slot, std::uintptr_t& found) noexcept {
    return copy(slot, &found, sizeof found);
  }
  bool copy(std::uintptr_t from, void* to, std::size_t size) noexcept {
    auto* next = static_cast<char*>(to);
    while (size > 0) {
      if ((start_ == 0 || from < start_ || from - start_ >= sizeof block_) && !load(from))
        return false;
      const std::size_t offset = from - start_;
      const std::size_t part = size < sizeof block_ - offset ? size : sizeof block_ - offset;
      std::memcpy(next, block_ + offset, part);
      next += part;
      from += part;
      size -= part;
    }
    return true;
  }

 private:
  // By the number of the system call: not a cancellation point, as a function of glibc might be.
  bool load(std::uintptr_t address) noexcept {
    start_ = address & ~(sizeof block_ - 1);
    iovec to{block_, sizeof block_};
    iovec from{reinterpret_cast<void*>(start_), sizeof block_};
    if (::syscall(SYS_process_vm_readv, ::syscall(SYS_getpid), &to, 1, &from, 1, 0) ==
        static_cast<long>(sizeof block_))
      return true;
    start_ = 0;
    return false;
  }

  std::uintptr_t start_ = 0;
  char block_[512];
};

stack_position position_of(ucontext_t& context) noexcept {
#if defined(__x86_64__)
  const auto& registers = context.uc_mcontext.gregs;
  return {static_cast<std::uintptr_t>(program_counter(context)), 0,
          static_cast<std::uintptr_t>(registers[REG_RSP]),
          static_cast<std::uintptr_t>(registers[REG_RBP])};
#else
  return {program_counter(context), 0, context.uc_mcontext.sp, context.uc_mcontext.regs[29]};
#endif
}

// The caller of what was interrupted where no rule tells: on aarch64 a function that has its return
// address in a register; on x86-64 a stub of the linker (PLT), which has it on top of the stack, or
// below one or two words that it has pushed.
bool find_caller([[maybe_unused]] const ucontext_t& context, stack_position& at,
                 [[maybe_unused]] stack_reader& read) noexcept {
#if defined(__aarch64__)
  at.counter = without_signature(context.uc_mcontext.regs[30]);
  return true;
#else
  function_entry function;
  for (std::uintptr_t slot = at.stack; slot < at.stack + 3 * sizeof(void*); slot += sizeof(void*)) {
    std::uintptr_t counter = 0;
    if (!read(slot, counter) || !find_function(counter - 1, function)) continue;
    at.counter = counter;
    at.slot = slot;
    at.stack = slot + sizeof(void*);
    return true;
  }
  return false;
#endif
}

// Where the kernel has put what it saved, seen from the frame of the function that returns to it.
constexpr std::size_t context_offset =
#if defined(__x86_64__)
    0;
#else
    sizeof(siginfo_t);
#endif

// What is needed of the context: on x86-64 the rest of it may lie behind the end of a stack.
constexpr std::size_t context_size = offsetof(ucontext_t, uc_mcontext) + sizeof(mcontext_t);

}  // namespace

std::size_t walk(ucontext_t& interrupted, std::uintptr_t* addresses, std::size_t most) noexcept {
  using enum frame_rule::kind;
  stack_reader read;
  ucontext_t context;
  std::memcpy(&context, &interrupted, context_size);
  stack_position at = position_of(context);
  bool is_exact = true;  // the counter is of an instruction, not behind a call
  std::size_t count = 0;
  while (count < most && at.counter != 0) {
    function_entry function;
    const std::uintptr_t counter = is_exact ? at.counter : at.counter - 1;
    const bool is_known = find_function(counter, function);
    if (is_known && !is_exact && function.is_signal_frame) {
      if (!read.copy(at.stack + context_offset, &context, context_size)) return count;
      at = position_of(context);
      is_exact = true;
      continue;
    }
    addresses[count++] = counter;
    const frame_rule rule = is_known ? find_rule(function, counter) : frame_rule();
    if (rule.how == outermost) return count;
    if (rule.how != unknown) {
      if (!step(rule, at, [&read](auto slot, auto& found) { return read(slot, found); }))
        return count;
    } else if (!is_exact || !find_caller(context, at, read)) {
      return count;
    }
    is_exact = false;
  }
  return count;
}

}  // namespace sigexc::detail
