#include "drivers/sqlite/job_queue.hpp"

#include <gtest/gtest.h>

namespace um::sqlite {
namespace {

using namespace std::chrono_literals;

class NoteJob final : public Job {
 public:
  using Job::Job;
  void fail(Error error) override { error_ = std::move(error); }
  std::optional<ErrorCode> code() const {
    return error_ ? std::optional{error_->code} : std::nullopt;
  }

 private:
  std::optional<Error> error_;
};

class JobQueueTest : public ::testing::Test {
 protected:
  std::shared_ptr<NoteJob> push(std::chrono::nanoseconds wait) {
    auto job = std::make_shared<NoteJob>(Deadline::after(clock_, wait));
    queue_.push(job);
    return job;
  }
  ManualClock clock_;
  JobQueue queue_{{.capacity = 2, .clock = &clock_}};
};

TEST_F(JobQueueTest, GivesJobsInTheirOrder) {
  const auto first = push(1s);
  const auto second = push(1s);
  EXPECT_EQ(queue_.take(1).front(), first);
  EXPECT_EQ(queue_.take(9).front(), second);
  EXPECT_TRUE(queue_.take(9).empty());
  EXPECT_FALSE(first->code());
}

TEST_F(JobQueueTest, WhatDoesNotFitIsOverloaded) {
  push(1s);
  push(1s);
  EXPECT_EQ(push(1s)->code(), ErrorCode::overloaded);
  EXPECT_EQ(queue_.size(), 2U);
  EXPECT_EQ(queue_.refused(), 1U);
}

TEST_F(JobQueueTest, ALateJobIsAnsweredAndNeverGiven) {
  const auto late = push(1s);
  const auto patient = push(3s);
  clock_.advance(2s);
  EXPECT_EQ(queue_.take(9).front(), patient);
  EXPECT_EQ(late->code(), ErrorCode::timeout);
  EXPECT_FALSE(patient->code());
}

TEST_F(JobQueueTest, ExpireAnswersTheLateAndNamesTheNextDeadline) {
  const auto late = push(1s);
  const auto patient = push(3s);
  clock_.advance(1s);
  EXPECT_EQ(queue_.expire(clock_.now()), patient->deadline().at);
  EXPECT_EQ(late->code(), ErrorCode::timeout);
  EXPECT_EQ(queue_.size(), 1U);
  clock_.advance(9s);
  EXPECT_EQ(queue_.expire(clock_.now()), BootTime::max());
}

TEST_F(JobQueueTest, AnObstacleIsWhatLateJobsAreTold) {
  const auto late = push(1s);
  queue_.set_obstacle(Error{.code = ErrorCode::unavailable});
  clock_.advance(2s);
  queue_.expire(clock_.now());
  EXPECT_EQ(late->code(), ErrorCode::unavailable);
}

TEST_F(JobQueueTest, AClosedQueueKeepsWhatItHasAndRefusesMore) {
  const auto kept = push(1s);
  queue_.close();
  EXPECT_EQ(push(1s)->code(), ErrorCode::unavailable);
  EXPECT_EQ(queue_.take(9).front(), kept);
}

TEST_F(JobQueueTest, WaitReturnsForAJobForAWakeAndForItsTime) {
  queue_.wait(clock_.now());
  queue_.wake();
  queue_.wait(BootTime::max());
  push(1s);
  queue_.wait(BootTime::max());
  queue_.take(1);
  queue_.close();
  queue_.wait(BootTime::max());
}

TEST(DeadlineWatch, AnswersJobsThatNobodyTakes) {
  const SystemClock clock;
  DeadlineWatch watch{clock};
  JobQueue queue{
      {.clock = &clock, .on_deadline = [&](Deadline deadline) { watch.on_deadline(deadline); }}};
  watch.watch(queue);
  watch.start();
  const auto far = std::make_shared<NoteJob>(Deadline::after(clock, 1h));
  const auto near = std::make_shared<NoteJob>(Deadline::after(clock, 1ms));
  queue.push(far);
  queue.push(near);
  while (queue.size() == 2) queue.pause(1ms);  // paces the loop; the watch is what ends it
  watch.stop();
  EXPECT_EQ(near->code(), ErrorCode::timeout);
  EXPECT_FALSE(far->code());
}

}  // namespace
}  // namespace um::sqlite
