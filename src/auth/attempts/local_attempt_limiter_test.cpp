#include "auth/attempts/local_attempt_limiter.hpp"

#include <thread>

#include <gtest/gtest.h>

#include "async/task_group.hpp"
#include "support/run_task.hpp"

namespace um {
namespace {

using namespace std::chrono_literals;

using PlacePtr = std::unique_ptr<AttemptLimiter::Place>;

class LocalAttemptLimiterTest : public ::testing::Test {
 protected:
  using Outcome = std::optional<Result<PlacePtr>>;

  static AttemptLimiter::Subject subject(std::string account, std::string address = "192.0.2.1") {
    return {.account = std::move(account), .address = std::move(address)};
  }
  Result<PlacePtr> take(AttemptLimiter::Subject subject) {
    return test::run(limiter_.take(std::move(subject), Deadline::never()));
  }
  void start(AttemptLimiter::Subject subject, Deadline deadline, Outcome& outcome) {
    boost::asio::co_spawn(loop_, limiter_.take(std::move(subject), deadline),
                          [&outcome](std::exception_ptr error, Result<PlacePtr> place) {
                            if (!error) outcome.emplace(std::move(place));
                          });
    poll();
  }
  void poll() {
    loop_.restart();
    loop_.poll();
  }
  void fail_times(int times, const AttemptLimiter::Subject& subject) {
    for (int i = 0; i < times; ++i) (*take(subject))->failed();
  }

  ManualClock clock_;
  boost::asio::io_context loop_;
  LocalAttemptLimiter limiter_{
      {.limits = {}, .waiters = 3, .account_cells = 1024, .address_cells = 1024}, clock_};
};

TEST_F(LocalAttemptLimiterTest, AfterTenFailuresAnAccountIsRefusedUntilTheWindowHasPassed) {
  fail_times(10, subject("alice"));
  const auto refused = take(subject("alice", "198.51.100.7"));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::too_many_attempts);
  ASSERT_TRUE(refused.error().retry_after);
  EXPECT_GT(*refused.error().retry_after, 14min);
  EXPECT_LE(*refused.error().retry_after, 16min);
  EXPECT_TRUE(take(subject("bob")));
  clock_.advance(*refused.error().retry_after - 2s);
  EXPECT_FALSE(take(subject("alice")));
  clock_.advance(2s);
  EXPECT_TRUE(take(subject("alice")));
}

TEST_F(LocalAttemptLimiterTest, BeingRefusedDoesNotLengthenTheWait) {
  fail_times(10, subject("alice"));
  for (int minute = 0; minute < 16; ++minute) {
    EXPECT_FALSE(take(subject("alice")));
    clock_.advance(1min);
  }
  EXPECT_TRUE(take(subject("alice")));
}

TEST_F(LocalAttemptLimiterTest, SuccessAndNoOutcomeGiveThePlaceBack) {
  for (int i = 0; i < 50; ++i) {
    (*take(subject("alice")))->succeeded();
    {
      const auto abandoned = take(subject("alice"));
    }
  }
  EXPECT_EQ(limiter_.stats().failures, 0u);
  EXPECT_TRUE(take(subject("alice")));
}

TEST_F(LocalAttemptLimiterTest, AnOutcomeCountsOnce) {
  {
    const auto place = take(subject("alice"));
    (*place)->failed();
    (*place)->failed();
    (*place)->succeeded();
  }
  EXPECT_EQ(limiter_.stats().failures, 1u);
}

TEST_F(LocalAttemptLimiterTest, AnAddressIsRefusedAfterAHundredFailuresWithWhateverAccounts) {
  for (int i = 0; i < 100; ++i) (*take(subject("user-" + std::to_string(i))))->failed();
  EXPECT_FALSE(take(subject("another")));
  EXPECT_TRUE(take(subject("another", "192.0.2.2")));
}

TEST_F(LocalAttemptLimiterTest, ManyAtOnceDoNotGetPastTheLimit) {
  std::vector<PlacePtr> places;
  for (int i = 0; i < 10; ++i) places.push_back(std::move(*take(subject("alice"))));
  Outcome eleventh;
  start(subject("alice"), Deadline::never(), eleventh);
  EXPECT_FALSE(eleventh) << "waits: the ten may still succeed";
  for (const PlacePtr& place : places) place->failed();
  poll();
  ASSERT_TRUE(eleventh);
  EXPECT_EQ((*eleventh).error().code, ErrorCode::too_many_attempts);
}

TEST_F(LocalAttemptLimiterTest, WhoWaitsGetsThePlaceThatIsGivenBack) {
  fail_times(9, subject("alice"));
  auto tenth = take(subject("alice"));
  Outcome first;
  Outcome second;
  start(subject("alice"), Deadline::never(), first);
  start(subject("alice"), Deadline::never(), second);
  EXPECT_EQ(limiter_.stats().waiting, 2u);
  (*tenth)->succeeded();
  poll();
  ASSERT_TRUE(first.has_value() != second.has_value()) << "one place, one of the two";
  Outcome& lucky = first ? first : second;
  Outcome& other = first ? second : first;
  ASSERT_TRUE(**lucky != nullptr);
  (**lucky)->failed();
  poll();
  ASSERT_TRUE(other);
  EXPECT_EQ(other->error().code, ErrorCode::too_many_attempts);
  EXPECT_EQ(limiter_.stats().waiting, 0u);
}

TEST_F(LocalAttemptLimiterTest, WaitingEndsAtTheDeadline) {
  std::vector<PlacePtr> places;
  for (int i = 0; i < 10; ++i) places.push_back(std::move(*take(subject("alice"))));
  const auto late = test::run(limiter_.take(subject("alice"), Deadline::after(clock_, 1ms)));
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, ErrorCode::timeout);
  EXPECT_EQ(limiter_.stats().waiting, 0u);
}

