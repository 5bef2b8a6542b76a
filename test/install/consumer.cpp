// The program of a user: interrupts a thread that computes, and catches it there.
#include <sigexc/sigexc.hpp>

struct obstacle {
  int distance;
};

int main() {
  sigexc::thread search([] {
    try {
      for (;;) sigexc::safe_point();
    } catch (const obstacle& o) {
      return o.distance;
    }
  });
  search.interrupt(obstacle{3});  // kept for its first safe point, should it come that early (S7)
  return search.wait() == 3 ? 0 : 1;
}
