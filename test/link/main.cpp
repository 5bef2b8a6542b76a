// A program whose work is elsewhere: in it, or in a library that it links.
extern "C" int use();

int main() { return use(); }
