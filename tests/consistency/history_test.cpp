// A checker that finds nothing proves nothing, so it has to find these violations.
#include "support/history.hpp"

#include <gtest/gtest.h>

namespace um::test {
namespace {

using Kind = Operation::Kind;
using Time = std::int64_t;  // nanoseconds

constexpr BootTime moment(Time time) {
  return BootTime{std::chrono::nanoseconds{time}};
}

// One register with versions from 0 on; other instances may be late by 100 ns.

class HistoryTest : public ::testing::Test {
 protected:
  struct Times {
    Time began;
    Time ended;
  };
  void write(std::int64_t version, Times times, Promise promise = Promise::strict,
             std::size_t instance = 0) {
    history.add({.kind = Kind::write,
                 .key = "k",
                 .begin = moment(times.began),
                 .end = moment(times.ended),
                 .version = version,
                 .instance = instance,
                 .promise = promise,
                 .visible = moment(times.ended - 1)});
  }
  void read(std::int64_t version, Times times, std::size_t instance = 0) {
    history.add({.key = "k",
                 .begin = moment(times.began),
                 .end = moment(times.ended),
                 .version = version,
                 .instance = instance});
  }
  bool allowed() const { return history.violations().empty(); }

  History history{{.staleness = std::chrono::nanoseconds{100}}};
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
  EXPECT_FALSE(allowed());  // 0 at 15 after a read of 1 had ended at 13
  history = History{{.staleness = std::chrono::nanoseconds{100}}};
  write(1, {10, 20});
  read(0, {15, 30});
  read(1, {14, 31});
  EXPECT_TRUE(allowed());
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
  history.add({.kind = Kind::write,
               .key = "other",
               .begin = moment(1),
               .end = moment(3),
               .version = 1,
               .visible = moment(2)});
  read(1, {10, 20});
  EXPECT_FALSE(allowed());
}

TEST_F(HistoryTest, AWriteNobodyWasToldOfBindsOnlyWhoSawIt) {
  history.add({.kind = Kind::write,
               .key = "k",
               .begin = moment(10),
               .end = kNever,
               .version = 1,
               .visible = moment(15)});
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

// The same for one nameless register with versions from 10 on, when the commits are not observed.
constexpr std::int64_t kInitial = 10;
constexpr int kNoEnd = -1;

struct Times {
  int begin;
  int end;
};

Operation operation(Kind kind, std::int64_t version, Times times) {
  const BootTime zero{std::chrono::hours{1}};
  return {.kind = kind,
          .begin = zero + std::chrono::milliseconds{times.begin},
          .end = times.end == kNoEnd ? kNever : zero + std::chrono::milliseconds{times.end},
          .version = version};
}
Operation read(std::int64_t version, Times times) {
  return operation(Kind::read, version, times);
}
Operation write(std::int64_t version, Times times) {
  return operation(Kind::write, version, times);
}

Operation at(std::size_t instance, Operation operation) {
  operation.instance = instance;
  return operation;
}

std::size_t count(const std::vector<Operation>& history) {
  return History{{.initial = kInitial}, history}.violations().size();
}
std::size_t count_bounded(std::vector<Operation> history) {
  for (Operation& operation : history) operation.promise = Promise::bounded_but_own_at_once;
  const History::Register about{.initial = kInitial, .staleness = std::chrono::milliseconds{100}};
  return History{about, std::move(history)}.violations().size();
}

TEST(History, ReadsAroundAWriteMaySeeEitherSide) {
  EXPECT_EQ(count({write(11, {0, 10}), read(10, {1, 5}), read(11, {2, 6}), read(11, {11, 12})}),
            0U);
}

TEST(History, AReadAfterAnAcknowledgedWriteMustSeeIt) {
  EXPECT_EQ(count({write(11, {0, 10}), read(10, {11, 12})}), 1U);
}

TEST(History, AReadAfterANewerReadMustNotGoBack) {
  // The write is still under way: one reader has seen it, so the next one must.
  EXPECT_EQ(count({write(11, {0, 100}), read(11, {10, 20}), read(10, {30, 40})}), 1U);
  EXPECT_EQ(count({write(11, {0, 100}), read(11, {10, 31}), read(10, {30, 40})}), 0U);
}

TEST(History, NothingIsReadBeforeItsWriteBegins) {
  EXPECT_EQ(count({read(11, {0, 5}), write(11, {6, 10})}), 2U);  // seen twice: as read, as write
  EXPECT_EQ(count({read(11, {0, 7}), write(11, {6, 10})}), 0U);
}

TEST(History, NothingIsReadThatNobodyWrote) {
  EXPECT_EQ(count({read(12, {0, 5})}), 1U);
}

TEST(History, WritesThatFollowEachOtherMakeNewerVersions) {
  EXPECT_EQ(count({write(12, {0, 5}), write(11, {6, 10})}), 1U);
  EXPECT_EQ(count({write(12, {0, 7}), write(11, {6, 10})}), 0U);
  EXPECT_EQ(count({write(11, {0, 5}), write(11, {0, 5})}), 1U);
}

TEST(History, AWriteWithoutAnAnswerBindsNobody) {
  EXPECT_EQ(count({write(11, {0, kNoEnd}), read(10, {50, 51})}), 0U);
  EXPECT_EQ(count({write(11, {0, kNoEnd}), read(11, {50, 51}), read(10, {52, 53})}), 1U);
  EXPECT_EQ(count({read(11, {50, 51})}), 1U);
}

TEST(BoundedHistory, OtherInstancesMayBeLateByTheBoundAndNotMore) {
  const auto written = at(0, write(11, {0, 10}));
  EXPECT_EQ(count_bounded({written, at(1, read(10, {109, 115}))}), 0U);
  EXPECT_EQ(count_bounded({written, at(1, read(10, {111, 115}))}), 1U);
  // No promise that the next read there is not older.
  EXPECT_EQ(count_bounded({written, at(1, read(11, {20, 21})), at(1, read(10, {30, 31}))}), 0U);
}

TEST(BoundedHistory, TheInstanceThatWroteIsNeverLate) {
  const auto written = at(1, write(11, {0, 10}));
  EXPECT_EQ(count_bounded({written, at(1, read(10, {11, 12}))}), 1U);
  EXPECT_EQ(count_bounded({written, at(1, read(10, {9, 12}))}), 0U);
  EXPECT_EQ(count_bounded({written, at(0, read(10, {11, 12}))}), 0U);
}

TEST(BoundedHistory, WhatOneInstanceShowsTheOthersShowTheBoundLater) {
  // The write's answer is still on its way.
  const auto write_under_way = write(11, {0, 500});
  const auto seen = at(0, read(11, {10, 20}));
  EXPECT_EQ(count_bounded({write_under_way, seen, at(1, read(10, {121, 122}))}), 1U);
  EXPECT_EQ(count_bounded({write_under_way, seen, at(1, read(10, {119, 122}))}), 0U);
}

}  // namespace
}  // namespace um::test
