// The handler of SIGEXC, and of the spare signal.
#pragma once

#include <signal.h>

namespace sigexc::detail {

extern "C" void sigexc_handler(int number, siginfo_t* info, void* context);

}  // namespace sigexc::detail
