// The operator's bus: a pipe from the operator's desk, and the thread that listens at its end.
//
// A message is a line: "order blue yellow" or "stop". It may come in pieces; each complete one
// becomes one interrupt of the mission. The listener waits in the kernel, in sigexc::posix::read,
// as it would at a serial line or a field bus: nothing of it polls. `quit` ends it there, and no
// byte is lost: what was read has been returned, what was not is still in the pipe (O1-O3).
//
// The wait is outside of simulated time. So whoever writes or sends `quit` also summons the
// listener, and its seat comes behind theirs: it takes its turn in the same tick.
#pragma once

#include <sigexc/target.hpp>

#include <string>
#include <string_view>

#include "mission/workplace.hpp"

namespace workcell::mission {

class bus {
 public:
  /// @param seat the listener's. Throws: std::system_error where there are no descriptors left.
  explicit bus(lockstep_clock::seat& seat);
  ~bus();
  bus(const bus&) = delete;
  bus& operator=(const bus&) = delete;

  /// At the desk: puts bytes on the bus. Never waits: no operator types 64 KiB ahead.
  /// Safe point: always, and then nothing was written (O1).
  void write(std::string_view bytes);
  /// At the desk: lets the listener take its turn, for what was written or sent to it.
  void summon_listener() { seat_.summon(); }

  /// The listener's thread: reads, and interrupts `mission` for each message, until `quit`.
  /// @return all bytes that it has read.
  std::string listen(workplace& at, const sigexc::target& mission);

  /// All bytes that were written.
  [[nodiscard]] const std::string& written() const { return written_; }
  /// Takes what nobody has read out of the pipe.
  [[nodiscard]] std::string drain();

 private:
  [[nodiscard]] std::size_t bytes_in_pipe() const;

  lockstep_clock::seat& seat_;
  int reading_end_ = -1;
  int writing_end_ = -1;
  std::string written_;
};

}  // namespace workcell::mission
