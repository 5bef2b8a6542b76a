// The steps of making a thread, for those that do something in between.
#pragma once

#include <sigexc/thread.hpp>

#include <memory>

namespace sigexc::detail {

// Makes the target that the thread will be. From then on it can be sent to. Who does not launch it
// abandons it. Throws std::system_error, std::bad_alloc.
void make_target(thread_state& state, const thread_options& options);

// Starts the thread. If that fails the target is abandoned. Throws the same.
void launch(const std::shared_ptr<thread_state>& state, const thread_options& options);

// Sends a termination, unless the thread has ended; where there is no memory, as soon as there is.
void request_end(thread_state& state) noexcept;

}  // namespace sigexc::detail
