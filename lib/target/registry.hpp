// The list of all targets that are alive, oldest first. It runs through the records, and so takes
// no memory of its own that could be wanting.
#pragma once

#include <sigexc/target.hpp>

#include <vector>

namespace sigexc::detail::registry {

// A link of the list, in each record; guarded by the list's mutex. One that is in no list is linked
// with itself.
struct link {
  link* next = this;
  link* previous = this;
  link() noexcept = default;
  link(const link&) = delete;
  link& operator=(const link&) = delete;
};

// Makes the list itself, when the library is loaded.
void prepare();
void add(record& made) noexcept;
void remove(record& ended) noexcept;  // if it is there
std::vector<target> all();

// Around a fork. In the child the calling thread's remain, if it is a target.
void before_fork() noexcept;
void after_fork(bool is_child) noexcept;

}  // namespace sigexc::detail::registry
