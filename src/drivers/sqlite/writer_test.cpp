#include "drivers/sqlite/writer.hpp"

#include "support/writer_stage.hpp"

namespace um::sqlite {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

using WriterTest = WriterStage;

TEST_F(WriterTest, AGroupSharesOneCommitAndIsAnnouncedAsOne) {
  std::vector<Task<Result<int>>> tasks;
  for (const char* text : {"c", "a", "b"}) tasks.push_back(insert(text));
  for (const auto& answer : together(std::move(tasks))) EXPECT_TRUE(answer);
  EXPECT_EQ(writer_->stats().commits, 1U);
  EXPECT_EQ(writer_->stats().writes, 3U);
  EXPECT_THAT(observer_.take(), ElementsAre("hold a b c", "settle a b c"));
  EXPECT_EQ(rows(), 3);
}

TEST_F(WriterTest, ANeighbourThatFailsIsUndoneAloneAndNotAnnounced) {
  std::vector<Task<Result<int>>> tasks;
  tasks.push_back(insert("a"));
  tasks.push_back(writer_->run<int>({}, [](Transaction& tx) -> Result<int> {
    tx.touch("x");
    tx.db().run(kInsert, "x").finish();
    return fail(ErrorCode::conflict);
  }));
  tasks.push_back(insert("a"));  // the constraint fails
  tasks.push_back(
      writer_->run<int>({}, [](Transaction&) -> Result<int> { throw std::runtime_error("oops"); }));
  tasks.push_back(insert("b"));
  const auto answers = together(std::move(tasks));
  EXPECT_TRUE(answers[0]);
  EXPECT_EQ(answers[1].error().code, ErrorCode::conflict);
  EXPECT_EQ(answers[2].error().code, ErrorCode::internal);
  EXPECT_EQ(answers[3].error().code, ErrorCode::internal);
  EXPECT_TRUE(answers[4]);
  EXPECT_THAT(observer_.take(), ElementsAre("hold a b", "settle a b"));
  EXPECT_EQ(rows(), 2);
}

TEST_F(WriterTest, WhatChangesNothingCommitsNothing) {
  EXPECT_TRUE(test::run(writer_->run<int>({}, [](Transaction&) -> Result<int> { return 7; })));
  EXPECT_EQ(writer_->stats().commits, 0U);
  EXPECT_THAT(observer_.take(), IsEmpty());
}

TEST_F(WriterTest, ATouchAloneIsAnnounced) {
  EXPECT_TRUE(test::run(writer_->run<int>({}, [](Transaction& tx) -> Result<int> {
    tx.touch("k");
    tx.touch("k");
    return 7;
  })));
  EXPECT_THAT(observer_.take(), ElementsAre("hold k", "settle k"));
}

TEST_F(WriterTest, ADiscardedJobSucceedsAndLeavesNothing) {
  EXPECT_TRUE(test::run(writer_->run<int>({}, [](Transaction& tx) -> Result<int> {
    tx.touch("k");
    tx.db().run(kInsert, "a").finish();
    tx.discard();
    return 7;
  })));
  EXPECT_EQ(rows(), 0);
  EXPECT_THAT(observer_.take(), IsEmpty());
}

TEST_F(WriterTest, ALongJobTicksWhileItHoldsTheTransaction) {
  EXPECT_TRUE(test::run(writer_->run<int>({}, [this](Transaction& tx) -> Result<int> {
    while (observer_.ticks_in_transaction < 2) {
      clock_.advance(1ms);
      tx.pulse();
    }
    return 7;
  })));
}

TEST_F(WriterTest, TicksGoOnWhileAnotherProgramHoldsTheLock) {
  Connection other{{.file = file_}};
  other.execute("BEGIN IMMEDIATE");
  std::thread releasing{[&] {
    while (writer_->queue().empty()) std::this_thread::yield();
    tick(3);
    other.execute("ROLLBACK");
  }};
  EXPECT_TRUE(test::run(insert("a")));
  releasing.join();
}

TEST_F(WriterTest, ALockThatStaysIsUnavailableAndTheWriteWasNotDone) {
  constexpr auto kLong = 10'000h;  // of the clock that ticks by hand, however often
  Connection other{{.file = file_}};
  other.execute("BEGIN IMMEDIATE");
  std::thread advancing{[&] {
    while (writer_->queue().empty()) std::this_thread::yield();
    tick(2);  // between them the writer has tried to begin
    clock_.advance(kLong);
  }};
  const auto refused = test::run(insert("a", Deadline::after(clock_, kLong)));
  advancing.join();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::unavailable);
  EXPECT_TRUE(refused.error().retry_after);
  other.execute("COMMIT");
  EXPECT_TRUE(test::run(insert("b")));
  EXPECT_EQ(rows(), 1);
}

TEST_F(WriterTest, AWriteWhoseTurnDoesNotComeInTimeDidNothing) {
  std::vector<Task<Result<int>>> tasks;
  tasks.push_back(insert("late", Deadline{.at = BootTime{}}));
  tasks.push_back(insert("a"));
  // The watch may answer the first before the second arrives: so no waiting for two in the queue.
  const auto answers = test::run_all(std::move(tasks));
  EXPECT_EQ(answers[0].error().code, ErrorCode::timeout);
  EXPECT_TRUE(answers[1]);
  EXPECT_EQ(rows(), 1);
}

TEST_F(WriterTest, AWriteThatWasBegunIsAnsweredTruthfullyAfterItsDeadline) {
  const auto answer = test::run(
      writer_->run<int>(Deadline::after(clock_, 1s), [this](Transaction& tx) -> Result<int> {
        clock_.advance(2s);
        tx.db().run(kInsert, "a").finish();
        return 1;
      }));
  EXPECT_TRUE(answer);
  EXPECT_EQ(rows(), 1);
}

TEST_F(WriterTest, ACancelledWriteThatWasNotBegunIsNotDone) {
  boost::asio::io_context loop;
  boost::asio::cancellation_signal cancel;
  Connection other{{.file = file_}};
  other.execute("BEGIN IMMEDIATE");
  const auto write = [&]() -> Task<void> { co_await insert("a"); };
  const auto ended = [](const std::exception_ptr&) {};
  boost::asio::co_spawn(loop, write(), boost::asio::bind_cancellation_slot(cancel.slot(), ended));
  while (writer_->queue().empty()) loop.poll();
  cancel.emit(boost::asio::cancellation_type::terminal);
  loop.poll();  // co_spawn passes it on through the loop
  other.execute("ROLLBACK");
  loop.run();
  EXPECT_EQ(rows(), 0);
}

TEST_F(WriterTest, StopFinishesWhatWasAccepted) {
  std::vector<Task<Result<int>>> tasks;
  for (int i = 0; i < 20; ++i) tasks.push_back(insert(std::to_string(i)));
  std::thread stopping{[&] {
    while (writer_->stats().commits == 0) std::this_thread::yield();
    writer_->stop();
  }};
  int done = 0;
  for (const auto& answer : test::run_all(std::move(tasks))) {
    if (answer) {
      ++done;
    } else {
      EXPECT_EQ(answer.error().code, ErrorCode::unavailable);
    }
  }
  stopping.join();
  EXPECT_GT(done, 0);
  EXPECT_EQ(rows(), done);
}

}  // namespace
}  // namespace um::sqlite
