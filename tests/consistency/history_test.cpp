// A checker that cannot find anything proves nothing: so it has to find these.
#include "consistency/history.hpp"

#include <gtest/gtest.h>

namespace um::sim {
namespace {

constexpr Time kBound = 100;

class HistoryTest : public ::testing::Test {
 protected:
  struct Times {
    Time began;
    Time ended;
  };
  void write(Version version, Times times, Promise promise = Promise::strict, int instance = 0) {
    history.add(Write{.key = "k",
                      .version = version,
                      .began = times.began,
                      .visible = times.ended - 1,
                      .acked = times.ended,
                      .instance = instance,
                      .promise = promise});
  }
  void read(Version version, Times times, int instance = 0) {
    history.add(Read{.key = "k",
                     .version = version,
                     .began = times.began,
                     .ended = times.ended,
                     .instance = instance});
  }
  bool allowed() const { return history.violations().empty(); }

  History history{kBound};
};

TEST_F(HistoryTest, AReadAfterAWriteReturnsIt) {
  write(1, {10, 20});
  read(1, {21, 30});
  EXPECT_TRUE(allowed());
}

TEST_F(HistoryTest, AReadThatMissesAnAcknowledgedWriteIsFound) {
  write(1, {10, 20});
  read(0, {21, 30});
  EXPECT_FALSE(allowed());
}

TEST_F(HistoryTest, AReadThatOverlapsAWriteMayReturnEither) {
  write(1, {10, 20});
  read(0, {15, 30});
  read(1, {12, 13});
  read(0, {5, 40});
  EXPECT_FALSE(allowed());  // 0 at 15 after somebody had seen 1 at 13
  History other{kBound};
  other.add(Write{.key = "k", .version = 1, .began = 10, .visible = 15, .acked = 20});
  other.add(Read{.key = "k", .version = 0, .began = 15, .ended = 30});
  other.add(Read{.key = "k", .version = 1, .began = 14, .ended = 31});
  EXPECT_TRUE(other.violations().empty());
}

TEST_F(HistoryTest, GoingBackBehindAnotherReadIsFound) {
  write(1, {10, 50});
  read(1, {20, 25}, 0);
  read(0, {26, 30}, 1);
  EXPECT_FALSE(allowed());
}

TEST_F(HistoryTest, AReadFromTheFutureIsFound) {
  write(1, {10, 20});
  read(1, {1, 9});
  EXPECT_FALSE(allowed());
}

TEST_F(HistoryTest, AReadOfWhatWasNeverCommittedIsFound) {
  write(1, {10, 20});
  read(7, {30, 40});
  EXPECT_FALSE(allowed());
}

TEST_F(HistoryTest, AVersionOfAnotherKeyIsFound) {
  history.add(Write{.key = "other", .version = 1, .began = 1, .visible = 2, .acked = 3});
  read(1, {10, 20});
  EXPECT_FALSE(allowed());
}

TEST_F(HistoryTest, AWriteNobodyWasToldOfBindsOnlyWhoSawIt) {
  history.add(Write{.key = "k", .version = 1, .began = 10, .visible = 15, .acked = std::nullopt});
  read(0, {50, 60});
  EXPECT_TRUE(allowed());
  read(1, {70, 80});
  EXPECT_TRUE(allowed());
  read(0, {90, 95});
  EXPECT_FALSE(allowed());
}

TEST_F(HistoryTest, ABoundedWriteMayBeMissedForTAndNoLonger) {
  write(1, {10, 20}, Promise::bounded);  // visible at 19
  read(0, {119, 130});
  EXPECT_TRUE(allowed());
  read(0, {120, 130});
  EXPECT_FALSE(allowed());
}

TEST_F(HistoryTest, ABoundedWriteMayBeSeenAndThenMissedWithinT) {
  write(1, {10, 20}, Promise::bounded);
  read(1, {21, 22});
  read(0, {23, 24});
  EXPECT_TRUE(allowed());
}

TEST_F(HistoryTest, TheInstanceThatWroteMayNotMissItsOwnWrite) {
  write(1, {10, 20}, Promise::bounded_but_own_at_once, 3);
  read(0, {30, 31}, 4);
  EXPECT_TRUE(allowed());
  read(0, {30, 32}, 3);
  EXPECT_FALSE(allowed());
}

TEST_F(HistoryTest, EveryForbiddenReadIsNamed) {
  write(1, {10, 20});
  read(0, {21, 30});
  read(0, {41, 50});
  const auto violations = history.violations();
  ASSERT_EQ(violations.size(), 2U);
  EXPECT_NE(violations[0].find("from 21 to 30 returned version 0"), std::string::npos);
}

}  // namespace
}  // namespace um::sim
