// The program of a user who has computations: one is resumed from where it has paused.
#include <sigexc/resumable.hpp>
#include <sigexc/sigexc.hpp>

int main() {
  sigexc::resumable search([] {
    sigexc::this_thread::get_target().interrupt(sigexc::pause_request());
    sigexc::safe_point();
    return 3;
  });
  if (search.resume() != sigexc::progress::paused) return 1;
  if (search.resume() != sigexc::progress::finished) return 2;
  return search.result() == 3 ? 0 : 3;
}
