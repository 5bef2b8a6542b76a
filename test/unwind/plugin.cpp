// A library that is opened and closed again. It is built twice: with a function that lets
// exceptions out, and with one in its place that does not.
extern "C" __attribute__((visibility("default"))) void run(void (*what)()) LETS_OUT;
extern "C" void run(void (*what)()) LETS_OUT {
  what();
  asm volatile("");  // no tail call
}
