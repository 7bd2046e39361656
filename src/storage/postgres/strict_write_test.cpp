#include "storage/postgres/strict_write.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace um {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;

class StrictWriteTest : public ::testing::Test {
 protected:
  using Act = StrictWrite::Step::Act;
  using Way = StrictWrite::Way;

  static BootTime at(std::chrono::milliseconds time) { return BootTime{time}; }
  // The feed has known the namespace for long; other instances are registered.
  static StrictTerms terms() {
    return {.name_space = "a", .epoch = 1, .longest_lease = 500ms, .first_seen = at(0ms)};
  }

  StrictWrite write{[this] { return "hold " + std::to_string(++holds_); }};
  const std::set<std::string> keys{"user:1"};

  void place(const StrictTerms& now, BootTime time, Xid xid = 7) {
    const auto step = write.next(now, keys, time);
    ASSERT_EQ(step.act, Act::place);
    write.placed(step.keys, xid, time, now.name_space);
  }

 private:
  int holds_ = 0;
};

TEST_F(StrictWriteTest, AnInstanceThatIsAloneCommitsAtOnce) {
  StrictTerms alone = terms();
  alone.company = false;
  const auto step = write.next(alone, keys, at(1000ms));
  EXPECT_EQ(step.act, Act::commit);
  EXPECT_EQ(step.way, Way::alone);
}

// A crash has emptied the registry, and leases from before may be alive.
TEST_F(StrictWriteTest, ThatNobodyElseIsRegisteredCountsOnlyAfterTheLongestLease) {
  StrictTerms alone = terms();
  alone.company = false;
  EXPECT_EQ(write.next(alone, keys, at(499ms)).act, Act::place);
  EXPECT_EQ(write.next(alone, keys, at(500ms)).act, Act::commit);
}

TEST_F(StrictWriteTest, WhoMetOthersAtTheGateIsNotAloneAnyMore) {
  StrictTerms alone = terms();
  alone.company = false;
  write.gate_not_yet(Way::alone);
  EXPECT_EQ(write.next(alone, keys, at(1000ms)).act, Act::place);
}

TEST_F(StrictWriteTest, OthersAreWaitedForUntilTheLongestLeaseAfterTheHold) {
  place(terms(), at(1000ms));
  const auto wait = write.next(terms(), keys, at(1100ms));
  EXPECT_EQ(wait.act, Act::wait);
  EXPECT_EQ(wait.until, at(1500ms));
  const auto commit = write.next(terms(), keys, at(1500ms));
  EXPECT_EQ(commit.act, Act::commit);
  EXPECT_EQ(commit.way, Way::waited);
}

TEST_F(StrictWriteTest, WithEveryAcknowledgementItCommits) {
  place(terms(), at(1000ms));
  write.acknowledged();
  const auto commit = write.next(terms(), keys, at(1001ms));
  EXPECT_EQ(commit.act, Act::commit);
  EXPECT_EQ(commit.way, Way::acknowledged);
}

TEST_F(StrictWriteTest, AcknowledgementsCountOnlyAfterTheLongestLeaseOfTheNamespaceBefore) {
  StrictTerms young = terms();
  young.first_seen = at(900ms);
  place(young, at(1000ms));
  write.acknowledged();
  const auto wait = write.next(young, keys, at(1001ms));
  EXPECT_EQ(wait.act, Act::wait);
  EXPECT_EQ(wait.until, at(1400ms));
  EXPECT_EQ(write.next(young, keys, at(1400ms)).act, Act::commit);
}

TEST_F(StrictWriteTest, WithoutAFeedNoAcknowledgementCounts) {
  StrictTerms no_feed = terms();
  no_feed.first_seen.reset();
  place(no_feed, at(1000ms));
  write.acknowledged();
  const auto wait = write.next(no_feed, keys, at(1001ms));
  EXPECT_EQ(wait.act, Act::wait);
  EXPECT_EQ(wait.until, at(1500ms));
}

TEST_F(StrictWriteTest, AGateThatSaysNotYetSendsBackToWait) {
  place(terms(), at(1000ms));
  write.acknowledged();
  write.gate_not_yet(Way::acknowledged);
  EXPECT_EQ(write.next(terms(), keys, at(1001ms)).act, Act::wait);
  EXPECT_TRUE(write.has_hold());
}

