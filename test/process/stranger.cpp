// A library that knows nothing of ours, and calls exec.
#include <unistd.h>

extern "C" __attribute__((visibility("default"))) int stranger_execv(const char* path,
                                                                     char* const* arguments) {
  return execv(path, arguments);
}
