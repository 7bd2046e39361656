#include "drivers/redis/breaker.hpp"

#include <gtest/gtest.h>

namespace um::redis {
namespace {

using namespace std::chrono_literals;
using State = Breaker::State;

constexpr std::uint64_t kNoJitter = 0;
constexpr std::uint64_t kMostJitter = 512;

TEST(Breaker, AConnectionThatCannotBeMadeOpensAtOnce) {
  Breaker breaker;
  EXPECT_EQ(breaker.state(), State::closed);
  EXPECT_EQ(breaker.connect_failed(kNoJitter), 100ms);
  EXPECT_EQ(breaker.state(), State::open);
  breaker.begin_connect();
  EXPECT_EQ(breaker.state(), State::probing);
  breaker.connected();
  EXPECT_EQ(breaker.state(), State::closed);
}

TEST(Breaker, PausesDoubleUpToTheLongestAndJitterOnlyShortensThem) {
  Breaker breaker{{.losses = 3, .first_pause = 100ms, .longest_pause = 350ms}};
  EXPECT_EQ(breaker.connect_failed(kNoJitter), 100ms);
  EXPECT_EQ(breaker.connect_failed(kNoJitter), 200ms);
  EXPECT_EQ(breaker.connect_failed(kNoJitter), 350ms);
  EXPECT_EQ(breaker.connect_failed(kMostJitter), 175ms);
  EXPECT_EQ(breaker.openings(), 1u) << "it was never closed in between";
}

TEST(Breaker, AFewLostConnectionsAreReplacedAtOnce) {
  Breaker breaker{{.losses = 3}};
  EXPECT_EQ(breaker.connection_lost(kNoJitter), 0ms);
  EXPECT_EQ(breaker.connection_lost(kNoJitter), 0ms);
  breaker.answered();
  EXPECT_EQ(breaker.connection_lost(kNoJitter), 0ms);
  EXPECT_EQ(breaker.connection_lost(kNoJitter), 0ms);
  EXPECT_EQ(breaker.state(), State::closed);
  EXPECT_EQ(breaker.connection_lost(kNoJitter), 100ms);
  EXPECT_EQ(breaker.state(), State::open);
}

TEST(Breaker, AServerThatGreetsAndAnswersNothingIsLeftAloneForLongerAndLonger) {
  Breaker breaker;
  for (int i = 0; i < 3; ++i) breaker.connection_lost(kNoJitter);
  for (const auto pause : {200ms, 400ms, 800ms}) {
    breaker.begin_connect();
    breaker.connected();
    EXPECT_EQ(breaker.connection_lost(kNoJitter), pause);
  }
  breaker.connected();
  breaker.answered();
  EXPECT_EQ(breaker.connection_lost(kNoJitter), 0ms);
}

}  // namespace
}  // namespace um::redis
