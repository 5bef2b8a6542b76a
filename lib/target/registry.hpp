// The list of all targets that are alive.
#pragma once

#include <sigexc/target.hpp>

#include <vector>

namespace sigexc::detail::registry {

// Makes the list itself, when the library is loaded.
void prepare();
void add(record& made);
void remove(record& ended) noexcept;
std::vector<target> all();

// Around a fork. In the child the calling thread's remain, if it is a target.
void before_fork() noexcept;
void after_fork(bool is_child) noexcept;

}  // namespace sigexc::detail::registry
