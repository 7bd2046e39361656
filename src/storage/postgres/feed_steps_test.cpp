#include "storage/postgres/feed_steps.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace um {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;

class FeedStepsTest : public ::testing::Test {
 protected:
  using Act = FeedSteps::Act;
  static BootTime at(std::chrono::milliseconds time) { return BootTime{time}; }

  FeedStepsTest() { steps.connected(); }

  Act act(std::chrono::milliseconds now) { return steps.next(at(now)).act; }
  void join(std::chrono::milliseconds now, const std::string& name_space = "a",
            std::int64_t others = 1) {
    const auto step = steps.next(at(now));
    ASSERT_EQ(step.act, Act::join);
    steps.joined(step.id, name_space, others, at(now));
  }
  FeedSteps::Applied poll(std::chrono::milliseconds sent, std::vector<std::string> holds = {},
                          const std::string& name_space = "a",
                          std::chrono::milliseconds took = 0ms) {
    EXPECT_EQ(act(sent), Act::poll);
    PostgresPolls::Answer answer{.sent_at = at(sent),
                                 .name_space = name_space,
                                 .now = {.xmax = ++xmax_},
                                 .since = {.xmax = 1}};
    for (const std::string& id : holds) answer.holds.push_back({.id = id, .key = "user:1"});
    return steps.take(std::move(answer), settings, at(sent + took));
  }

  FeedSteps steps{
      {.own_holds = "own", .new_id = [this] { return "id " + std::to_string(++ids_); }}};
  FeedSteps::Settings settings{.epoch = 1, .former_bound = 500ms};

 private:
  int ids_ = 0;
  Xid xmax_ = 10;
};

TEST_F(FeedStepsTest, AnInstanceJoinsBeforeItPolls) {
  EXPECT_EQ(act(0ms), Act::join);
  join(0ms);
  EXPECT_EQ(act(0ms), Act::poll);
}

// The registration counts from its sending; a poll that was sent before it gives no lease.
TEST_F(FeedStepsTest, ARegistrationIsVouchedForByTheNextPoll) {
  join(5ms);
  EXPECT_EQ(poll(7ms).vouched_at, at(5ms));
  EXPECT_EQ(poll(100ms).vouched_at, std::nullopt);
}

TEST_F(FeedStepsTest, AJoinThatWaitsForALockIsTriedAgainWithoutAPoll) {
  steps.refused(Act::join, at(10ms));
  const auto step = steps.next(at(20ms));
  EXPECT_EQ(step.act, Act::wait);
  EXPECT_EQ(step.until, at(110ms));
  EXPECT_EQ(act(110ms), Act::join);
}

TEST_F(FeedStepsTest, PollsComeAtTheirInterval) {
  join(0ms);
  poll(0ms);
  const auto step = steps.next(at(10ms));
  EXPECT_EQ(step.act, Act::wait);
  EXPECT_EQ(step.until, at(75ms));
  EXPECT_EQ(act(75ms), Act::poll);
}

TEST_F(FeedStepsTest, AWakeUpMakesThePollDueButNotBeforeThreeTimesTheLastOne) {
  join(0ms);
  poll(0ms, {}, "a", 4ms);
  steps.woken();
  const auto step = steps.next(at(5ms));
  EXPECT_EQ(step.act, Act::wait);
  EXPECT_EQ(step.until, at(12ms));
  EXPECT_EQ(act(12ms), Act::poll);
}

TEST_F(FeedStepsTest, APollGoesBeforeTheRefresh) {
  join(0ms);
  poll(0ms);
  poll(2000ms);
  EXPECT_EQ(act(2000ms), Act::refresh);
  steps.refreshed(1, 1, at(2000ms));
  EXPECT_EQ(act(2001ms), Act::wait);
  EXPECT_EQ(poll(2075ms).vouched_at, at(2000ms));
}

// A manual clock does not go on by itself.
TEST_F(FeedStepsTest, WhatAWaitWasForIsDueAfterIt) {
  join(0ms);
  poll(0ms, {}, "a", 1000ms);  // so long that the refresh is due first
  const auto refresh = steps.next(at(1000ms));
  EXPECT_EQ(refresh.until, at(2000ms));
  steps.waited(refresh.until, at(1000ms));
  EXPECT_EQ(act(1000ms), Act::refresh);
  steps.refreshed(1, 1, at(1000ms));
  const auto next = steps.next(at(1000ms));
  steps.waited(next.until, at(1000ms));
  EXPECT_EQ(act(1000ms), Act::poll);
}

