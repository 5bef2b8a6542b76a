// A library that is opened and closed again. It is built twice: `run` lets exceptions out, or lets
// none out. The other function does the opposite, so that both libraries have the same size and are
// mapped at the same place.
#define EXPORT extern "C" __attribute__((visibility("default")))

EXPORT void run(void (*what)()) noexcept(!LETS_OUT);
EXPORT void run_opposite(void (*what)()) noexcept(LETS_OUT);

EXPORT void run(void (*what)()) noexcept(!LETS_OUT) {
  what();
  asm volatile("");  // no tail call
}
EXPORT void run_opposite(void (*what)()) noexcept(LETS_OUT) {
  what();
  asm volatile("");
}