TEST_F(StrictWriteTest, FurtherKeysAreAddedToTheSameHoldAndWaitedForAnew) {
  place(terms(), at(1000ms));
  write.acknowledged();
  const auto step = write.next(terms(), {"user:1", "email:a"}, at(1200ms));
  EXPECT_EQ(step.act, Act::place);
  EXPECT_THAT(step.keys, ElementsAre("email:a"));
  write.placed(step.keys, 9, at(1250ms), "a");
  EXPECT_EQ(write.hold_id(), "hold 1");
  EXPECT_THAT(write.hold_xids(), ElementsAre(7, 9));
  EXPECT_THAT(write.held_keys(), ElementsAre("email:a", "user:1"));
  const auto wait = write.next(terms(), {"user:1", "email:a"}, at(1250ms));
  EXPECT_EQ(wait.act, Act::wait);
  EXPECT_EQ(wait.until, at(1750ms));
}

TEST_F(StrictWriteTest, AnotherAttemptWithFewerKeysNeedsNoNewHold) {
  place(terms(), at(1000ms));
  write.acknowledged();
  EXPECT_EQ(write.next(terms(), {}, at(1001ms)).act, Act::commit);
}

TEST_F(StrictWriteTest, AHoldThatIsGoneIsPlacedAnewUnderAnotherId) {
  place(terms(), at(1000ms));
  write.gate_lost_the_hold();
  EXPECT_FALSE(write.has_hold());
  EXPECT_EQ(write.next(terms(), keys, at(1100ms)).act, Act::place);
  EXPECT_EQ(write.hold_id(), "hold 2");
}

TEST_F(StrictWriteTest, AHoldDoesNotOutliveItsNamespace) {
  place(terms(), at(1000ms));
  StrictTerms later = terms();
  later.name_space = "b";
  EXPECT_EQ(write.next(later, keys, at(2000ms)).act, Act::place);
  EXPECT_EQ(write.hold_id(), "hold 2");
}

TEST_F(StrictWriteTest, InModeBoundedItCommitsAtOnceWhoeverElseIsThere) {
  StrictTerms bounded = terms();
  bounded.mode = Consistency::bounded;
  const auto step = write.next(bounded, keys, at(0ms));
  EXPECT_EQ(step.act, Act::commit);
  EXPECT_EQ(step.way, Way::bounded);
}

TEST_F(StrictWriteTest, ADeploymentThatHasChangedTakesNoWrites) {
  StrictTerms outdated = terms();
  outdated.outdated = true;
  EXPECT_EQ(write.next(outdated, keys, at(1000ms)).act, Act::refuse);
}

class AckBoardTest : public ::testing::Test {
 protected:
  AckBoard board{.instances = {{.id = "me", .name = "here"}, {.id = "other", .name = "there"}}};
  const std::optional<std::string> me{"me"};
  // The names of the missing ones.
  std::string missing(const std::optional<std::string>& own, const std::vector<Xid>& holds) const {
    std::string names;
    for (const AckBoard::Instance& instance : board.missing(own, holds)) names += instance.name;
    return names;
  }
  void acknowledge(Xid xid, Snapshot seen) {
    board.acks.push_back({.instance = "other", .xid = xid, .seen = std::move(seen)});
  }
};

TEST_F(AckBoardTest, EveryInstanceButTheOwnHasToAcknowledge) {
  EXPECT_EQ(missing(me, {7}), "there");
  acknowledge(9, {.xmax = 9});
  EXPECT_EQ(missing(me, {7}), "");
  EXPECT_EQ(missing(std::nullopt, {7}), "here") << "a writer without a row waits for all rows";
}

TEST_F(AckBoardTest, AnAcknowledgementHasToSeeTheHold) {
  acknowledge(9, {.xmax = 9, .xip = {7}});
  EXPECT_EQ(missing(me, {7}), "there");
}

TEST_F(AckBoardTest, AnAcknowledgementFromBeforeTheHoldDoesNotCount) {
  acknowledge(6, {.xmax = 9});
  EXPECT_EQ(missing(me, {7}), "there");
}

TEST_F(AckBoardTest, OneAcknowledgementHasToSeeAllPartsOfTheHold) {
  acknowledge(9, {.xmax = 9});
  EXPECT_EQ(missing(me, {7, 11}), "there");
  acknowledge(13, {.xmax = 13});
  EXPECT_EQ(missing(me, {7, 11}), "");
}

}  // namespace
}  // namespace um
