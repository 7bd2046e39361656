#include "storage/postgres/registry.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace um {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Instance = PostgresRegistry::Instance;

BootTime at(std::chrono::seconds time) {
  return BootTime{time};
}

TEST(PostgresRegistry, ANewInstanceHasToRegisterAtOnce) {
  const PostgresRegistry registry{{}};
  EXPECT_FALSE(registry.registered());
  EXPECT_TRUE(registry.refresh_due(at(0s)));
}

TEST(PostgresRegistry, ARefreshIsDueTwoSecondsAfterTheLastWasSent) {
  PostgresRegistry registry{{}};
  registry.joined("a", at(10s));
  EXPECT_FALSE(registry.refresh_due(at(11s)));
  EXPECT_TRUE(registry.refresh_due(at(12s)));
  registry.refreshed(at(12s));
  EXPECT_FALSE(registry.refresh_due(at(13s)));
}

TEST(PostgresRegistry, WhoIsExpelledRegistersAgain) {
  PostgresRegistry registry{{}};
  registry.joined("a", at(10s));
  registry.expelled();
  EXPECT_FALSE(registry.registered());
  EXPECT_TRUE(registry.refresh_due(at(10s)));
}

TEST(PostgresRegistry, AnInstanceIsSilentWhenItsCounterStandsForXOfOurTime) {
  PostgresRegistry registry{{}};
  registry.joined("me", at(0s));
  const std::vector<Instance> all{{"me", 1}, {"other", 7}};
  EXPECT_THAT(registry.silent(all, at(0s)), IsEmpty());
  EXPECT_THAT(registry.silent(all, at(14s)), IsEmpty());
  EXPECT_THAT(registry.silent(all, at(15s)), ElementsAre(Instance{"other", 7}));
}

TEST(PostgresRegistry, EveryRefreshStartsTheSilenceAnew) {
  PostgresRegistry registry{{}};
  EXPECT_THAT(registry.silent({{"other", 7}}, at(0s)), IsEmpty());
  EXPECT_THAT(registry.silent({{"other", 8}}, at(14s)), IsEmpty());
  EXPECT_THAT(registry.silent({{"other", 8}}, at(28s)), IsEmpty());
  EXPECT_THAT(registry.silent({{"other", 8}}, at(29s)), ElementsAre(Instance{"other", 8}));
}

TEST(PostgresRegistry, AnInstanceThatWasAwayIsWatchedFromItsReturnOn) {
  PostgresRegistry registry{{}};
  EXPECT_THAT(registry.silent({{"other", 7}}, at(0s)), IsEmpty());
  EXPECT_THAT(registry.silent({}, at(10s)), IsEmpty());
  EXPECT_THAT(registry.silent({{"other", 7}}, at(20s)), IsEmpty());
}

}  // namespace
}  // namespace um
