// The dump, called and asked for by a signal.
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <string>
#include <system_error>

#include "support/interrupts.hpp"
#include "support/order.hpp"
#include "support/watchdog.hpp"

namespace sigexc {
namespace {

using namespace test;

// A pipe whose text is read up to a word that must come.
class text_pipe {
 public:
  text_pipe() {
    if (::pipe(ends_.data()) != 0) throw std::system_error(errno, std::generic_category());
  }
  text_pipe(const text_pipe&) = delete;
  text_pipe& operator=(const text_pipe&) = delete;
  ~text_pipe() {
    ::close(ends_[0]);
    ::close(ends_[1]);
  }
  [[nodiscard]] int in() const { return ends_[1]; }
  std::string read_until(const std::string& word) {
    std::string text;
    std::array<char, 4096> part{};
    while (text.find(word) == std::string::npos) {
      const ssize_t length = ::read(ends_[0], part.data(), part.size());
      if (length <= 0) break;
      text.append(part.data(), static_cast<std::size_t>(length));
    }
    return text;
  }

 private:
  std::array<int, 2> ends_{};
};

// R2
TEST(Dump, WritesAParagraphAboutEveryTarget) {
  const enrollment self("the caller");
  const long_wait sleeper;  // its thread, "holder", has one pending
  await([] {                // it has begun
    const auto all = targets();
    return std::all_of(all.begin(), all.end(),
                       [](const target& who) { return diagnose(who).why != hold::not_running; });
  });
  text_pipe pipe;
  dump(pipe.in());
  ASSERT_EQ(::write(pipe.in(), "THE END", 7), 7);
  const std::string text = pipe.read_until("THE END");
  EXPECT_NE(text.find("sigexc: the caller (thread " + std::to_string(gettid()) + ")\n  0 pending"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("sigexc: holder (thread "), std::string::npos) << text;
  EXPECT_NE(text.find("1 pending, the oldest for "), std::string::npos) << text;
  EXPECT_NE(text.find("held by a scope: policy::never for every interrupt"), std::string::npos)
      << text;
  EXPECT_NE(text.find("  #0"), std::string::npos) << text;
}

TEST(Dump, IsMadeForASignal) {
  const enrollment self("the caller");
  text_pipe pipe;
  dump_on_signal(SIGQUIT, pipe.in());
  dump_on_signal(SIGQUIT, pipe.in());
  for (int i = 0; i < 3; ++i) {
    ::raise(SIGQUIT);
    const std::string text = pipe.read_until("main+");
    EXPECT_NE(text.find("sigexc: the caller (thread "), std::string::npos) << text;
  }
  dump_on_signal(SIGQUIT, 2);
}

TEST(Dump, LeavesASignalWithAHandlerAlone) {
  ASSERT_NE(::signal(SIGUSR2, [](int) {}), SIG_ERR);
  EXPECT_THROW(dump_on_signal(SIGUSR2), std::system_error);
  EXPECT_THROW(dump_on_signal(-1), std::system_error);
  ::signal(SIGUSR2, SIG_DFL);
}

TEST(Dump, EndsWhereNothingCanBeWritten) {
  const enrollment self("the caller");
  dump(-1);
}

}  // namespace
}  // namespace sigexc
