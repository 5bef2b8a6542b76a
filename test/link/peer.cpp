// The library that test_link links, and the plugin that it opens.
#include "peer.hpp"

extern "C" __attribute__((visibility("default"))) const module_functions* peer_functions();
extern "C" const module_functions* peer_functions() { return &functions; }
