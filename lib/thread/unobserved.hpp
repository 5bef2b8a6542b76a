// What happens to an exception that ended a thread and that nobody waited for (D6).
#pragma once

#include <sigexc/target.hpp>

#include <exception>

namespace sigexc::detail {

// Tells the unobserved handler, unless the exception is a termination or a group of nothing else.
void report_unobserved(const target& ended, const std::exception_ptr& exception) noexcept;

}  // namespace sigexc::detail
