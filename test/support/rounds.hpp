// How long stress tests last: as long as the environment says, or as each of them thinks enough. A
// sanitizer makes a round slow and each round more telling: there a quarter is enough.
#pragma once

#include <sigexc/target.hpp>

#include <cstdlib>
#include <string>

namespace sigexc::test {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool is_sanitized = true;
#else
inline constexpr bool is_sanitized = false;
#endif

// Rounds of a stress test: SIGEXC_STRESS_ROUNDS if that is set, else `usual`.
inline int stress_rounds(int usual) {
  const char* const wanted = std::getenv("SIGEXC_STRESS_ROUNDS");
  if (wanted != nullptr) return std::stoi(wanted);
  return is_sanitized && usual >= 100 ? usual / 4 : usual;
}

// Interrupts `who`, unless much is pending there already: a flood would only measure how fast it is
// taken.
inline void interrupt_gently(const target& who) {
  if (who.pending() < 4) who.interrupt(0);
}

}  // namespace sigexc::test
