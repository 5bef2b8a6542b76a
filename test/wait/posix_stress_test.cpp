// O2, O3: numbered bytes and numbered interrupts, at random times; none is lost, none comes twice.
#include <sigexc/posix.hpp>
#include <sigexc/sigexc.hpp>

#include "support/order.hpp"
#include "support/rounds.hpp"
#include "support/watchdog.hpp"
#include "wait/posix_scenes.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <cstdint>
#include <random>
#include <string>
#include <thread>

namespace sigexc::test {
namespace {

struct numbered {
  int round;
};

// In each round a byte and an interrupt race for a thread that is about to read, or reads.
TEST(PosixStress, ReadLosesNeitherAByteNorAnInterrupt) {
  const int rounds = stress_rounds(20'000);
  const channel pipe = make_pipe();
  std::atomic<int> round{0};
  int before_result = 0;  // how often the interrupt won

  thread reader([&] {
    for (int i = 1; i <= rounds; ++i) {
      bool is_raised = false;
      const auto expect_mine = [&](const numbered& one) {
        EXPECT_EQ(one.round, i);
        EXPECT_FALSE(is_raised);
        is_raised = true;
      };
      round = i;
      std::uint8_t byte = 0;
      for (bool is_read = false; !is_read;) {
        try {
          EXPECT_EQ(posix::read(*pipe.in, &byte, 1), 1);
          is_read = true;
        } catch (const numbered& one) {
          expect_mine(one);
          ++before_result;
        }
      }
      EXPECT_EQ(byte, static_cast<std::uint8_t>(i));
      while (!is_raised) {
        try {
          safe_point();
        } catch (const numbered& one) {
          expect_mine(one);
        }
      }
    }
  });

  std::thread writer([&] {
    std::minstd_rand random(1);
    for (int i = 1; i <= rounds; ++i) {
      await([&] { return round >= i; });
      spin(static_cast<int>(random() % 2048));
      const auto byte = static_cast<std::uint8_t>(i);
      EXPECT_EQ(::write(*pipe.out, &byte, 1), 1);
    }
  });
  std::minstd_rand random(2);
  for (int i = 1; i <= rounds; ++i) {
    await([&] { return round >= i; });
    spin(static_cast<int>(random() % 2048));
    reader.interrupt(numbered{i});
  }
  reader.wait();
  writer.join();
  EXPECT_FALSE(is_ready(*pipe.in));
  RecordProperty("interrupt_first", before_result);
}

}  // namespace
}  // namespace sigexc::test
