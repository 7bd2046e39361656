#include "storage/postgres/polls.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace um {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

using Answer = PostgresPolls::Answer;

Snapshot snapshot(Xid xmax, std::vector<Xid> xip = {}) {
  return {.xmax = xmax, .xip = std::move(xip)};
}
std::vector<Change> changes(std::size_t count) {
  std::vector<Change> all;
  for (std::size_t i = 0; i < count; ++i) all.push_back({.xid = 10 + i, .key = "user:1"});
  return all;
}

class PostgresPollsTest : public ::testing::Test {
 protected:
  // The answer of a database without changes.
  static Answer quiet(Xid xmax) {
    return {.sent_at = {}, .name_space = "a", .now = snapshot(xmax), .since = snapshot(xmax)};
  }
  void start() { polls.take(quiet(10)); }

  PostgresPolls polls{{.changes = 3}};
};

TEST_F(PostgresPollsTest, TheFirstQuestionReachesBackToTheOldestMark) {
  const auto question = polls.next();
  EXPECT_EQ(question.since, std::nullopt);
  EXPECT_EQ(question.limit, 7U);
  Answer answer = quiet(20);
  answer.since = snapshot(5, {3});
  answer.changes = changes(6);
  const Poll poll = polls.take(answer);
  EXPECT_EQ(poll.flush_reason, "start");
  EXPECT_EQ(poll.base, snapshot(5, {3}));
  EXPECT_THAT(poll.changes, SizeIs(6));
}

TEST_F(PostgresPollsTest, TooManyChangesAtTheStartAreNotFollowed) {
  Answer answer = quiet(20);
  answer.since = snapshot(5);
  answer.changes = changes(7);
  const Poll poll = polls.take(answer);
  EXPECT_EQ(poll.flush_reason, "start");
  EXPECT_EQ(poll.base, std::nullopt);
  EXPECT_THAT(poll.changes, IsEmpty());
}

TEST_F(PostgresPollsTest, EachQuestionGoesOnWhereTheLastAnswerEnded) {
  start();
  EXPECT_EQ(polls.next().since, snapshot(10));
  EXPECT_EQ(polls.next().limit, 4U);
  Answer answer = quiet(12);
  answer.changes = changes(3);
  answer.now = snapshot(12, {11});
  const Poll poll = polls.take(answer);
  EXPECT_EQ(poll.flush_reason, std::nullopt);
  EXPECT_THAT(poll.changes, SizeIs(3));
  EXPECT_EQ(polls.next().since, snapshot(12, {11}));
}

TEST_F(PostgresPollsTest, AnotherNamespaceMakesTheChangesMeaningless) {
  start();
  Answer answer = quiet(12);
  answer.name_space = "b";
  answer.changes = changes(1);
  EXPECT_TRUE(polls.starts_over(answer));
  const Poll poll = polls.take(answer);
  EXPECT_EQ(poll.flush_reason, "namespace");
  EXPECT_EQ(poll.base, std::nullopt);
  EXPECT_THAT(poll.changes, IsEmpty());
  EXPECT_EQ(
      polls.take({.sent_at = {}, .name_space = "b", .now = snapshot(13), .since = snapshot(12)})
          .flush_reason,
      std::nullopt);
}

TEST_F(PostgresPollsTest, ItTellsWhenTheDatabaseIsElsewhere) {
  EXPECT_TRUE(polls.is_elsewhere(quiet(10))) << "nothing is known yet";
  start();
  polls.connection_lost();
  EXPECT_FALSE(polls.is_elsewhere(quiet(12)));
  Answer answer = quiet(12);
  answer.name_space = "b";
  EXPECT_TRUE(polls.is_elsewhere(answer));
}

TEST_F(PostgresPollsTest, SnapshotsThatGoBackStartOver) {
  start();
  EXPECT_EQ(polls.take(quiet(9)).flush_reason, "went_back");
}

