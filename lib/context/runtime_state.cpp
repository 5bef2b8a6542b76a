// Where the runtime's own of a thread is.
#include "context/runtime_state.hpp"

#include <cxxabi.h>

#include <cerrno>

namespace sigexc::detail {

constinit thread_local runtime_state::place runtime_state::here
    __attribute__((tls_model("initial-exec"))) = {nullptr, nullptr};

void runtime_state::find_place() noexcept {
  here = {reinterpret_cast<exceptions*>(abi::__cxa_get_globals()), &errno};
}

}  // namespace sigexc::detail
