#include "drivers/pg/pipeline.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace um::pg {
namespace {

using ::testing::ElementsAre;
using What = Pipeline::Reply::What;

constexpr Query kA{.name = "a", .sql = "select a"};
constexpr Query kB{.name = "b", .sql = "select b"};

std::shared_ptr<Unit> unit_of(std::initializer_list<const Query*> queries,
                              Command::How how = Command::How::prepared) {
  std::vector<Command> commands;
  for (const Query* query : queries) commands.push_back({.query = query, .how = how});
  return std::make_shared<Unit>(std::move(commands));
}

// The conversation of one connection, written as a trace.
class PipelineTest : public ::testing::Test {
 protected:
  static constexpr BootTime kStart{std::chrono::seconds{100}};

  // The messages that are sent for these units: "prepare q1", "execute q1", "once b", "sync".
  std::vector<std::string> push(const std::shared_ptr<Unit>& unit) {
    pipeline_.push(unit, now_);
    std::vector<std::string> sent;
    while (const auto message = pipeline_.next_to_send()) sent.push_back(text_of(*message));
    return sent;
  }
  static std::string text_of(const Pipeline::Send& message) {
    switch (message.what) {
      case Pipeline::Send::What::prepare:
        return "prepare " + message.name + " as " + std::string{message.command->query->name};
      case Pipeline::Send::What::execute:
        return "execute " + message.name;
      case Pipeline::Send::What::execute_once:
        return "once " + std::string{message.command->query->name};
      case Pipeline::Send::What::sync:
        return "sync";
    }
    return "";
  }
  std::shared_ptr<Unit> done() { return receive({.what = What::done}); }
  std::shared_ptr<Unit> aborted() { return receive({.what = What::aborted}); }
  std::shared_ptr<Unit> synced() { return receive({.what = What::synced}); }
  std::shared_ptr<Unit> error(const std::string& sqlstate) {
    return receive({.what = What::error, .failure = {.sqlstate = sqlstate}});
  }
  std::shared_ptr<Unit> receive(Pipeline::Reply reply) {
    auto effect = pipeline_.receive(std::move(reply), now_);
    EXPECT_TRUE(effect.expected);
    return effect.finished;
  }

