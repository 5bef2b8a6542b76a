// What constructions call without their compiler knowing what it does.
#include "construction.hpp"

namespace sigexc::test {

volatile bool is_true = true;

void opaque() noexcept(false) {}
void opaque_noexcept() noexcept {}
void call(void (*what)()) {
  what();
  opaque();  // no tail call
}
void call_with(void (*what)(void*), void* with) {
  what(with);
  opaque();
}
opaque_local::opaque_local() { opaque(); }
opaque_local::~opaque_local() { opaque_noexcept(); }

}  // namespace sigexc::test
