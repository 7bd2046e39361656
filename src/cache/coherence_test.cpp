// The rules of docs/consistency.md, sections 3 to 6, one by one; the races are sequences of calls,
// since the protocol has no threads of its own.
#include "cache/coherence.hpp"

#include <gtest/gtest.h>

namespace um {
namespace {

using namespace std::chrono_literals;

constexpr Tau kTau{.high = 1, .low = 1};
constexpr Tau kOtherTau{.high = 1, .low = 2};
constexpr auto kT = 500ms;

BootTime at(std::chrono::milliseconds time) {
  return BootTime{time};
}
Stamp stamp(Xid xmax, std::vector<Xid> xip = {}, Tau tau = kTau) {
  return {.tau = tau, .snapshot = {.xmax = xmax, .xip = std::move(xip)}};
}
L1Value value(std::int64_t number) {
  return *UserId::from(number);
}

CoherenceSettings small() {
  return {.staleness_bound = kT,
          .capacity_bytes = 1 << 20,
          .shards = 4,
          .max_log_entries = 1000,
          .max_poll_changes = 100};
}

class CoherenceTest : public ::testing::Test {
 protected:
  using Keys = std::vector<std::string>;

  struct Polled {
    BootTime sent_at = at(1000ms);
    Stamp stamp{};
    std::vector<Change> changes{};
    Keys holds{};
    std::optional<std::string_view> flush_reason{};
    std::optional<Snapshot> base{};
  };
  void poll(const Polled& p) {
    cache.apply({p.sent_at, p.stamp, p.changes, p.holds, p.flush_reason, p.base});
  }
  void start() { poll({.stamp = stamp(10)}); }
  std::int64_t remembered(const std::string& key) {
    const auto found = cache.look_up(key);
    return found && std::holds_alternative<UserId>(*found) ? std::get<UserId>(*found).value() : 0;
  }
  bool knows(const std::string& key) { return cache.look_up(key).has_value(); }
  Admission fill(const std::string& key, std::int64_t number, const Stamp& read_in) {
    return cache.admit(key, read_in, value(number));
  }
  CoherenceStats stats() { return cache.stats(at(1000ms)); }

  Coherence cache{small(), {.low = 1, .high = 2}};
  const std::string k = "user:1";
  const Keys keys{k};
};

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

TEST_F(CoherenceTest, LookingUpBeforeTheLeaseCheckWouldBeABug) {
  poll({.sent_at = at(1000ms), .stamp = stamp(10)});
  fill(k, 1, stamp(10));
  const auto now = at(1600ms);  // the lease has lapsed; in the database the value has changed

  const auto fetched_first = remembered(k);
  poll({.sent_at = at(1590ms), .stamp = stamp(12), .changes = {{.xid = 11, .key = k}}});
  EXPECT_TRUE(fetched_first == 1 && cache.lease_valid(now));  // the old value would be the answer

  ASSERT_TRUE(cache.lease_valid(now));
  EXPECT_FALSE(knows(k));  // in the right order the poll is seen
}

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
  // Whatever changed up to 12 is not in the log; only the base can refuse this.
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

TEST_F(CoherenceTest, WritesBetweenTwoPollsCannotMakeTheLogGrowWithoutBound) {
  start();
  for (Xid xid = 10; xid < 20'000; ++xid) {
    const Keys key{"user:" + std::to_string(xid)};
    cache.hold(key);
    cache.settle(key, xid);
  }
  EXPECT_LE(stats().log_entries, 2 * 1000U + 4);
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
  EXPECT_EQ(s.offered[static_cast<std::size_t>(Admission::admitted)], 2U);
  EXPECT_EQ(s.offered[static_cast<std::size_t>(Admission::not_covered)], 1U);
  EXPECT_EQ(s.entries, 1U);
  EXPECT_EQ(s.entries_absent, 1U);
  EXPECT_TRUE(s.lease_valid);
}

}  // namespace
}  // namespace um
