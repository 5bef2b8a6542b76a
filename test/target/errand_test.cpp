// Who fired a prepared interrupt may come late to have a waker called for it: it has been delivered
// meanwhile, and fired again by somebody else, who has marked it and not queued it yet.
#include "target/errand.hpp"
#include "target/record.hpp"

#include <gtest/gtest.h>

#include <thread>
#include <typeinfo>

#include "support/watchdog.hpp"

namespace sigexc::test {
namespace {

// O2: a call then would make the foreign code return for nothing.
TEST(FiredInterrupt, HasNoWakerCalledForAFiringThatIsNotQueuedYet) {
  const enrollment self;
  detail::record& here = *detail::current.self;
  auto sent = detail::reference<detail::fired_interrupt>::adopt(
      new detail::fired_interrupt(here, std::make_exception_ptr(1)));
  int calls = 0;
  with_wake([&] { ++calls; },
            [&] {
              const auto call_for = [&](std::uint32_t firing) {
                std::thread(
                    [&, firing] { here.wakers.call_for(*sent, firing, &typeid(int)); }).join();
              };
              sent->state = sent->pending_here(2);
              call_for(1);
              EXPECT_EQ(calls, 0);
              call_for(2);
              EXPECT_EQ(calls, 1);
              sent->state = detail::status{};
            });
  EXPECT_FALSE(interrupt_pending());
}

}  // namespace
}  // namespace sigexc::test
