#include "mission/bus.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <sigexc/posix.hpp>
#include <sigexc/safe_point.hpp>

#include <array>
#include <cerrno>
#include <sstream>
#include <system_error>

namespace workcell::mission {
namespace {

/// @return the result of a system call. Throws: std::system_error.
template <class Result>
Result checked(Result result, const char* call) {
  if (result < 0) throw std::system_error(errno, std::generic_category(), call);
  return result;
}

void obey(const std::string& message, workplace& at, const sigexc::target& mission) {
  std::istringstream words(message);
  std::string verb;
  words >> verb;
  if (verb == "order") {
    order_changed change;
    for (std::string part; words >> part;) change.order.push_back(part);
    at.books.send(mission, change, "bus");
  } else if (verb == "stop") {
    at.books.send(mission, emergency_stop{{}, "operator"}, "bus");
  } else {
    at.log.note(fmt::format("the bus does not understand \"{}\"", message));
  }
}

}  // namespace

bus::bus(lockstep_clock::seat& seat) : seat_(seat) {
  std::array<int, 2> ends{};
  checked(pipe2(ends.data(), O_CLOEXEC), "pipe2");
  reading_end_ = ends[0];
  writing_end_ = ends[1];
}

bus::~bus() {
  ::close(reading_end_);
  ::close(writing_end_);
}

void bus::write(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto count = static_cast<std::size_t>(
        checked(sigexc::posix::write(writing_end_, bytes.data(), bytes.size()), "write"));
    written_ += bytes.substr(0, count);
    bytes.remove_prefix(count);
  }
}

std::string bus::listen(workplace& at, const sigexc::target& mission) {
  const lockstep_clock::seat::occupant here(seat_);
  std::string heard;
  std::size_t obeyed = 0;  // of `heard`; what lies behind is a message's beginning
  try {
    for (;;) {
      sigexc::safe_point();                      // a quit that came with the last bytes
      if (bytes_in_pipe() == 0) seat_.go_out();  // the read will wait, simulated time will not
      std::array<char, 256> buffer;
      const ssize_t count = sigexc::posix::read(reading_end_, buffer.data(), buffer.size());
      heard.append(buffer.data(), static_cast<std::size_t>(checked(count, "read")));
      seat_.come_back();
      for (std::size_t end; (end = heard.find('\n', obeyed)) != std::string::npos;) {
        obey(heard.substr(obeyed, end - obeyed), at, mission);
        obeyed = end + 1;
      }
    }
  } catch (const quit& switched_off) {
    seat_.come_back();
    at.books.note_catch(switched_off, "bus/read");
    at.books.answered(switched_off, "bus");
  }
  return heard;
}

std::string bus::drain() {
  std::string left(bytes_in_pipe(), '\0');
  if (!left.empty()) checked(::read(reading_end_, left.data(), left.size()), "read");
  return left;
}

std::size_t bus::bytes_in_pipe() const {
  int count = 0;
  checked(ioctl(reading_end_, FIONREAD, &count), "ioctl");
  return static_cast<std::size_t>(count);
}

}  // namespace workcell::mission
