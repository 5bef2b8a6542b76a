// Reading /proc. Without streams, which may throw; each file is read at once, as the kernel makes
// it.
#include "process/kernel_view.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace sigexc::detail {

namespace {

using text_buffer = std::array<char, 4096>;

// The first line or page of a file of the thread; empty if it cannot be read.
const char* read_file(pid_t tid, const char* name, text_buffer& into) noexcept {
  std::array<char, 64> path{};
  std::snprintf(path.data(), path.size(), "/proc/self/task/%d/%s", tid, name);
  ssize_t length = 0;
  if (const int file = ::open(path.data(), O_RDONLY | O_CLOEXEC); file >= 0) {
    length = ::read(file, into.data(), into.size() - 1);
    ::close(file);
  }
  into[length > 0 ? static_cast<std::size_t>(length) : 0] = '\0';
  return into.data();
}

}  // namespace

kernel_view::kernel_view(pid_t tid) noexcept : tid_(tid) {
  text_buffer buffer;
  const char* const status = read_file(tid, "status", buffer);
  if (const char* const state = std::strstr(status, "\nState:\t"))
    state_ = state[std::strlen("\nState:\t")];
  if (const char* const blocked = std::strstr(status, "\nSigBlk:\t"))
    blocked_ = std::strtoull(blocked + std::strlen("\nSigBlk:\t"), nullptr, 16);
}

std::string kernel_view::text() const {
  switch (state_) {
    case 'R':
      return "runs";
    case 'T':
    case 't':
      return "is stopped";
    case 'S':
    case 'D':
      break;
    default:
      return "is in a state that the kernel does not tell";
  }
  std::string said = "sleeps in the kernel";
  text_buffer buffer;
  const std::string place = read_file(tid_, "wchan", buffer);
  if (!place.empty() && place != "0") said += " (" + place + ")";
  // The number of the call comes first; -1: it is in none.
  const char* const call = read_file(tid_, "syscall", buffer);
  if (*call >= '0' && *call <= '9') said += ", in system call " + std::to_string(std::atoi(call));
  return said;
}

}  // namespace sigexc::detail
