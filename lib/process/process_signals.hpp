// What fork() means for the bridges of signals.
#pragma once

namespace sigexc::detail {

// In a child: nobody there holds their lock or runs their handler.
void signals_after_fork() noexcept;

}  // namespace sigexc::detail
