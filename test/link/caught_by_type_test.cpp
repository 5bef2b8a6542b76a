// Exceptions are caught by type across libraries: between a program and a library that it links,
// and a plugin that it opens with dlopen and RTLD_LOCAL, whose type information stays its own.
#include <dlfcn.h>
#include <gtest/gtest.h>

#include "peer.hpp"

extern "C" const module_functions* peer_functions();

namespace {

const module_functions* linked() { return peer_functions(); }

const module_functions* opened() {
  void* const plugin = dlopen(PLUGIN, RTLD_NOW | RTLD_LOCAL);
  if (plugin == nullptr) throw std::runtime_error(dlerror());
  void* const symbol = dlsym(plugin, "peer_functions");
  return reinterpret_cast<const module_functions* (*)()>(symbol)();
}

struct route {
  const char* name;
  const module_functions* (*peer)();
  kind what;
};

class CaughtByType : public testing::TestWithParam<route> {
 protected:
  const module_functions& peer = *GetParam().peer();
  const kind what = GetParam().what;
};

TEST_P(CaughtByType, InTheProgramWhatThePeerThrows) { EXPECT_EQ(caught(peer.raise, what), what); }

TEST_P(CaughtByType, InThePeerWhatTheProgramThrows) { EXPECT_EQ(peer.caught(raise, what), what); }

TEST_P(CaughtByType, InTheProgramWhatThePeerSends) {  // D2
  const sigexc::enrollment self;
  peer.send(self.get_target(), what);
  EXPECT_EQ(delivered(), what);
  EXPECT_EQ(delivered(), kind::nothing);
}

TEST_P(CaughtByType, InThePeerWhatTheProgramSends) {  // D2
  const sigexc::enrollment self;
  send(self.get_target(), what);
  EXPECT_EQ(peer.delivered(), what);
  EXPECT_EQ(peer.delivered(), kind::nothing);
}

// D3, M1: callbacks and scopes match types as well, without a throw.
TEST_P(CaughtByType, ByCallbacksAndScopesOfTheProgramWhatThePeerSends) {
  const sigexc::enrollment self;
  int handled = 0;
  const auto slips = sigexc::attach<slip>([&](const slip&) { ++handled; });
  const auto others = sigexc::attach<sigexc::interruption>([&](const auto&) { ++handled; });
  {
    const sigexc::block_scope<slip, sigexc::interruption> block;
    peer.send(self.get_target(), what);
    EXPECT_EQ(peer.delivered(), kind::nothing);
    EXPECT_EQ(handled, 0);
  }
  EXPECT_EQ(handled, what == kind::group ? 2 : 1);
  EXPECT_FALSE(sigexc::interrupt_pending());
}

INSTANTIATE_TEST_SUITE_P(Each, CaughtByType,
                         testing::Values(route{"LinkedTerminated", linked, kind::terminated},
                                         route{"LinkedGroup", linked, kind::group},
                                         route{"LinkedSlip", linked, kind::slip},
                                         route{"OpenedTerminated", opened, kind::terminated},
                                         route{"OpenedGroup", opened, kind::group},
                                         route{"OpenedSlip", opened, kind::slip}),
                         [](const auto& instance) { return instance.param.name; });

}  // namespace
