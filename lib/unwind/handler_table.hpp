// What a function's table of handlers (LSDA) says of an exception that passes one of its calls.
#pragma once

#include "unwind/function_entry.hpp"

#include <cstdint>
#include <typeinfo>

namespace sigexc::detail {

struct call_site {
  enum class kind {
    uncovered,     // nothing may be thrown here: the personality terminates
    nothing,       // the exception goes on outward
    cleanup,       // the pad runs, and is expected to go on outward
    handler,       // the pad runs, and is expected to catch
    specification  // an exception specification of C++14
  };
  kind what = kind::nothing;
  std::uintptr_t pad = 0;
  int selector = 0;          // what the personality tells the pad: which of its handlers is meant
  bool tells_types = false;  // it might be another one for another type
};

// Null stands for a type that only `catch (...)` takes.
call_site find_call_site(const function_entry& function, std::uintptr_t counter,
                         const std::type_info* thrown) noexcept;

}  // namespace sigexc::detail
