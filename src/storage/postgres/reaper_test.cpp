#include "storage/postgres/reaper.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace um {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Instance = PostgresReaper::Instance;

BootTime at(std::chrono::seconds time) {
  return BootTime{time};
}

Instance counted(std::int64_t refreshes) {
  return {.id = "other", .refreshes = refreshes};
}

TEST(PostgresReaper, ARowIsDeadWhenItsCounterStandsForXOfOurTime) {
  PostgresReaper reaper{{}};
  EXPECT_THAT(reaper.dead({counted(7)}, at(0s)), IsEmpty());
  EXPECT_THAT(reaper.dead({counted(7)}, at(14s)), IsEmpty());
  EXPECT_THAT(reaper.dead({counted(7)}, at(15s)), ElementsAre(counted(7)));
}

TEST(PostgresReaper, EveryRefreshStartsTheSilenceAnew) {
  PostgresReaper reaper{{}};
  EXPECT_THAT(reaper.dead({counted(7)}, at(0s)), IsEmpty());
  EXPECT_THAT(reaper.dead({counted(8)}, at(14s)), IsEmpty());
  EXPECT_THAT(reaper.dead({counted(8)}, at(28s)), IsEmpty());
  EXPECT_THAT(reaper.dead({counted(8)}, at(29s)), ElementsAre(counted(8)));
}

TEST(PostgresReaper, ARowThatWasAwayIsWatchedFromItsReturnOn) {
  PostgresReaper reaper{{}};
  EXPECT_THAT(reaper.dead({counted(7)}, at(0s)), IsEmpty());
  EXPECT_THAT(reaper.dead({}, at(10s)), IsEmpty());
  EXPECT_THAT(reaper.dead({counted(7)}, at(20s)), IsEmpty());
}

TEST(PostgresReaper, ARowWhoseSessionHasEndedIsDeadAfterTheLongestLease) {
  PostgresReaper reaper{{.longest_lease = 3s}};
  Instance other = counted(7);
  other.session_has_ended = true;
  EXPECT_THAT(reaper.dead({other}, at(0s)), IsEmpty());
  EXPECT_THAT(reaper.dead({other}, at(2s)), IsEmpty());
  EXPECT_THAT(reaper.dead({other}, at(3s)), ElementsAre(other));
}

TEST(PostgresReaper, ASessionThatIsSeenAgainStartsTheWaitAnew) {
  PostgresReaper reaper{{.longest_lease = 3s}};
  Instance ended = counted(7);
  ended.session_has_ended = true;
  EXPECT_THAT(reaper.dead({ended}, at(0s)), IsEmpty());
  EXPECT_THAT(reaper.dead({counted(7)}, at(2s)), IsEmpty());
  EXPECT_THAT(reaper.dead({ended}, at(4s)), IsEmpty());
  EXPECT_THAT(reaper.dead({ended}, at(7s)), ElementsAre(ended));
}

}  // namespace
}  // namespace um
