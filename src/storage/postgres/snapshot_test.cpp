#include "storage/postgres/snapshot.hpp"

#include <gtest/gtest.h>

namespace um {
namespace {

TEST(PgSnapshot, IsReadWithItsRunningTransactionsInOrder) {
  const auto snapshot = parse_pg_snapshot("10:20:15,10,13");
  ASSERT_TRUE(snapshot);
  EXPECT_EQ(snapshot->xmax, 20U);
  EXPECT_EQ(snapshot->xip, (std::vector<Xid>{10, 13, 15}));
  EXPECT_TRUE(snapshot->sees(11));
  EXPECT_FALSE(snapshot->sees(13));
  EXPECT_FALSE(snapshot->sees(20));
}

TEST(PgSnapshot, WithoutRunningTransactionsEndsInAColon) {
  EXPECT_EQ(parse_pg_snapshot("7:7:"), (Snapshot{.xmax = 7, .xip = {}}));
}

TEST(PgSnapshot, KeepsIdsOf64Bits) {
  const auto snapshot = parse_pg_snapshot("4294967300:4294967310:4294967300");
  ASSERT_TRUE(snapshot);
  EXPECT_EQ(snapshot->xip, (std::vector<Xid>{4'294'967'300}));
}

TEST(PgSnapshot, WhatIsNoSnapshotIsRefused) {
  for (const char* text :
       {"", "7", "7:8", ":8:", "7::", "8:7:", "7:9:9", "7:9:6", "7:9:7,", "7:9:,7", "7:9:7 8",
        "-1:9:", "7:9:7x", "0:0:", "99999999999999999999:1:", "7:9:7:"}) {
    EXPECT_EQ(parse_pg_snapshot(text), std::nullopt) << text;
  }
}

TEST(PgSnapshot, IsWrittenAsItWasRead) {
  for (const char* text : {"7:7:", "10:20:10,13,15"})
    EXPECT_EQ(pg_snapshot_text(*parse_pg_snapshot(text)), text);
}

TEST(TauOf, DiffersForEveryTextAndIsNothingForNone) {
  EXPECT_EQ(tau_of(""), Tau{});
  EXPECT_NE(tau_of("a"), Tau{});
  EXPECT_NE(tau_of("a"), tau_of("b"));
  EXPECT_EQ(tau_of("a"), tau_of("a"));
}

}  // namespace
}  // namespace um
