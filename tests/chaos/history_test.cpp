// The checker must find what it is there for.
#include "history.hpp"

#include <gtest/gtest.h>

namespace um::e2e {
namespace {

constexpr std::int64_t kInitial = 10;

struct Times {
  int begin;
  int end;
};

Operation operation(Operation::Kind kind, std::int64_t version, Times times) {
  const std::chrono::steady_clock::time_point zero{};
  return {.kind = kind,
          .begin = zero + std::chrono::milliseconds{times.begin},
          .end = zero + std::chrono::milliseconds{times.end},
          .version = version};
}
Operation read(std::int64_t version, Times times) {
  return operation(Operation::Kind::read, version, times);
}
Operation write(std::int64_t version, Times times) {
  return operation(Operation::Kind::write, version, times);
}

std::size_t count(const std::vector<Operation>& history) {
  return violations(history, kInitial).size();
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

}  // namespace
}  // namespace um::e2e
