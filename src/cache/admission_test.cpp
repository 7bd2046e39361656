#include "cache/admission.hpp"

#include <gtest/gtest.h>

namespace um {
namespace {

Snapshot snapshot_of(Xid xmax, std::vector<Xid> running = {}) {
  return {.xmax = xmax, .xip = std::move(running)};
}

TEST(UnionOf, SeesWhatEitherSees) {
  const Snapshot a = snapshot_of(10, {5, 7});
  const Snapshot b = snapshot_of(12, {7, 9, 11});
  const Snapshot both = union_of(a, b);
  EXPECT_EQ(both, snapshot_of(12, {7, 11}));
  EXPECT_EQ(both, union_of(b, a));
  for (Xid xid = 0; xid < 14; ++xid) EXPECT_EQ(both.sees(xid), a.sees(xid) || b.sees(xid)) << xid;
  EXPECT_TRUE(covers(both, a));
  EXPECT_TRUE(covers(both, b));
}

TEST(ChangeLog, AKeyThatNeverChangedIsSeenByAnySnapshot) {
  ChangeLog log;
  log.add("user:1", 5);
  EXPECT_TRUE(log.seen_by("user:2", snapshot_of(0)));
}

TEST(ChangeLog, EveryTransactionOfAKeyMustBeVisible) {
  ChangeLog log;
  log.add("user:1", 9);
  log.add("user:1", 5);
  EXPECT_FALSE(log.seen_by("user:1", snapshot_of(9)));        // 9 had not begun
  EXPECT_FALSE(log.seen_by("user:1", snapshot_of(10, {5})));  // 5 was still running
  EXPECT_FALSE(log.seen_by("user:1", snapshot_of(12, {9})));
  EXPECT_TRUE(log.seen_by("user:1", snapshot_of(10)));
  EXPECT_TRUE(log.seen_by("user:1", snapshot_of(12, {7, 10})));
}

TEST(ChangeLog, CountsPairsOnce) {
  ChangeLog log;
  log.add("user:1", 5);
  log.add("user:1", 5);
  log.add("user:1", 6);
  log.add("user:2", 5);
  EXPECT_EQ(log.size(), 3U);
}

TEST(ChangeLog, MovingTheBaseKeepsWhatItDoesNotSee) {
  ChangeLog log;
  log.add("user:1", 5);
  log.add("user:1", 8);
  log.add("user:2", 6);
  log.add("user:3", 7);
  log.move_base(snapshot_of(8, {6}));
  EXPECT_EQ(log.base(), snapshot_of(8, {6}));
  EXPECT_EQ(log.size(), 2U);
  EXPECT_FALSE(log.seen_by("user:1", snapshot_of(8)));
  EXPECT_FALSE(log.seen_by("user:2", snapshot_of(9, {6})));
  EXPECT_TRUE(log.seen_by("user:3", snapshot_of(0)));  // the base answers for it now
}

TEST(ChangeLog, TheBaseNeverGoesBack) {
  ChangeLog log;
  log.move_base(snapshot_of(20, {15}));
  log.move_base(snapshot_of(10, {5}));
  EXPECT_EQ(log.base(), snapshot_of(20, {15}));
}

TEST(ChangeLog, WhatTheBaseSeesIsNotLoggedAgain) {
  ChangeLog log;
  log.move_base(snapshot_of(20, {15}));
  log.add("user:1", 14);
  EXPECT_EQ(log.size(), 0U);
  log.add("user:1", 15);
  EXPECT_EQ(log.size(), 1U);
}

TEST(ChangeLog, FoldingMakesTheBaseSeeEverythingLogged) {
  ChangeLog log;
  log.start_over(snapshot_of(10, {4, 6}));
  log.add("user:1", 6);
  log.add("user:2", 13);
  log.fold_into_base();
  EXPECT_EQ(log.size(), 0U);
  EXPECT_EQ(log.base(), snapshot_of(14, {4}));
}

struct AdmissionCase {
  const char* what;
  Stamp read_in;
  bool held;
  Admission expected;
};

TEST(Admission, AsksForNamespaceHoldBaseAndLog) {
  const Tau tau{.high = 1, .low = 2};
  ChangeLog log;
  log.start_over(snapshot_of(10, {7}));
  log.add("user:1", 12);
  const AdmissionCase cases[] = {
      {"fresh", {tau, snapshot_of(13)}, false, Admission::admitted},
      {"of another namespace",
       {{.high = 1, .low = 3}, snapshot_of(13)},
       false,
       Admission::other_namespace},
      {"held", {tau, snapshot_of(13)}, true, Admission::held},
      {"older than the base", {tau, snapshot_of(9)}, false, Admission::not_covered},
      {"did not see a transaction that the base sees",
       {tau, snapshot_of(13, {8})},
       false,
       Admission::not_covered},
      {"as blind as the base", {tau, snapshot_of(13, {7})}, false, Admission::admitted},
      {"from before the change", {tau, snapshot_of(12)}, false, Admission::changed},
      {"from during the change", {tau, snapshot_of(14, {12})}, false, Admission::changed},
  };
  for (const auto& c : cases)
    EXPECT_EQ(admissible({.key = "user:1", .held = c.held}, c.read_in, tau, log), c.expected)
        << c.what;
}

TEST(Admission, NothingIsAdmittedBeforeTheFirstPoll) {
  EXPECT_EQ(admissible({.key = "user:1", .held = false}, Stamp{}, std::nullopt, ChangeLog{}),
            Admission::other_namespace);
}

}  // namespace
}  // namespace um