TEST_F(LocalAttemptLimiterTest, OnlySoManyWait) {
  std::vector<PlacePtr> places;
  for (int i = 0; i < 10; ++i) places.push_back(std::move(*take(subject("alice"))));
  std::array<Outcome, 4> outcomes;
  for (Outcome& outcome : outcomes) start(subject("alice"), Deadline::never(), outcome);
  EXPECT_EQ(limiter_.stats().waiting, 3u);
  ASSERT_TRUE(outcomes[3]);
  EXPECT_EQ(outcomes[3]->error().code, ErrorCode::too_many_attempts);
  EXPECT_EQ(outcomes[3]->error().retry_after, 1s);
  places.clear();
  poll();
  for (const Outcome& outcome : outcomes) EXPECT_TRUE(outcome);
}

TEST_F(LocalAttemptLimiterTest, WhoWaitsMayVanishWithTheEventLoop) {
  std::vector<PlacePtr> places;
  for (int i = 0; i < 10; ++i) places.push_back(std::move(*take(subject("alice"))));
  {
    boost::asio::io_context other;
    boost::asio::co_spawn(other, limiter_.take(subject("alice"), Deadline::never()),
                          [](std::exception_ptr, Result<PlacePtr>) {});
    other.poll();
    EXPECT_EQ(limiter_.stats().waiting, 1u);
  }
  EXPECT_EQ(limiter_.stats().waiting, 0u);
  places.clear();
}

// Two event loops with more sign-ins at once than the limit: those that wait are woken across
// threads.
TEST_F(LocalAttemptLimiterTest, EventLoopsOfTwoThreadsShareTheLimit) {
  LocalAttemptLimiter limiter{{}, clock_};
  std::atomic<int> under_way{0};
  std::atomic<int> most{0};
  std::atomic<int> signed_in{0};
  const auto attempt = [&]() -> Task<void> {
    auto place = co_await limiter.take(subject("alice"), Deadline::never());
    if (!place) co_return;
    const int now = ++under_way;
    int seen = most;
    while (seen < now && !most.compare_exchange_weak(seen, now)) {
    }
    co_await boost::asio::post(boost::asio::use_awaitable);
    --under_way;
    (*place)->succeeded();
    ++signed_in;
  };
  const auto serve = [&] {
    boost::asio::io_context loop;
    TaskGroup tasks;
    for (int i = 0; i < 100; ++i) tasks.spawn(loop.get_executor(), attempt());
    loop.run();
  };
  {
    const std::jthread a{serve};
    const std::jthread b{serve};
  }
  EXPECT_EQ(signed_in, 200);
  EXPECT_GT(most, 1);
  EXPECT_LE(most, 10);
  EXPECT_EQ(limiter.stats().waiting, 0u);
}

TEST_F(LocalAttemptLimiterTest, APlaceMayOutliveItsLimiter) {
  auto limiter = std::make_unique<LocalAttemptLimiter>(LocalAttemptLimiterOptions{}, clock_);
  auto place = test::run(limiter->take(subject("alice"), Deadline::never()));
  limiter.reset();
  (*place)->failed();
}

TEST(AddressGroup, Ipv6CountsByItsFirst64Bits) {
  EXPECT_EQ(address_group("2001:db8:1:2::1"), address_group("2001:db8:1:2:ffff:ffff:ffff:ffff"));
  EXPECT_NE(address_group("2001:db8:1:2::1"), address_group("2001:db8:1:3::1"));
  EXPECT_EQ(address_group("fe80::1%1"), address_group("fe80::2"));
}

TEST(AddressGroup, Ipv4CountsByItselfAlsoMapped) {
  EXPECT_EQ(address_group("::ffff:192.0.2.1"), address_group("192.0.2.1"));
  EXPECT_NE(address_group("192.0.2.1"), address_group("192.0.2.2"));
  EXPECT_NE(address_group("::ffff:192.0.2.1"), address_group("::ffff:192.0.2.2"));
}

TEST(AddressGroup, WhatIsNoAddressCountsByItsText) {
  EXPECT_EQ(address_group("unix"), "unix");
  EXPECT_EQ(address_group(""), "");
  EXPECT_EQ(address_group(std::string(500, 'x')).size(), 64u);
}

}  // namespace
}  // namespace um
