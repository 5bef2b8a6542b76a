// Diagnosing with names that were looked up before: for the dump, which does it often.
#pragma once

#include "unwind/symbols.hpp"

#include <sigexc/diagnose.hpp>

namespace sigexc::detail {

report diagnose(const target& who, const symbols& names);

}  // namespace sigexc::detail
