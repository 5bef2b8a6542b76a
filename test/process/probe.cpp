// A new program, which knows nothing of the library: ends with 0 if the signal whose number is its
// first argument is neither blocked, nor pending, nor ignored, and the environment is the caller's.
#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>

namespace {

bool has(const char* status, const char* field, int number) {
  const char* const line = std::strstr(status, field);
  if (line == nullptr) return true;
  return (std::strtoull(line + std::strlen(field), nullptr, 16) >> (number - 1) & 1) != 0;
}

}  // namespace

int main(int count, char** arguments) {
  if (count < 2) return 64;
  const int number = std::atoi(arguments[1]);
  static char status[8192];
  const int file = ::open("/proc/self/status", O_RDONLY);
  if (::read(file, status, sizeof status - 1) <= 0) return 65;
  int faults = 0;
  if (has(status, "\nSigBlk:", number)) faults |= 1;
  if (has(status, "\nSigPnd:", number) || has(status, "\nShdPnd:", number)) faults |= 2;
  if (has(status, "\nSigIgn:", number)) faults |= 4;
  // With a second argument: another signal, which has to be blocked.
  if (count > 2 && !has(status, "\nSigBlk:", std::atoi(arguments[2]))) faults |= 8;
  const char* const told = std::getenv("SIGEXC_TEST_TOLD");
  if (told == nullptr || std::strcmp(told, "yes") != 0) faults |= 16;
  return faults;
}
