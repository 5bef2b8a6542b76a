// Compiled without unwind tables, as some C libraries are.
namespace sigexc::test {

extern volatile bool is_true;
void call_without_tables(void (*what)());

void call_without_tables(void (*what)()) {
  what();
  is_true = true;
}

}  // namespace sigexc::test
