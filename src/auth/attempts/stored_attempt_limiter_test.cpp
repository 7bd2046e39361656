#include "auth/attempts/stored_attempt_limiter.hpp"

#include <deque>
#include <functional>
#include <thread>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>
#include <gtest/gtest.h>

#include "auth/attempts/local_attempt_limiter.hpp"
#include "support/run_task.hpp"

namespace um {
namespace {

using namespace std::chrono_literals;

using PlacePtr = std::unique_ptr<AttemptLimiter::Place>;
using Answer = AttemptStore::Answer;
using Kind = AttemptStore::Answer::Kind;
using Ends = std::vector<std::pair<std::int64_t, bool>>;

// Gives the answers that a test has set, the last one again and again, and remembers the calls. An
// error stands for a database that does not answer.
class ScriptedAttempts final : public AttemptStore {
 public:
  Task<Result<Answer>> take(Take take, Deadline) override {
    asked.push_back(take);
    on_take();
    if (slowness > 0ms) {
      boost::asio::steady_timer timer{co_await boost::asio::this_coro::executor, slowness};
      co_await timer.async_wait(boost::asio::use_awaitable);
    }
    Result<Answer> answer = answers.front();
    if (answers.size() > 1) answers.pop_front();
    co_return answer;
  }
  Task<Result<void>> end(End end, Deadline) override {
    ended.emplace_back(end.taken, end.failed);
    co_return Result<void>{};
  }

  std::deque<Result<Answer>> answers{Answer{.kind = Kind::taken, .number = 7}};
  std::function<void()> on_take = [] {};
  std::chrono::milliseconds slowness{0};
  std::vector<Take> asked;
  Ends ended;
};

class StoredAttemptLimiterTest : public ::testing::Test {
 protected:
  Result<PlacePtr> take(Deadline deadline = Deadline::never()) {
    return test::run(limiter_->take({.account = "alice", .address = "2001:db8::1"}, deadline));
  }
  const Ends& ended() {
    loop_.restart();
    loop_.poll();
    return store_.ended;
  }
  static Result<Answer> none() { return fail(ErrorCode::unavailable); }

  ManualClock clock_;
  boost::asio::io_context loop_;
  LocalAttemptLimiter local_{
      {.limits = {}, .waiters = 3, .account_cells = 1024, .address_cells = 1024}, clock_};
  ScriptedAttempts store_;
  std::unique_ptr<StoredAttemptLimiter> limiter_ = std::make_unique<StoredAttemptLimiter>(
      StoredAttemptOptions{
          .deployment_key = Secret{"a key of sixteen bytes or more"}, .pause = 1ms, .waiters = 1},
      StoredAttemptLimiter::Parts{
          .local = local_, .store = store_, .clock = clock_, .loop = loop_});
};

TEST_F(StoredAttemptLimiterTest, EveryOutcomeIsToldToBothOnce) {
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
  EXPECT_EQ(ended(), (Ends{{7, true}, {7, false}, {7, false}, {7, true}}));
  EXPECT_EQ(local_.stats().failures, 2u);
  EXPECT_EQ(limiter_->stats().shared, 4u);
  (void)test::run(limiter_->take({.account = "bob", .address = "2001:db8::2"}, Deadline::never()));
  EXPECT_EQ(store_.asked[0].cells.address, store_.asked.back().cells.address)
      << "the group of the address";
  EXPECT_NE(store_.asked[0].cells.account, store_.asked.back().cells.account);
}

TEST_F(StoredAttemptLimiterTest, WhatOthersSawRefusesHere) {
  store_.answers = {Answer{.kind = Kind::refused, .number = 61'500}};
  const auto refused = take();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::too_many_attempts);
  EXPECT_EQ(refused.error().retry_after, 62s);
  EXPECT_EQ(limiter_->stats().refused, 1u);
  store_.answers = {Answer{.kind = Kind::taken}};
  EXPECT_TRUE(take()) << "and leaves no place taken here";
}

TEST_F(StoredAttemptLimiterTest, WhatWasSeenHereIsNotEvenAskedElsewhere) {
  for (int i = 0; i < 10; ++i) (*take())->failed();
  const std::size_t asked = store_.asked.size();
  const auto refused = take();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::too_many_attempts);
  EXPECT_EQ(store_.asked.size(), asked);
}

TEST_F(StoredAttemptLimiterTest, WithoutTheOthersTheLocalLimitHolds) {
  store_.answers = {none()};
  for (int i = 0; i < 10; ++i) (*take())->failed();
  const auto refused = take();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::too_many_attempts);
  EXPECT_EQ(limiter_->stats().local, 10u);
  EXPECT_TRUE(ended().empty()) << "nothing was taken there";
}

TEST_F(StoredAttemptLimiterTest, WhoIsOverTheLimitOnlyBecauseOfOthersUnderWayWaits) {
  store_.answers = {Answer{.kind = Kind::busy}, Answer{.kind = Kind::busy},
                    Answer{.kind = Kind::taken}};
  EXPECT_TRUE(take());
  EXPECT_EQ(store_.asked.size(), 3u);
  store_.answers = {Answer{.kind = Kind::busy}, none()};
  EXPECT_TRUE(take()) << "the others went away meanwhile";
  EXPECT_EQ(limiter_->stats().waiting, 0u);
}

TEST_F(StoredAttemptLimiterTest, WaitingEndsAtTheDeadline) {
  store_.answers = {Answer{.kind = Kind::busy}};
  store_.on_take = [&] { clock_.advance(1min); };
  const auto late = take(Deadline::after(clock_, 1min));
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, ErrorCode::timeout);
  store_.answers = {Answer{.kind = Kind::taken}};
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(take());
}

TEST_F(StoredAttemptLimiterTest, OnlySoManyWait) {
  store_.answers = {Answer{.kind = Kind::busy}};
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

TEST_F(StoredAttemptLimiterTest, APlaceMayOutliveTheLimiter) {
  auto place = take();
  ASSERT_TRUE(place);
  limiter_.reset();
  (*place)->failed();
  EXPECT_TRUE(ended().empty());
  EXPECT_EQ(local_.stats().failures, 1u);
}

TEST_F(StoredAttemptLimiterTest, StoppingWaitsForTheOutcomesUnderWay) {
  auto place = take();
  (*place)->failed();
  loop_.restart();
  auto busy = boost::asio::make_work_guard(loop_);
  std::jthread loop{[this] { loop_.run(); }};
  limiter_->stop();
  busy.reset();
  EXPECT_EQ(store_.ended, (Ends{{7, true}}));
}

TEST_F(StoredAttemptLimiterTest, StoppingWaitsUntilALatePlaceIsGivenBack) {
  store_.slowness = 50ms;
  auto busy = boost::asio::make_work_guard(loop_);
  std::jthread loop{[this] { loop_.run(); }};
  boost::asio::co_spawn(
      loop_,
      limiter_->take({.account = "alice", .address = "192.0.2.1"}, Deadline{clock_.now() + 1ms}),
      boost::asio::use_future)
      .wait();
  limiter_->stop();
  busy.reset();
  EXPECT_EQ(store_.ended, (Ends{{7, false}}));
}

}  // namespace
}  // namespace um
