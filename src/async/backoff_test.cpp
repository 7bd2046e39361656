#include "async/backoff.hpp"

#include <vector>

#include <gtest/gtest.h>

namespace um {
namespace {

using namespace std::chrono_literals;

TEST(Backoff, DoublesUpToItsBoundAndStartsAgainAfterASuccess) {
  const BootTime now{1h};
  Backoff backoff{{.first = 50ms, .most = 2s}};
  EXPECT_LE(backoff.not_before(), now);
  std::vector<std::chrono::nanoseconds> waits;
  for (int i = 0; i < 40; ++i) {
    backoff.failed(now, 0);
    waits.push_back(backoff.not_before() - now);
  }
  EXPECT_EQ(waits[0], 50ms);
  EXPECT_EQ(waits[1], 100ms);
  EXPECT_EQ(waits[5], 1600ms);
  EXPECT_EQ(waits[6], 2s);
  EXPECT_EQ(waits[39], 2s);
  EXPECT_TRUE(backoff.failing());
  backoff.succeeded();
  EXPECT_FALSE(backoff.failing());
  backoff.lost(now, 0);
  EXPECT_EQ(backoff.not_before() - now, 50ms);
  EXPECT_FALSE(backoff.failing());
}

TEST(Backoff, ChanceTakesAwayHalfAtMost) {
  const BootTime now{1h};
  for (std::uint64_t chance = 0; chance < 2000; chance += 7) {
    Backoff backoff{{.first = 100ms, .most = 2s}};
    backoff.failed(now, chance);
    EXPECT_LE(backoff.not_before() - now, 100ms);
    EXPECT_GE(backoff.not_before() - now, 50ms);
  }
}

TEST(Backoff, WithFullJitterAPauseMayBeNothing) {
  std::chrono::nanoseconds least = 1h;
  std::chrono::nanoseconds most = 0ns;
  for (std::uint64_t chance = 0; chance < 2000; ++chance) {
    Backoff backoff{{.first = 100ms, .most = 2s}, Backoff::Jitter::full};
    const auto pause = backoff.pause(chance);
    least = std::min(least, pause);
    most = std::max(most, pause);
  }
  EXPECT_EQ(least, 0ns);
  EXPECT_EQ(most, 100ms);
}

}  // namespace
}  // namespace um