TEST_F(FeedStepsTest, HoldsAreAcknowledgedOnceWithTheSnapshotOfTheirPoll) {
  join(0ms);
  poll(0ms, {"h1"});
  const auto step = steps.next(at(1ms));
  EXPECT_EQ(step.act, Act::acknowledge);
  EXPECT_EQ(step.seen, steps.polls().last());
  EXPECT_EQ(step.id, "id 1");
  steps.acknowledged(1, step.seen);
  poll(75ms, {"h1"});
  EXPECT_EQ(act(76ms), Act::wait);
  poll(150ms, {"h1", "h2"});
  EXPECT_EQ(act(151ms), Act::acknowledge);
}

TEST_F(FeedStepsTest, OwnHoldsNeedNoAcknowledgement) {
  join(0ms);
  poll(0ms, {"own-1"});
  EXPECT_EQ(act(1ms), Act::wait);
}

TEST_F(FeedStepsTest, KnownHoldsAreAskedForById) {
  join(0ms);
  poll(0ms, {"h1"});
  EXPECT_THAT(steps.polls().next().known_holds, ElementsAre("h1"));
}

TEST_F(FeedStepsTest, AnAcknowledgementWithoutARowIsAnExpulsion) {
  join(0ms);
  poll(0ms, {"h1"});
  steps.acknowledged(0, steps.polls().last());
  const auto step = steps.next(at(1ms));
  EXPECT_EQ(step.act, Act::join);
  EXPECT_THAT(step.former_ids, ElementsAre("id 1"));
  join(1ms);
  EXPECT_EQ(poll(2ms).poll.flush_reason, "expelled");
}

TEST_F(FeedStepsTest, ARefreshWithoutARowIsAnExpulsion) {
  join(0ms);
  poll(0ms);
  steps.refreshed(0, 0, at(1ms));
  EXPECT_EQ(act(1ms), Act::join);
}

// The acknowledgements of the former registration say nothing about this one.
TEST_F(FeedStepsTest, ANewConnectionJoinsUnderANewIdAndAcknowledgesAllHoldsAnew) {
  join(0ms);
  poll(0ms, {"h1"});
  steps.acknowledged(1, steps.polls().last());
  steps.disconnected();
  steps.connected();
  EXPECT_THAT(steps.next(at(1ms)).former_ids, ElementsAre("id 1"));
  join(1ms);
  EXPECT_NE(steps.id(), "id 1");
  EXPECT_EQ(poll(2ms, {"h1"}).poll.flush_reason, "reconnected");
  EXPECT_EQ(act(3ms), Act::acknowledge);
}

// A join whose answer was lost may have been committed.
TEST_F(FeedStepsTest, RowsOfJoinsWithoutAnAnswerAreRemovedByTheNextOne) {
  for (const char* id : {"lost 1", "lost 2"}) {
    steps.joining(id);
    steps.disconnected();
    steps.connected();
  }
  EXPECT_THAT(steps.rows(), ElementsAre("lost 1", "lost 2"));
  EXPECT_THAT(steps.next(at(1ms)).former_ids, ElementsAre("lost 1", "lost 2"));
  join(1ms);
  EXPECT_THAT(steps.rows(), ElementsAre(steps.id()));
}

// The namespace may be another one meanwhile: writers ask the database themselves.
TEST_F(FeedStepsTest, WithoutAConnectionThereAreNoTerms) {
  join(0ms);
  poll(0ms);
  ASSERT_TRUE(steps.terms());
  steps.disconnected();
  EXPECT_FALSE(steps.terms());
  steps.connected();
  EXPECT_EQ(steps.terms()->first_seen, at(0ms));
}

// A lock on cache_acks, or a full disk, must not silence memory.
TEST_F(FeedStepsTest, ARefusedAcknowledgementIsSentAgainLaterAndPollsGoOn) {
  join(0ms);
  poll(0ms, {"h1"});
  steps.refused(Act::acknowledge, at(10ms));
  EXPECT_EQ(act(10ms), Act::wait);
  poll(75ms, {"h1"});
  poll(150ms, {"h1", "h2"});
  EXPECT_EQ(act(160ms), Act::wait);
  const auto step = steps.next(at(510ms));
  EXPECT_EQ(step.act, Act::acknowledge);
  EXPECT_EQ(step.seen, steps.polls().last()) << "of the newest holds";
}

