// Choosing SIGEXC's number and the options of the process. The options are fixed by the first
// target, so each test is a process of its own (a death test in the "threadsafe" style, that is,
// the test program started anew).
#include <sigexc/sigexc.hpp>

#include "support/watchdog.hpp"

#include <gtest/gtest.h>

#include <signal.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <system_error>

namespace {

// Runs `body` in a new process; it must return true.
#define EXPECT_IN_A_NEW_PROCESS(body)                            \
  do {                                                           \
    GTEST_FLAG_SET(death_test_style, "threadsafe");              \
    EXPECT_EXIT(std::_Exit((body)() ? 0 : 1), testing::ExitedWithCode(0), ""); \
  } while (false)

template <class F>
std::string refusal(F action) {
  try {
    action();
  } catch (const std::system_error& error) {
    return error.what();
  }
  return {};
}

bool says(const std::string& text, const std::string& part) {
  if (text.find(part) != std::string::npos) return true;
  std::fprintf(stderr, "expected '%s' in '%s'\n", part.c_str(), text.c_str());
  return false;
}

void enroll() { sigexc::enrollment here; }

TEST(SignalNumber, IsTheSixthRealTimeSignalByDefault) {
  EXPECT_IN_A_NEW_PROCESS([] {
    ::unsetenv("SIGEXC_SIGNAL");
    return sigexc::signal_number() == SIGRTMIN + 6;
  });
}

TEST(SignalNumber, ComesFromTheEnvironment) {
  EXPECT_IN_A_NEW_PROCESS([] {
    ::setenv("SIGEXC_SIGNAL", std::to_string(SIGRTMIN + 9).c_str(), 1);
    enroll();
    return sigexc::signal_number() == SIGRTMIN + 9;
  });
}

TEST(SignalNumber, IsFixedByTheFirstTarget) {
  EXPECT_IN_A_NEW_PROCESS([] {
    enroll();
    const int before = sigexc::signal_number();
    ::setenv("SIGEXC_SIGNAL", std::to_string(SIGRTMIN + 9).c_str(), 1);
    return sigexc::signal_number() == before;
  });
}

TEST(SignalNumber, OfTheEnvironmentMustBeARealTimeSignal) {
  for (const char* wrong : {"", "abc", "12", "32", "33", "40x", "999", "-3"}) {
    SCOPED_TRACE(wrong);
    EXPECT_IN_A_NEW_PROCESS([wrong] {
      ::setenv("SIGEXC_SIGNAL", wrong, 1);
      const std::string said = refusal(enroll);
      return *wrong == '\0' ? said.empty() : says(said, "SIGEXC_SIGNAL");
    });
  }
}

TEST(Configure, RefusesNumbersThatAreNoRealTimeSignals) {
  EXPECT_IN_A_NEW_PROCESS([] {
    for (const int wrong : {-1, SIGUSR1, 32, 33, SIGRTMAX + 1})
      if (!says(refusal([&] { sigexc::configure({.signal_number = wrong}); }), "real-time"))
        return false;
    enroll();  // what was refused has changed nothing
    return true;
  });
}

TEST(Configure, IsRefusedOnceATargetExists) {
  EXPECT_IN_A_NEW_PROCESS([] {
    enroll();
    return says(refusal([] { sigexc::configure({}); }), "before the first target");
  });
}

// X2
TEST(AForeignHandler, MakesTheFirstEnrollmentSayWhatToSet) {
  EXPECT_IN_A_NEW_PROCESS([] {
    ::unsetenv("SIGEXC_SIGNAL");
    ::signal(SIGRTMIN + 6, [](int) {});
    const std::string said = refusal(enroll);
    if (!says(said, "SIGEXC_SIGNAL") || !says(said, "configure")) return false;
    if (refusal([] { sigexc::thread never([] {}); }).empty()) return false;
    if (refusal([] { sigexc::configure({.signal_number = SIGRTMIN + 6}); }).empty()) return false;
    sigexc::configure({.signal_number = SIGRTMIN + 7});  // what the message advises helps
    enroll();
    return sigexc::signal_number() == SIGRTMIN + 7;
  });
}

// D2
TEST(Ungrouped, InterruptsAreRaisedOneAtATimeOldestFirst) {
  EXPECT_IN_A_NEW_PROCESS([] {
    sigexc::configure({.group = false});
    sigexc::enrollment here;
    for (int sent : {1, 2, 3}) here.get_target().interrupt(sent);
    for (int expected : {1, 2, 3}) {
      try {
        sigexc::safe_point();
        return false;
      } catch (int caught) {
        if (caught != expected) return false;
      }
    }
    sigexc::safe_point();
    return here.get_target().pending() == 0;
  });
}

// D2, D3
TEST(Ungrouped, CallbacksStillHandleWhatComesBeforeTheOneThatIsRaised) {
  EXPECT_IN_A_NEW_PROCESS([] {
    sigexc::configure({.group = false});
    sigexc::enrollment here;
    int handled = 0;
    const auto counting = sigexc::attach<char>([&](char) { ++handled; });
    here.get_target().interrupt('a');
    here.get_target().interrupt(1);
    here.get_target().interrupt('b');
    try {
      sigexc::safe_point();
      return false;
    } catch (int) {
      if (handled != 1) return false;
    }
    sigexc::safe_point();
    return handled == 2;
  });
}

}  // namespace
