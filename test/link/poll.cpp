// A safe point alone, for a look at its instructions.
#include <sigexc/safe_point.hpp>

extern "C" void poll_me();
extern "C" void poll_me() { sigexc::safe_point(); }
