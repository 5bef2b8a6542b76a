// The definition of the thread's own block. The model and constinit stand here too: else gcc
// reaches it through __tls_get_addr from within the library.
#include <sigexc/detail/current.hpp>

namespace sigexc::detail {

constinit thread_local current_block current __attribute__((tls_model("initial-exec")));

}  // namespace sigexc::detail
