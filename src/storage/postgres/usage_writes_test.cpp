#include "storage/postgres/usage_writes.hpp"

#include <gtest/gtest.h>

namespace um {
namespace {

constexpr UserId kAnn = *UserId::from(1);
constexpr UserId kBob = *UserId::from(2);

UsageRecord usage(UserId user, std::int64_t micros, std::optional<std::string> key = {}) {
  return {.user = user, .amount = *Usd::from_micros(micros), .idempotency_key = std::move(key)};
}

class UsageTallyTest : public ::testing::Test {
 protected:
  UsageTallyTest() {
    tally.know_user(kAnn, {.used_micros = 100, .quota_micros = 1000});
    tally.know_user(kBob, {.used_micros = Usd::kMaxMicros - 5});
  }
  std::int64_t used_after(const UsageRecord& record) {
    return tally.add(record).value().used_usd.micros();
  }
  ErrorCode refusal(const UsageRecord& record) { return tally.add(record).error().code; }

  UsageTally tally;
};

TEST_F(UsageTallyTest, EachCallerIsToldTheTotalsAfterItsOwnAmount) {
  EXPECT_EQ(used_after(usage(kAnn, 3)), 103);
  EXPECT_EQ(used_after(usage(kAnn, 4)), 107);
  EXPECT_EQ(tally.add(usage(kAnn, 0))->quota_usd, Usd::from_micros(1000));
  EXPECT_EQ(tally.additions().at(kAnn), 7);
}

TEST_F(UsageTallyTest, WhatIsRefusedChangesNothingForItsNeighbours) {
  EXPECT_EQ(refusal(usage(*UserId::from(3), 1)), ErrorCode::not_found);
  EXPECT_EQ(refusal(usage(kAnn, -1)), ErrorCode::invalid);
  EXPECT_EQ(refusal(usage(kBob, 6, "key")), ErrorCode::invalid);
  EXPECT_TRUE(tally.additions().empty());
  EXPECT_TRUE(tally.new_keys().empty());
  EXPECT_EQ(used_after(usage(kBob, 5, "key")), Usd::kMaxMicros);
}

TEST_F(UsageTallyTest, AKnownKeyCountsOnce) {
  tally.know_key({kAnn, "k"}, 9);
  EXPECT_EQ(used_after(usage(kAnn, 9, "k")), 100);
  EXPECT_EQ(refusal(usage(kAnn, 8, "k")), ErrorCode::conflict);
  EXPECT_TRUE(tally.additions().empty());
  EXPECT_TRUE(tally.new_keys().empty());
}

TEST_F(UsageTallyTest, AKeyOfTheSameBatchCountsOnceToo) {
  EXPECT_EQ(used_after(usage(kAnn, 9, "k")), 109);
  EXPECT_EQ(used_after(usage(kAnn, 9, "k")), 109);
  EXPECT_EQ(refusal(usage(kAnn, 8, "k")), ErrorCode::conflict);
  EXPECT_EQ(used_after(usage(kBob, 2, "k")), Usd::kMaxMicros - 3);  // keys are per user
  EXPECT_EQ(tally.new_keys().size(), 2U);
}

TEST_F(UsageTallyTest, ACounterOutOfBoundsIsNotMadeWorse) {
  tally.know_user(kAnn, {.used_micros = std::numeric_limits<std::int64_t>::max()});
  EXPECT_EQ(refusal(usage(kAnn, 1)), ErrorCode::invalid);
}

}  // namespace
}  // namespace um
