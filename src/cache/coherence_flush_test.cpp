// The reasons for flushes, and the bounds of L1 and of the log.
#include "cache/testing/coherence_fixture.hpp"

namespace um {
namespace {

// --- flushes

TEST_F(CoherenceTest, TheFirstPollStartsFromNothing) {
  EXPECT_EQ(fill(k, 1, stamp(10)), Admission::other_namespace);
  start();
  EXPECT_EQ(stats().flushes.at("start"), 1U);
  EXPECT_EQ(fill(k, 1, stamp(10)), Admission::admitted);
}

TEST_F(CoherenceTest, AnotherNamespaceFlushes) {
  start();
  fill(k, 1, stamp(10));
  const Stamp old_world = stamp(50);
  poll({.stamp = stamp(12, {}, kOtherTau)});
  EXPECT_FALSE(knows(k));
  EXPECT_EQ(fill(k, 1, old_world), Admission::other_namespace);
  EXPECT_EQ(stats().flushes.at("namespace"), 1U);
}

TEST_F(CoherenceTest, SnapshotsThatGoBackFlush) {
  start();
  fill(k, 1, stamp(10));
  poll({.stamp = stamp(9)});
  EXPECT_FALSE(knows(k));
  EXPECT_EQ(stats().flushes.at("went_back"), 1U);
  EXPECT_EQ(fill(k, 1, stamp(9)), Admission::admitted);
}

TEST_F(CoherenceTest, AFlushRowFlushes) {
  start();
  fill(k, 1, stamp(10));
  poll({.stamp = stamp(12), .changes = {{.xid = 11, .key = ""}}});
  EXPECT_FALSE(knows(k));
  EXPECT_EQ(stats().flushes.at("flush_row"), 1U);
}

TEST_F(CoherenceTest, MoreChangesThanTheLimitFlush) {
  start();
  Polled full{.stamp = stamp(12)};
  full.changes.assign(100, {.xid = 11, .key = "user:7"});
  fill(k, 1, stamp(10));
  poll(full);
  EXPECT_TRUE(knows(k));
  full.changes.assign(101, {.xid = 11, .key = "user:7"});
  poll(full);
  EXPECT_FALSE(knows(k));
  EXPECT_EQ(stats().flushes.at("too_many_changes"), 1U);
}

TEST_F(CoherenceTest, TheFeedsReasonFlushesAndIsCounted) {
  start();
  fill(k, 1, stamp(10));
  poll({.stamp = stamp(11), .flush_reason = "connection_lost"});
  EXPECT_FALSE(knows(k));
  EXPECT_EQ(stats().flushes.at("connection_lost"), 1U);
}

TEST_F(CoherenceTest, AStartWithAnOlderBaseJudgesFactsFromBeforeIt) {
  poll({.stamp = stamp(20),
        .changes = {{.xid = 15, .key = k}},
        .flush_reason = "start",
        .base = Snapshot{.xmax = 10, .xip = {}}});
  EXPECT_EQ(fill(k, 1, stamp(12)), Admission::changed);
  EXPECT_EQ(fill("user:2", 2, stamp(12)), Admission::admitted);
  EXPECT_EQ(fill("user:3", 3, stamp(9)), Admission::not_covered);
  EXPECT_EQ(fill(k, 4, stamp(16)), Admission::admitted);
}

TEST_F(CoherenceTest, AChangeOfEverythingSinceTheOlderBaseMakesThatUseless) {
  poll({.stamp = stamp(20),
        .changes = {{.xid = 15, .key = ""}},
        .flush_reason = "start",
        .base = Snapshot{.xmax = 10, .xip = {}}});
  EXPECT_EQ(fill(k, 1, stamp(16)), Admission::not_covered);
  EXPECT_EQ(fill(k, 1, stamp(20)), Admission::admitted);
}

TEST_F(CoherenceTest, AFlushSetsTheBaseWithTheEmptying) {
  start();
  const Stamp before = stamp(11);
  poll({.stamp = stamp(12), .flush_reason = "connection_lost"});
  // Changes up to 12 are not in the log; only the base can refuse this value.
  EXPECT_EQ(fill(k, 1, before), Admission::not_covered);
}

TEST_F(CoherenceTest, AFlushKeepsInTheLogWhatItsSnapshotIsTooOldToSee) {
  start();
  const Stamp polled_before_the_commit = stamp(11);
  cache.hold(keys);
  cache.settle(keys, 11);  // committed and answered while the poll was under way
  poll({.stamp = polled_before_the_commit, .flush_reason = "changed_by_others"});
  EXPECT_EQ(fill(k, 1, polled_before_the_commit), Admission::changed);
  EXPECT_EQ(fill(k, 2, stamp(12)), Admission::admitted);
}

// A feed destroys the leftovers after it has released its own locks, which event loops wait for.
TEST_F(CoherenceTest, WhatAFlushRemovesIsFreedWithItsLeftovers) {
  start();
  UserRef present = user(1, "ann@example.org");
  const std::weak_ptr<const UserRecord> removed = present;
  cache.admit(k, stamp(10), std::move(present));
  std::optional<Leftovers> leftovers =
      cache.apply({.sent_at = at(1000ms), .stamp = stamp(11), .flush_reason = "connection_lost"});
  EXPECT_FALSE(knows(k));
  EXPECT_FALSE(removed.expired());
  leftovers.reset();
  EXPECT_TRUE(removed.expired());
}

// --- bounded memory

TEST_F(CoherenceTest, TheLogIsTrimmedByMovingTheBaseForward) {
  start();
  Xid xid = 10;
  for (int round = 0; round < 200; ++round) {
    Polled next;
    for (int i = 0; i < 50; ++i, ++xid)
      next.changes.push_back({.xid = xid, .key = "user:" + std::to_string(xid)});
    next.stamp = stamp(xid);
    poll(next);
    ASSERT_LE(stats().log_entries, 1000U);
  }
  EXPECT_EQ(stats().flushes.size(), 1U);                         // "start" alone
  EXPECT_EQ(fill(k, 1, stamp(20)), Admission::not_covered);      // older than the new base
  EXPECT_EQ(fill(k, 1, stamp(xid - 100)), Admission::admitted);  // the log reaches back this far
  EXPECT_EQ(fill("user:" + std::to_string(xid - 1), 1, stamp(xid - 1)), Admission::changed);
}

// However often this process writes one key, an open transaction of another program does not affect
// other keys.
TEST_F(CoherenceTest, AKeyThatIsWrittenAllTheTimeKeepsNoOtherOut) {
  start();
  constexpr Xid kOpen = 11;
  Xid next = 12;
  for (int round = 0; round < 40; ++round) {
    std::vector<Change> changes;
    for (int i = 0; i < 100; ++i, ++next) {
      cache.hold(keys);
      cache.settle(keys, next);
      changes.push_back({.xid = next, .key = k});
    }
    poll({.stamp = stamp(next, {kOpen}), .changes = std::move(changes)});
    for (int i = 0; i < 50; ++i) {
      const std::string key = "user:" + std::to_string(100 + round * 50 + i);
      ASSERT_EQ(fill(key, i + 1, stamp(next, {kOpen})), Admission::admitted) << round;
    }
  }
  EXPECT_LE(stats().log_entries, 1000U);
}

// Even with more writes than the log may hold, values read before those writes are refused, and
// values of other keys are admitted as soon as the open transaction has ended.
TEST_F(CoherenceTest, TheLastResortOfAFullLogRefusesRatherTooMuch) {
  start();
  poll({.stamp = stamp(12, {11})});
  Xid next = 12;
  for (int i = 0; i < 5000; ++i, ++next) {
    cache.hold(keys);
    cache.settle(keys, next);
  }
  EXPECT_NE(fill(k, 1, stamp(next - 1, {11})), Admission::admitted);
  poll({.stamp = stamp(next, {11})});
  poll({.stamp = stamp(next)});
  EXPECT_EQ(fill(k, 1, stamp(next)), Admission::admitted);
  for (int i = 0; i < 50; ++i)
    EXPECT_EQ(fill("user:" + std::to_string(100 + i), i + 1, stamp(next)), Admission::admitted);
}

TEST_F(CoherenceTest, WritesBetweenTwoPollsCannotMakeTheLogGrowWithoutBound) {
  start();
  for (Xid xid = 10; xid < 20'000; ++xid) {
    const Keys key{"user:" + std::to_string(xid)};
    cache.hold(key);
    cache.settle(key, xid);
  }
  EXPECT_LE(stats().log_entries, 3 * 1000U);
  EXPECT_NE(fill("user:10", 1, stamp(10)), Admission::admitted);
  EXPECT_NE(fill("user:19999", 1, stamp(19'999)), Admission::admitted);
  EXPECT_EQ(fill("user:10", 1, stamp(20'000)), Admission::admitted);
}

TEST_F(CoherenceTest, APollAfterAFoldDoesNotMoveTheBaseBack) {
  start();
  for (Xid xid = 10; xid < 20'000; ++xid) {
    cache.hold(keys);
    cache.settle(keys, xid);
  }
  poll({.stamp = stamp(15'000), .flush_reason = "changed_by_others"});
  EXPECT_NE(fill(k, 1, stamp(15'000)), Admission::admitted);
  EXPECT_EQ(fill(k, 1, stamp(20'000)), Admission::admitted);
}

TEST_F(CoherenceTest, AbsentKeysCannotPushOutUsers) {
  start();
  for (int i = 1; i <= 100; ++i) fill("user:" + std::to_string(i), i, stamp(10));
  for (int i = 0; i < 100'000; ++i)
    cache.admit("user:9" + std::to_string(100'000 + i), stamp(10), Absent{});
  for (int i = 1; i <= 100; ++i) EXPECT_EQ(remembered("user:" + std::to_string(i)), i);
  EXPECT_GT(stats().evictions_absent, 0U);
  EXPECT_EQ(stats().evictions, 0U);
  EXPECT_LE(stats().bytes, stats().capacity_bytes);
}

TEST_F(CoherenceTest, AbsenceIsAFactThatAChangeEnds) {
  start();
  cache.admit(k, stamp(10), Absent{});
  EXPECT_TRUE(knows(k));
  cache.admit(k, stamp(10), value(3));
  EXPECT_EQ(remembered(k), 3);
  cache.admit(k, stamp(10), Absent{});
  EXPECT_EQ(remembered(k), 0);
  poll({.stamp = stamp(12), .changes = {{.xid = 11, .key = k}}});
  EXPECT_FALSE(knows(k));
}

TEST_F(CoherenceTest, CountsHitsByKindAndOffersByVerdict) {
  start();
  fill(k, 1, stamp(10));
  cache.admit("user:2", stamp(10), Absent{});
  fill("user:3", 1, stamp(9));
  knows(k);
  knows(k);
  knows("user:2");
  knows("user:3");
  const auto s = stats();
  EXPECT_EQ(s.hits[static_cast<std::size_t>(EntryKind::email)], 2U);
  EXPECT_EQ(s.hits[static_cast<std::size_t>(EntryKind::absent)], 1U);
  EXPECT_EQ(s.admitted, 2U);
  EXPECT_EQ(s.refused[static_cast<std::size_t>(Admission::not_covered)], 1U);
  EXPECT_EQ(s.entries, 1U);
  EXPECT_EQ(s.entries_absent, 1U);
  EXPECT_TRUE(s.lease_valid);
}

}  // namespace
}  // namespace um
