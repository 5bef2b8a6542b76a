// The operations of sigexc::posix, one row each, for tests that hold for all of them.
//
// A row makes a scene: a call, what lets it complete, and a look at the world afterwards that fails
// unless the call has happened exactly once. So a call that raised and had an effect all the same
// is found out by the next one.
#pragma once

#include <sigexc/posix.hpp>

#include <functional>
#include <iosfwd>
#include <vector>

namespace sigexc::test {

struct scene {
  std::function<long()> call;          // waits before `feed`
  std::function<void()> feed = [] {};  // afterwards it completes at once
  std::function<void(long)> check;     // given its result
  std::function<void()> check_untouched = [] {
  };  // where a second call would hide what the first did
};

enum class waiting {
  until_fed,  // an operation that waits, and whose wait `feed` ends
  in_vain,    // its wait ends by the clock: `feed` makes the next call return at once
  never       // cannot be made to wait in a test: it depends on files and devices only
};

struct row {
  const char* name;
  std::function<scene()> make;
  std::function<long()> fail;  // fails with `error`
  int error;
  waiting waits = waiting::until_fed;
};

// Each has a file of its own.
std::vector<row> file_rows();
std::vector<row> socket_rows();
std::vector<row> poll_rows();     // and of time
std::vector<row> process_rows();  // and of queues

std::ostream& operator<<(std::ostream&, const row&);

}  // namespace sigexc::test
