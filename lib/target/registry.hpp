// The list of all targets that are alive.
#pragma once

#include <sigexc/target.hpp>

#include <vector>

namespace sigexc::detail::registry {

void add(record& made);
void remove(record& ended) noexcept;
std::vector<target> all();

}  // namespace sigexc::detail::registry
