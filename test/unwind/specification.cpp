// Exception specifications, as C++ had them until 2017. Compiled as C++14.
namespace sigexc {
namespace test {

struct stranger {};
void opaque() noexcept(false);
void call_under_specification(void (*)());
void call_under_empty_specification(void (*)());

namespace {
void call_specified(void (*what)()) throw(stranger) {
  what();
  opaque();
}
void call_specified_empty(void (*what)()) throw() {
  what();
  opaque();
}
}  // namespace

void call_under_specification(void (*what)()) { call_specified(what); }
void call_under_empty_specification(void (*what)()) { call_specified_empty(what); }

}  // namespace test
}  // namespace sigexc
