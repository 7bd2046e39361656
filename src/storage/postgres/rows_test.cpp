#include "storage/postgres/rows.hpp"

#include <gtest/gtest.h>

#include "user/time_text.hpp"

namespace um {
namespace {

TEST(PostgresTime, IsReadAsTheServerWritesIt) {
  const auto read = [](std::string_view text) { return time_text(parse_pg_time(text).value()); };
  EXPECT_EQ(read("2026-11-22 01:35:29.123456+00"), "2026-11-22T01:35:29.123456Z");
  EXPECT_EQ(read("2026-11-22 01:35:29+00"), "2026-11-22T01:35:29Z");
  EXPECT_EQ(read("2026-11-22 01:35:29.5+05:30"), "2026-11-21T20:05:29.5Z");
  EXPECT_EQ(read("2026-11-22 01:35:29-02"), "2026-11-22T03:35:29Z");
  EXPECT_EQ(read("0001-01-01 00:00:00+00"), "0001-01-01T00:00:00Z");
}

TEST(PostgresTime, WhatCannotBeHeldIsRefused) {
  for (const char* text :
       {"", "infinity", "-infinity", "0044-03-15 12:00:00+00 BC", "12345-01-01 00:00:00+00",
        "2026-11-22 01:35:29", "2026-11-22 01:35:29+", "2026-11-22T01:35:29+00",
        "2026-11-22 01:35:29+00:00:30", "2026-13-22 01:35:29+00", "2026-11-22 01:35:29.1+0"}) {
    EXPECT_FALSE(parse_pg_time(text)) << text;
  }
}

TEST(PostgresUsd, IsExactOrTheNearestBound) {
  EXPECT_EQ(read_usd("1.500000").micros(), 1'500'000);
  EXPECT_EQ(read_usd("-0.000001").micros(), -1);
  EXPECT_EQ(read_usd("9000000000.000000").micros(), Usd::kMaxMicros);
  EXPECT_EQ(read_usd("9999999999.000000").micros(), Usd::kMaxMicros);
  EXPECT_EQ(read_usd("-9999999999.000000").micros(), -Usd::kMaxMicros);
}

TEST(PostgresText, IsUtf8WithoutNul) {
  EXPECT_TRUE(is_storable("志明"));
  EXPECT_TRUE(is_storable(""));
  EXPECT_FALSE(is_storable("\xff"));
  EXPECT_FALSE(is_storable(std::string_view{"a\0b", 3}));
}

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

TEST(ServerOf, IsThePartThatNoEpochChanges) {
  const std::string_view before =
      "70 16384 00000001 17.5 4 strict 500 6000 15000 incarnation tables";
  const std::string_view after =
      "70 16384 00000001 17.5 9 strict 500 6000 15000 incarnation tables";
  EXPECT_EQ(server_of(before), "70 16384 00000001 17.5");
  EXPECT_EQ(server_of(before), server_of(after));
  EXPECT_NE(server_of(before), server_of("70 16384 00000002 17.5 4 strict"));
  EXPECT_EQ(server_of("70 16384"), "70 16384");
  EXPECT_EQ(server_of(""), "");
}

}  // namespace
}  // namespace um
