// Opens the library that its argument names and calls its `use`. It uses nothing of C++'s runtime
// itself: the library, and with it sigexc, is the first to bring that into the process.
#include <dlfcn.h>
#include <stdio.h>

int main(int, char** arguments) {
  void* const library = dlopen(arguments[1], RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    fprintf(stderr, "%s\n", dlerror());
    return 2;
  }
  void* const symbol = dlsym(library, "use");
  if (symbol == nullptr) return 3;
  return reinterpret_cast<int (*)()>(symbol)();
}
