#include "app/readiness_ping.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <gtest/gtest.h>

#include "support/run_task.hpp"

namespace um {
namespace {

using namespace std::chrono_literals;

class ReadinessPingTest : public ::testing::Test {
 protected:
  Task<Result<void>> count(Deadline) {
    ++pings_;
    const auto result = answer_;
    co_await boost::asio::post(boost::asio::use_awaitable);  // lets the others come
    clock_.advance(takes_);
    co_return result;
  }
  bool ask() { return test::run(ping_.ask({})).has_value(); }

  ManualClock clock_;
  Result<void> answer_;
  std::chrono::nanoseconds takes_{0};
  int pings_ = 0;
  ReadinessPing ping_{[this](Deadline deadline) { return count(deadline); }, clock_};
};

TEST_F(ReadinessPingTest, ManyAtOnceTakeOneTurnOfTheDatabase) {
  takes_ = 1h;  // they share the ping itself, not the memory of it
  std::vector<Task<Result<void>>> all;
  for (int i = 0; i < 20; ++i) all.push_back(ping_.ask({}));
  for (const auto& answer : test::run_all(std::move(all))) EXPECT_TRUE(answer);
  EXPECT_EQ(pings_, 1);
}

TEST_F(ReadinessPingTest, AnAnswerHoldsForAMomentCountedFromItsBegin) {
  takes_ = 100ms;
  EXPECT_TRUE(ask());
  answer_ = fail(ErrorCode::unavailable, "gone");
  clock_.advance(149ms);
  EXPECT_TRUE(ask());
  EXPECT_EQ(pings_, 1);
  clock_.advance(1ms);
  EXPECT_FALSE(ask());
  EXPECT_EQ(pings_, 2);
}

TEST_F(ReadinessPingTest, AFailureIsNotRememberedForLonger) {
  answer_ = fail(ErrorCode::unavailable, "gone");
  EXPECT_FALSE(ask());
  answer_ = {};
  EXPECT_FALSE(ask());
  clock_.advance(ReadinessPing::kReused);
  EXPECT_TRUE(ask());
  EXPECT_EQ(pings_, 2);
}

TEST_F(ReadinessPingTest, WhoHadNoTimeSaysNothingAboutTheDatabase) {
  answer_ = fail(ErrorCode::timeout, "no time left");
  EXPECT_FALSE(ask());
  answer_ = {};
  EXPECT_TRUE(ask());
}

}  // namespace
}  // namespace um
