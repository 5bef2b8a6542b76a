// Sleeping: a wait for nothing but the time.
#include "wait/await.hpp"

#include <sigexc/detail/current.hpp>
#include <sigexc/sync.hpp>

namespace sigexc::detail {

void sleep_until(std::chrono::steady_clock::time_point time) {
  // At an address at which nobody wakes. That the time is over is a result, so that a sleep which
  // need not wait is none for policy::on_blocking (M6).
  await(
      &current, [&time] { return std::chrono::steady_clock::now() >= time; }, time);
}

}  // namespace sigexc::detail