TEST_F(FeedStepsTest, ARefusedRefreshIsSentAgainLaterAndPollsGoOn) {
  join(0ms);
  poll(1990ms);
  EXPECT_EQ(act(2000ms), Act::refresh);
  steps.refused(Act::refresh, at(2000ms));
  EXPECT_EQ(act(2000ms), Act::wait);
  poll(2065ms);
  poll(2490ms);
  EXPECT_EQ(act(2500ms), Act::refresh);
}

// Holds and wake-ups without end make a poll due all the time.
TEST_F(FeedStepsTest, ALongOverdueRefreshGoesFirst) {
  join(0ms);
  poll(0ms, {"h1"});
  EXPECT_EQ(act(3999ms), Act::acknowledge);
  EXPECT_EQ(act(4000ms), Act::refresh);
}

TEST_F(FeedStepsTest, InModeBoundedPollsNeedNoRegistration) {
  FeedSteps bounded{{.times = {.mode = Consistency::bounded}, .new_id = [] { return "id"; }}};
  settings.times.mode = Consistency::bounded;
  bounded.connected();
  EXPECT_EQ(bounded.next(at(0ms)).act, Act::join);
  bounded.refused(Act::join, at(0ms));
  EXPECT_EQ(bounded.next(at(0ms)).act, Act::poll);
  const auto applied = bounded.take(
      {.sent_at = at(0ms), .name_space = "a", .now = {.xmax = 11}, .since = {.xmax = 1}}, settings,
      at(0ms));
  EXPECT_TRUE(applied.poll.gives_lease);
  EXPECT_EQ(bounded.next(at(75ms)).act, Act::poll);
  EXPECT_EQ(bounded.next(at(500ms)).act, Act::join);
}

TEST_F(FeedStepsTest, AnotherNamespaceEndsTheLeaseAndNeedsANewRegistration) {
  join(0ms);
  poll(0ms, {"h1"});
  steps.acknowledged(1, steps.polls().last());
  const auto applied = poll(75ms, {"h1"}, "b");
  EXPECT_TRUE(applied.new_namespace);
  EXPECT_FALSE(applied.poll.gives_lease);
  EXPECT_EQ(applied.vouched_at, std::nullopt);
  EXPECT_EQ(steps.terms()->first_seen, at(75ms));
  EXPECT_EQ(steps.terms()->instance, std::nullopt);
  EXPECT_EQ(act(76ms), Act::join) << "no acknowledgement under the former id";
  join(76ms, "b");
  EXPECT_EQ(poll(77ms, {"h1"}, "b").vouched_at, at(76ms));
  EXPECT_EQ(act(78ms), Act::acknowledge);
}

TEST_F(FeedStepsTest, WithoutANamespaceItIsRepairedBeforeAnythingElse) {
  join(0ms);
  steps.found_no_namespace(at(0ms), at(1ms));
  EXPECT_EQ(act(1ms), Act::repair);
  steps.repaired();
  EXPECT_EQ(act(1ms), Act::poll);
}

TEST_F(FeedStepsTest, OtherTimesOfTheDeploymentEndTheLeaseForGood) {
  join(0ms);
  poll(0ms);
  settings.times.staleness_bound = 600ms;
  const auto applied = poll(75ms, {}, "b");
  EXPECT_FALSE(applied.poll.gives_lease);
  EXPECT_TRUE(steps.terms()->outdated);
  const auto step = steps.next(at(76ms));
  EXPECT_EQ(step.act, Act::leave);
  EXPECT_THAT(step.former_ids, ElementsAre("id 1"));
  steps.left();
  EXPECT_EQ(act(10'000ms), Act::wait);
  EXPECT_TRUE(steps.retired());
}

TEST_F(FeedStepsTest, TheLongestLeaseIsThatOfAFormerBoundWithTheTolerance) {
  settings.former_bound = 1000ms;
  join(0ms);
  poll(0ms);
  EXPECT_EQ(steps.terms()->longest_lease, 1000ms + 2ms + 5ms);
}

TEST_F(FeedStepsTest, CompanyIsWhatTheRegistryShowedLast) {
  join(0ms, "a", 0);
  poll(0ms);
  EXPECT_FALSE(steps.terms()->company);
  steps.note_company();
  EXPECT_TRUE(steps.terms()->company);
  steps.refreshed(1, 0, at(2000ms));
  EXPECT_FALSE(steps.terms()->company);
}

}  // namespace
}  // namespace um
