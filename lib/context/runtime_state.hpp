// What the C++ and the C runtime keep for each thread, and what therefore has to move with a
// computation: the exceptions that are being handled and those on their way (a computation may
// pause in a catch clause, or in a destructor while the stack is unwound, and go on on another
// thread), and errno.
//
// Where they are is asked once a thread, since it takes calls into two libraries; and through a
// thread_local of ours, since compilers take both addresses to be the same throughout a function,
// which they are not behind a switch. For that reason `exchange` is not inlined, either.
#pragma once

#include <utility>

namespace sigexc::detail {

class runtime_state {
 public:
  // __cxa_eh_globals of the Itanium C++ ABI. (32-bit Arm's is longer.)
  struct exceptions {
    void* caught;
    unsigned int uncaught;
  };
  // The calling thread's; null: not asked for yet.
  struct place {
    exceptions* of_exceptions;
    int* of_errno;
  };
  static constinit thread_local place here __attribute__((tls_model("initial-exec")));
  static void find_place() noexcept;

  // Exchanges this with the calling thread's.
  [[gnu::noinline]] void exchange() noexcept {
    exceptions& theirs = *here.of_exceptions;
    // Mostly both sides have none.
    if (exceptions_.caught != theirs.caught || exceptions_.uncaught != theirs.uncaught) [[unlikely]]
      std::swap(exceptions_, theirs);
    std::swap(errno_, *here.of_errno);
    asm volatile("" ::: "memory");
  }

 private:
  exceptions exceptions_{};
  int errno_ = 0;
};

}  // namespace sigexc::detail