  Pipeline pipeline_;
  BootTime now_ = kStart;
};

TEST_F(PipelineTest, AQueryIsPreparedOnItsFirstUseOnly) {
  EXPECT_THAT(push(unit_of({&kA})), ElementsAre("prepare q1 as a", "execute q1", "sync"));
  EXPECT_THAT(push(unit_of({&kA})), ElementsAre("execute q1", "sync"));
  EXPECT_THAT(push(unit_of({&kB})), ElementsAre("prepare q2 as b", "execute q2", "sync"));
}

TEST_F(PipelineTest, AUnitPreparesAQueryItUsesTwiceOnce) {
  EXPECT_THAT(push(unit_of({&kA, &kA})),
              ElementsAre("prepare q1 as a", "execute q1", "execute q1", "sync"));
}

TEST_F(PipelineTest, SomeCommandsAreNotPrepared) {
  EXPECT_THAT(push(unit_of({&kA}, Command::How::once)), ElementsAre("once a", "sync"));
  EXPECT_THAT(push(unit_of({&kA}, Command::How::once)), ElementsAre("once a", "sync"));
}

TEST_F(PipelineTest, RepliesGoToTheUnitsInTheOrderOfSending) {
  const auto first = unit_of({&kA});
  const auto second = unit_of({&kA, &kB});
  push(first);
  push(second);
  EXPECT_EQ(pipeline_.in_flight(), 2U);
  done();  // prepared
  EXPECT_EQ(done(), nullptr);
  EXPECT_EQ(synced(), first);
  EXPECT_EQ(pipeline_.in_flight(), 1U);
  done();
  done();
  done();
  EXPECT_EQ(synced(), second);
  EXPECT_EQ(first->answers.size(), 1U);
  EXPECT_EQ(second->answers.size(), 2U);
  EXPECT_FALSE(pipeline_.expects_reply());
}

TEST_F(PipelineTest, AnErrorHarmsItsOwnUnitOnly) {
  const auto bad = unit_of({&kA, &kB});
  const auto good = unit_of({&kA});
  push(bad);
  push(good);
  done();
  error("23505");
  aborted();
  aborted();
  EXPECT_EQ(synced(), bad);
  ASSERT_TRUE(bad->failure);
  EXPECT_EQ(bad->failure->sqlstate, "23505");
  EXPECT_TRUE(bad->answers.empty());
  done();
  EXPECT_EQ(synced(), good);
  EXPECT_FALSE(good->failure);
}

TEST_F(PipelineTest, ThePreparationThatAnErrorSkippedIsMadeByTheNextUnit) {
  push(unit_of({&kA, &kB}));
  done();
  error("23505");
  aborted();  // prepare b
  aborted();
  synced();
  EXPECT_THAT(push(unit_of({&kB})), ElementsAre("prepare q3 as b", "execute q3", "sync"));
}

TEST_F(PipelineTest, AQueryThatCannotBePreparedFailsItsUnitAndIsTriedAgainByTheNext) {
  const auto unit = unit_of({&kA});
  push(unit);
  error("42P01");
  aborted();
  EXPECT_EQ(synced(), unit);
  ASSERT_TRUE(unit->failure);
  EXPECT_EQ(unit->failure->sqlstate, "42P01");
  EXPECT_THAT(push(unit_of({&kA})), ElementsAre("prepare q2 as a", "execute q2", "sync"));
}

TEST_F(PipelineTest, AUnitThatReliedOnAFailedPreparationIsStale) {
  const auto first = unit_of({&kA});
  const auto second = unit_of({&kA});
  push(first);
  push(second);
  error("42P01");
  aborted();
  synced();
  error("26000");
  EXPECT_EQ(synced(), second);
  ASSERT_TRUE(second->failure);
  EXPECT_TRUE(stale(*second->failure));
  EXPECT_THAT(push(second), ElementsAre("prepare q2 as a", "execute q2", "sync"));
  EXPECT_FALSE(second->failure);
}

TEST_F(PipelineTest, APlanThatNoLongerFitsIsPreparedAnewOnceForAllThatMeetIt) {
  push(unit_of({&kA}));
  done();
  done();
  synced();
  const auto first = unit_of({&kA});
  const auto second = unit_of({&kA});
  push(first);
  push(second);
  error("0A000");
  synced();
  EXPECT_THAT(push(first), ElementsAre("prepare q2 as a", "execute q2", "sync"));
  error("0A000");  // of the second unit, which used the old plan: says nothing about the new one
  synced();
  EXPECT_THAT(push(second), ElementsAre("execute q2", "sync"));
}

TEST_F(PipelineTest, AnErrorOfTheCommitThatASyncMakesFailsTheUnit) {
  const auto unit = unit_of({&kA});
  push(unit);
  done();
  done();
  EXPECT_EQ(error("23503"), nullptr);
  EXPECT_EQ(synced(), unit);
  ASSERT_TRUE(unit->failure);
  EXPECT_EQ(unit->failure->sqlstate, "23503");
}

TEST_F(PipelineTest, ALostConnectionGivesBackItsUnitsAndForgetsWhatWasPrepared) {
  const auto first = unit_of({&kA});
  const auto second = unit_of({&kB});
  push(first);
  push(second);
  done();
  EXPECT_THAT(pipeline_.drop(), ElementsAre(first, second));
  EXPECT_EQ(pipeline_.in_flight(), 0U);
  EXPECT_FALSE(pipeline_.expects_reply());
  EXPECT_THAT(push(first), ElementsAre("prepare q3 as a", "execute q3", "sync"));
  EXPECT_TRUE(first->answers.empty());
}

TEST_F(PipelineTest, AReplyToNothingIsNotExpected) {
  EXPECT_FALSE(pipeline_.receive({.what = What::done}, now_).expected);
  push(unit_of({&kA}));
  EXPECT_FALSE(pipeline_.receive({.what = What::synced}, now_).expected);
  done();
  done();
  EXPECT_FALSE(pipeline_.receive({.what = What::done}, now_).expected);
}

TEST_F(PipelineTest, OnlyAnUnansweredUnitStalls) {
  using namespace std::chrono_literals;
  EXPECT_FALSE(pipeline_.stalled(now_ + 1h, 1s));
  push(unit_of({&kA}));
  EXPECT_FALSE(pipeline_.stalled(now_ + 1s, 1s));
  EXPECT_TRUE(pipeline_.stalled(now_ + 1s + 1ns, 1s));
  now_ += 1s;
  done();  // progress
  EXPECT_FALSE(pipeline_.stalled(now_ + 1s, 1s));
  EXPECT_TRUE(pipeline_.stalled(now_ + 2s, 1s));
  done();
  synced();
  EXPECT_FALSE(pipeline_.stalled(now_ + 1h, 1s));
}

TEST_F(PipelineTest, TellsHowLongEachQueryTookAndWhetherItFailed) {
  using namespace std::chrono_literals;
  push(unit_of({&kA, &kB}));
  done();
  now_ += 5ms;
  const auto a = pipeline_.receive({.what = What::done}, now_);
  EXPECT_EQ(a.answered, &kA);
  EXPECT_EQ(a.took, 5ms);
  EXPECT_FALSE(a.failed);
  done();
  const auto b = pipeline_.receive({.what = What::error, .failure = {.sqlstate = "22012"}}, now_);
  EXPECT_EQ(b.answered, &kB);
  EXPECT_TRUE(b.failed);
}

}  // namespace
}  // namespace um::pg
