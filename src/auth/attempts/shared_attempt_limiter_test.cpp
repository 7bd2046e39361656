#include "auth/attempts/shared_attempt_limiter.hpp"

#include <deque>

#include <boost/asio/co_spawn.hpp>
#include <gtest/gtest.h>

#include "auth/attempts/local_attempt_limiter.hpp"
#include "support/run_task.hpp"

namespace um {
namespace {

using namespace std::chrono_literals;

using PlacePtr = std::unique_ptr<AttemptLimiter::Place>;
using Said = std::optional<SharedAttempts::Answer>;
using Outcome = SharedAttempts::Outcome;

// Says what a test wants, the last answer again and again, and remembers what it was told.
class ScriptedAttempts final : public SharedAttempts {
 public:
  Task<std::optional<SharedAttempts::Answer>> take(Who who, Deadline) override {
    asked.push_back(who);
    Said answer = answers.front();
    if (answers.size() > 1) answers.pop_front();
    co_return answer;
  }
  void end(const Who&, Taken place, SharedAttempts::Outcome outcome) override {
    ended.emplace_back(place.place, outcome);
  }

  std::deque<Said> answers{Taken{.place = 7}};
  std::vector<Who> asked;
  std::vector<std::pair<std::int64_t, SharedAttempts::Outcome>> ended;
};

class SharedAttemptLimiterTest : public ::testing::Test {
 protected:
  Result<PlacePtr> take(Deadline deadline = Deadline::never()) {
    return test::run(limiter_->take({.account = "alice", .address = "2001:db8::1"}, deadline));
  }

  ManualClock clock_;
  LocalAttemptLimiter local_{
      {.limits = {}, .waiters = 3, .account_cells = 1024, .address_cells = 1024}, clock_};
  ScriptedAttempts shared_;
  std::unique_ptr<SharedAttemptLimiter> limiter_ = std::make_unique<SharedAttemptLimiter>(
      local_, shared_, clock_, SharedAttemptOptions{.pause = 1ms, .waiters = 1});
};

TEST_F(SharedAttemptLimiterTest, EveryOutcomeIsToldToBothOnce) {
  (*take())->failed();
  (*take())->succeeded();
  {
    const auto abandoned = take();
  }
  {
    const auto place = take();
    (*place)->failed();
    (*place)->succeeded();
  }
  EXPECT_EQ(shared_.ended, (std::vector<std::pair<std::int64_t, Outcome>>{{7, Outcome::failed},
                                                                          {7, Outcome::succeeded},
                                                                          {7, Outcome::succeeded},
                                                                          {7, Outcome::failed}}));
  EXPECT_EQ(local_.stats().failures, 2u);
  EXPECT_EQ(limiter_->stats().shared, 4u);
  EXPECT_EQ(shared_.asked[0].address, address_group("2001:db8::2")) << "the group of the address";
}

TEST_F(SharedAttemptLimiterTest, WhatOthersSawRefusesHere) {
  shared_.answers = {SharedAttempts::Refused{.wait = 61'500ms}};
  const auto refused = take();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::too_many_attempts);
  EXPECT_EQ(refused.error().retry_after, 62s);
  EXPECT_EQ(limiter_->stats().refused, 1u);
  shared_.answers = {SharedAttempts::Taken{}};
  EXPECT_TRUE(take()) << "and leaves no place taken here";
}

TEST_F(SharedAttemptLimiterTest, WhatWasSeenHereIsNotEvenAskedElsewhere) {
  for (int i = 0; i < 10; ++i) (*take())->failed();
  const std::size_t asked = shared_.asked.size();
  const auto refused = take();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::too_many_attempts);
  EXPECT_EQ(shared_.asked.size(), asked);
}

TEST_F(SharedAttemptLimiterTest, WithoutTheOthersTheLocalLimitHolds) {
  shared_.answers = {std::nullopt};
  for (int i = 0; i < 10; ++i) (*take())->failed();
  const auto refused = take();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::too_many_attempts);
  EXPECT_EQ(limiter_->stats().local, 10u);
  EXPECT_TRUE(shared_.ended.empty()) << "nothing was taken there";
}

TEST_F(SharedAttemptLimiterTest, WhoIsOverTheLimitOnlyBecauseOfOthersUnderWayWaits) {
  shared_.answers = {SharedAttempts::Busy{}, SharedAttempts::Busy{}, SharedAttempts::Taken{}};
  EXPECT_TRUE(take());
  EXPECT_EQ(shared_.asked.size(), 3u);
  shared_.answers = {SharedAttempts::Busy{}, std::nullopt};
  EXPECT_TRUE(take()) << "the others went away meanwhile";
  EXPECT_EQ(limiter_->stats().waiting, 0u);
}

TEST_F(SharedAttemptLimiterTest, WaitingEndsAtTheDeadline) {
  shared_.answers = {SharedAttempts::Busy{}};
  const auto late = take({clock_.now()});
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, ErrorCode::timeout);
  shared_.answers = {SharedAttempts::Taken{}};
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(take());
}

TEST_F(SharedAttemptLimiterTest, OnlySoManyWait) {
  shared_.answers = {SharedAttempts::Busy{}};
  boost::asio::io_context loop;
  std::vector<ErrorCode> failures;
  for (int i = 0; i < 2; ++i) {
    boost::asio::co_spawn(
        loop, limiter_->take({.account = "alice", .address = "192.0.2.1"}, {clock_.now() + 1h}),
        [&](const std::exception_ptr&, const Result<PlacePtr>& place) {
          if (!place) failures.push_back(place.error().code);
        });
  }
  loop.poll();
  EXPECT_EQ(failures, std::vector{ErrorCode::too_many_attempts});
  EXPECT_EQ(limiter_->stats().waiting, 1u);
}

TEST_F(SharedAttemptLimiterTest, APlaceMayOutliveTheLimiter) {
  auto place = take();
  ASSERT_TRUE(place);
  limiter_.reset();
  (*place)->failed();
  EXPECT_TRUE(shared_.ended.empty());
  EXPECT_EQ(local_.stats().failures, 1u);
}

}  // namespace
}  // namespace um
