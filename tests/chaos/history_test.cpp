// The checker must find what it is there for.
#include "chaos/history.hpp"

#include <gtest/gtest.h>

namespace um::e2e {
namespace {

constexpr std::int64_t kInitial = 10;

struct Times {
  int begin;
  int end;
};

constexpr int kNoEnd = -1;

Operation operation(Operation::Kind kind, std::int64_t version, Times times) {
  const BootTime zero{std::chrono::hours{1}};
  return {.kind = kind,
          .begin = zero + std::chrono::milliseconds{times.begin},
          .end = times.end == kNoEnd ? kNever : zero + std::chrono::milliseconds{times.end},
          .version = version};
}
Operation read(std::int64_t version, Times times) {
  return operation(Operation::Kind::read, version, times);
}
Operation write(std::int64_t version, Times times) {
  return operation(Operation::Kind::write, version, times);
}

Operation at(std::size_t instance, Operation operation) {
  operation.instance = instance;
  return operation;
}

std::size_t count(const std::vector<Operation>& history) {
  return violations(history, {.initial = kInitial}).size();
}
std::size_t count_bounded(const std::vector<Operation>& history) {
  return violations(history, {.initial = kInitial, .staleness = std::chrono::milliseconds{100}})
      .size();
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
}  // namespace um::e2e
