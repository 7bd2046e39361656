#include "base/clock.hpp"

#include <gtest/gtest.h>

#include "base/deadline.hpp"

namespace um {
namespace {

using namespace std::chrono_literals;

TEST(Clock, BootTimeNeverGoesBack) {
  const SystemClock clock;
  BootTime last = clock.now();
  for (int i = 0; i < 1000; ++i) {
    const BootTime now = clock.now();
    EXPECT_GE(now, last);
    last = now;
  }
}

TEST(Deadline, PassesExactlyWhenItsTimeHasCome) {
  ManualClock clock;
  const auto deadline = Deadline::after(clock, 10ms);
  clock.advance(10ms - 1ns);
  EXPECT_FALSE(deadline.passed(clock.now()));
  clock.advance(1ns);
  EXPECT_TRUE(deadline.passed(clock.now()));
  EXPECT_FALSE(Deadline::never().passed(clock.now()));
}

}  // namespace
}  // namespace um
