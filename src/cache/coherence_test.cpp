// The rules of docs/consistency.md on leases, polls and holds, one by one.
#include "cache/testing/coherence_fixture.hpp"

namespace um {
namespace {

// --- the lease

TEST_F(CoherenceTest, ThereIsNoLeaseBeforeTheFirstPoll) {
  EXPECT_FALSE(cache.lease_valid(at(0ms)));
  EXPECT_FALSE(cache.known_at());
}

TEST_F(CoherenceTest, TheLeaseEndsTAfterThePollWasSentNotAfterItArrived) {
  poll({.sent_at = at(1000ms), .stamp = stamp(10)});
  EXPECT_TRUE(cache.lease_valid(at(1499ms)));
  EXPECT_FALSE(cache.lease_valid(at(1500ms)));
  EXPECT_EQ(cache.known_at(), at(1000ms));
}

TEST_F(CoherenceTest, ALapsedLeaseIsCountedOnceAndItsReadsOneByOne) {
  poll({.sent_at = at(1000ms), .stamp = stamp(10)});
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(cache.lease_valid(at(1600ms)));
  poll({.sent_at = at(1700ms), .stamp = stamp(10)});
  EXPECT_FALSE(cache.lease_valid(at(2300ms)));
  EXPECT_EQ(stats().lapsed_leases, 2U);
  EXPECT_EQ(stats().reads_without_lease, 4U);
}

TEST_F(CoherenceTest, ALeaseThatLapsedUnnoticedIsCountedWithTheNextAnswer) {
  poll({.sent_at = at(1000ms), .stamp = stamp(10)});
  poll({.sent_at = at(1400ms), .stamp = stamp(10), .received_at = at(1499ms)});
  EXPECT_EQ(stats().lapsed_leases, 0U);
  poll({.sent_at = at(1600ms), .stamp = stamp(10), .received_at = at(1900ms)});  // asked in time
  EXPECT_EQ(stats().lapsed_leases, 1U);
  poll({.sent_at = at(2000ms), .stamp = stamp(10), .received_at = at(2600ms)});  // too late again
  poll({.sent_at = at(2650ms), .stamp = stamp(10), .received_at = at(2660ms)});
  EXPECT_EQ(stats().lapsed_leases, 2U);
  EXPECT_FALSE(cache.lease_valid(at(3200ms)));
  poll({.sent_at = at(3300ms), .stamp = stamp(10), .received_at = at(3300ms)});
  EXPECT_EQ(stats().lapsed_leases, 3U) << "once per lease";
}

TEST(CoherenceWithRegistry, TheLeaseNeedsARecentRefreshToo) {
  CoherenceSettings settings = small();
  settings.registry_bound = 6s;
  Coherence cache{settings};
  cache.apply({.sent_at = at(1000ms), .stamp = stamp(10)});
  EXPECT_FALSE(cache.lease_valid(at(1001ms)));  // not registered
  cache.acknowledge_refresh(at(900ms));
  EXPECT_TRUE(cache.lease_valid(at(1001ms)));
  cache.apply({.sent_at = at(6800ms), .stamp = stamp(10)});
  EXPECT_TRUE(cache.lease_valid(at(6899ms)));
  EXPECT_FALSE(cache.lease_valid(at(6900ms)));  // 900 ms + Y, although the poll is young
}

TEST(CoherenceWithRegistry, WhoIsNotRegisteredAnyMoreHasNoLease) {
  CoherenceSettings settings = small();
  settings.registry_bound = 6s;
  Coherence cache{settings};
  cache.acknowledge_refresh(at(900ms));
  cache.apply({.sent_at = at(1000ms), .stamp = stamp(10)});
  cache.end_lease();
  EXPECT_FALSE(cache.lease_valid(at(1001ms)));
  cache.apply({.sent_at = at(1100ms), .stamp = stamp(10)});
  EXPECT_FALSE(cache.lease_valid(at(1101ms)));
  cache.acknowledge_refresh(at(1050ms));
  EXPECT_TRUE(cache.lease_valid(at(1101ms)));
}

// It shows that the deployment runs with other times: the lease must not be renewed once more.
TEST_F(CoherenceTest, APollThatGivesNoLeaseEndsTheOneThereIs) {
  start();
  const BootTime later = cache.known_at().value() + 1ms;
  EXPECT_TRUE(cache.lease_valid(later));
  cache.apply({.sent_at = later, .stamp = stamp(10), .gives_lease = false});
  EXPECT_FALSE(cache.lease_valid(later));
}

// --- polls

TEST_F(CoherenceTest, APollErasesWhatChanged) {
  start();
  fill(k, 1, stamp(10));
  fill("user:2", 2, stamp(10));
  poll({.stamp = stamp(12), .changes = {{.xid = 11, .key = k}}});
  EXPECT_FALSE(knows(k));
  EXPECT_EQ(remembered("user:2"), 2);
}

TEST_F(CoherenceTest, ASlowFillDoesNotPutBackWhatAnInvalidationRemoved) {
  start();
  const Stamp before = stamp(11);  // the query ran, then the request was slow
  poll({.stamp = stamp(12), .changes = {{.xid = 11, .key = k}}});
  EXPECT_EQ(fill(k, 1, before), Admission::changed);
  EXPECT_FALSE(knows(k));
  EXPECT_EQ(fill(k, 2, stamp(12)), Admission::admitted);
}

TEST_F(CoherenceTest, AFillThatDidNotSeeALateCommitterIsRefused) {
  poll({.stamp = stamp(10, {5})});
  const Stamp read_in = stamp(15, {5});  // 5 is still running
  EXPECT_EQ(fill(k, 1, read_in), Admission::admitted);
  poll({.stamp = stamp(15), .changes = {{.xid = 5, .key = k}}});  // long after 6 to 14
  EXPECT_FALSE(knows(k));
  EXPECT_EQ(fill(k, 1, read_in), Admission::changed);
  EXPECT_EQ(fill(k, 2, stamp(15)), Admission::admitted);
}

TEST_F(CoherenceTest, AFillFromBeforeTheBaseIsRefused) {
  poll({.stamp = stamp(10)});
  EXPECT_EQ(fill(k, 1, stamp(9)), Admission::not_covered);
}

TEST_F(CoherenceTest, APollThatRenewsALapsedLeaseHasForgottenWhatChanged) {
  poll({.sent_at = at(1000ms), .stamp = stamp(10)});
  fill(k, 1, stamp(10));
  const auto now = at(1600ms);
  ASSERT_FALSE(cache.lease_valid(now));
  poll({.sent_at = at(1590ms), .stamp = stamp(12), .changes = {{.xid = 11, .key = k}}});
  EXPECT_TRUE(cache.lease_valid(now));
  EXPECT_FALSE(knows(k));
}

// --- holds

TEST_F(CoherenceTest, AHeldKeyIsNotAnsweredAndNotFilled) {
  start();
  fill(k, 1, stamp(10));
  cache.hold(keys);
  EXPECT_FALSE(knows(k));
  EXPECT_EQ(fill(k, 1, stamp(10)), Admission::held);
  EXPECT_FALSE(knows(k));
  EXPECT_EQ(stats().held_now, 1U);
}

TEST_F(CoherenceTest, AKeyHeldInTheDatabaseIsNotAnsweredAndNotFilled) {
  start();
  fill(k, 1, stamp(10));
  poll({.stamp = stamp(11), .holds = keys});
  EXPECT_FALSE(knows(k));
  EXPECT_EQ(fill(k, 1, stamp(11)), Admission::held);
  poll({.stamp = stamp(11)});
  EXPECT_EQ(fill(k, 1, stamp(11)), Admission::admitted);
}

TEST_F(CoherenceTest, AFlushKeepsTheHolds) {
  start();
  cache.hold(keys);
  poll({.stamp = stamp(11), .holds = {"user:2"}, .flush_reason = "connection_lost"});
  EXPECT_EQ(fill(k, 1, stamp(11)), Admission::held);
  EXPECT_EQ(fill("user:2", 1, stamp(11)), Admission::held);
}

TEST_F(CoherenceTest, HoldsAreCounted) {
  start();
  cache.hold(keys);
  cache.hold(keys);
  cache.settle(keys, 10);
  EXPECT_EQ(fill(k, 1, stamp(11)), Admission::held);  // the other write goes on
  cache.settle(keys, std::nullopt);
  EXPECT_EQ(fill(k, 1, stamp(11)), Admission::admitted);
  EXPECT_EQ(stats().holds, 2U);
  EXPECT_EQ(stats().held_now, 0U);
}

TEST_F(CoherenceTest, AnUnsettledCommitKeepsItsKeyAway) {
  start();
  cache.hold(keys);
  const Stamp after_commit = stamp(11);  // committed under 10, not yet settled
  EXPECT_EQ(fill(k, 2, after_commit), Admission::held);
  poll({.stamp = after_commit});
  EXPECT_FALSE(knows(k));
  cache.settle(keys, 10);
  EXPECT_EQ(fill(k, 2, after_commit), Admission::admitted);
}

TEST_F(CoherenceTest, SettlingLogsTheTransactionSoThatAnOlderFillIsRefused) {
  start();
  const Stamp before = stamp(10);
  cache.hold(keys);
  cache.settle(keys, 10);
  EXPECT_EQ(fill(k, 1, before), Admission::changed);
  EXPECT_EQ(fill(k, 2, stamp(11)), Admission::admitted);
}

TEST_F(CoherenceTest, ThePollThatReportsAnOwnWriteLeavesItsNewValueInMemory) {
  start();
  cache.hold(keys);
  cache.settle(keys, 11);
  EXPECT_EQ(fill(k, 2, stamp(12)), Admission::admitted);
  poll({.stamp = stamp(12), .changes = {{.xid = 11, .key = k}}});
  EXPECT_EQ(remembered(k), 2);
  poll({.stamp = stamp(13), .changes = {{.xid = 12, .key = k}}});
  EXPECT_FALSE(knows(k));
}

TEST_F(CoherenceTest, AnAbortedWriteLeavesNothingInTheLog) {
  start();
  cache.hold(keys);
  cache.settle(keys, std::nullopt);
  EXPECT_EQ(fill(k, 1, stamp(10)), Admission::admitted);
  EXPECT_EQ(stats().log_entries, 0U);
}

}  // namespace
}  // namespace um
