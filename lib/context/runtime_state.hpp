// What the C++ and the C runtime keep for each thread, and what therefore has to move with a
// computation: the exceptions that are being handled and those on their way (a computation may pause
// in a catch clause, or in a destructor while the stack is unwound, and go on on another thread), and
// errno.
#pragma once

#include <cxxabi.h>

#include <cerrno>
#include <utility>

namespace sigexc::detail {

class runtime_state {
 public:
  // Exchanges this with the calling thread's. Not inlined: the addresses of both are declared to
  // compilers as the same throughout a function, which they are not behind a switch.
  [[gnu::noinline]] void exchange() noexcept {
    std::swap(exceptions_, *reinterpret_cast<exceptions*>(abi::__cxa_get_globals()));
    std::swap(errno_, errno);
    asm volatile("" ::: "memory");
  }

 private:
  // __cxa_eh_globals of the Itanium C++ ABI. (32-bit Arm's is longer.)
  struct exceptions {
    void* caught;
    unsigned int uncaught;
  };

  exceptions exceptions_{};
  int errno_ = 0;
};

}  // namespace sigexc::detail