TEST_F(PostgresPollsTest, MoreChangesThanTheLimitStartOver) {
  start();
  Answer answer = quiet(20);
  answer.changes = changes(4);
  const Poll poll = polls.take(answer);
  EXPECT_EQ(poll.flush_reason, "too_many_changes");
  EXPECT_THAT(poll.changes, IsEmpty());
}

TEST_F(PostgresPollsTest, WhatMayHaveBeenPurgedUnseenStartsOver) {
  start();
  Answer covered = quiet(12);
  covered.horizon = snapshot(9);
  EXPECT_EQ(polls.take(covered).flush_reason, std::nullopt);
  Answer beyond = quiet(30);
  beyond.horizon = snapshot(20);
  EXPECT_EQ(polls.take(beyond).flush_reason, "purged");
}

TEST_F(PostgresPollsTest, AStartThatDoesNotReachWhatWasPurgedBeginsNow) {
  Answer answer = quiet(30);
  answer.since = snapshot(20, {15});
  answer.horizon = snapshot(19);  // sees 15
  answer.changes = changes(1);
  const Poll poll = polls.take(answer);
  EXPECT_EQ(poll.flush_reason, "start");
  EXPECT_EQ(poll.base, std::nullopt);
  EXPECT_THAT(poll.changes, IsEmpty());
  EXPECT_EQ(polls.next().since, snapshot(30));
}

TEST_F(PostgresPollsTest, ATransactionThatRanAtTheLastPollAndIsSeenByTheHorizonStartsOver) {
  polls.take({.sent_at = {}, .name_space = "a", .now = snapshot(30, {15}), .since = snapshot(30)});
  Answer answer = quiet(31);
  answer.horizon = snapshot(20);  // sees 15, so its changes may be purged
  EXPECT_EQ(polls.take(answer).flush_reason, "purged");
}

TEST_F(PostgresPollsTest, ALostConnectionStartsOverFromTheOldestMark) {
  start();
  polls.connection_lost();
  EXPECT_EQ(polls.next().since, std::nullopt);
  Answer answer = quiet(12);
  answer.since = snapshot(8);
  const Poll poll = polls.take(answer);
  EXPECT_EQ(poll.flush_reason, "reconnected");
  EXPECT_EQ(poll.base, snapshot(8));
}

TEST_F(PostgresPollsTest, AnExpelledInstanceStartsOver) {
  start();
  polls.expelled();
  EXPECT_EQ(polls.take(quiet(12)).flush_reason, "expelled");
}

using Keys = std::vector<std::string>;

BootTime at(std::chrono::milliseconds time) {
  return BootTime{time};
}

TEST(SettledWrites, WhatWasSettledBeforeTheQuestionIsInItsAnswer) {
  SettledWrites writes;
  writes.add(at(1ms), Keys{"a", "b"});
  writes.add(at(3ms), Keys{"c"});
  writes.forget_until(at(2ms));
  EXPECT_THAT(writes.keys(), ElementsAre("c"));
  EXPECT_TRUE(writes.complete_since(at(2ms)));
}

TEST(SettledWrites, WhatWasSettledInTheSameMomentMayBeOnEitherSide) {
  SettledWrites writes;
  writes.add(at(2ms), Keys{"a"});
  writes.forget_until(at(2ms));
  EXPECT_THAT(writes.keys(), ElementsAre("a"));
}

TEST(SettledWrites, TooManyAreNotKeptAndThatIsSaid) {
  SettledWrites writes{2};
  writes.add(at(1ms), Keys{"a", "b"});
  EXPECT_TRUE(writes.complete_since(at(0ms)));
  writes.add(at(2ms), Keys{"c"});
  EXPECT_THAT(writes.keys(), IsEmpty());
  EXPECT_FALSE(writes.complete_since(at(1ms)));
  EXPECT_TRUE(writes.complete_since(at(2ms)));
  writes.add(at(3ms), Keys{"d"});
  EXPECT_THAT(writes.keys(), ElementsAre("d"));
}

}  // namespace
}  // namespace um
