#include "async/single_flight.hpp"

#include <atomic>
#include <functional>
#include <thread>
#include <utility>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <gtest/gtest.h>

#include "async/run_task.hpp"
#include "async/testing/test_loop.hpp"

namespace um {
namespace {

using namespace std::chrono_literals;
using Ref = std::shared_ptr<Outcome<Result<int>>>;

class SingleFlightTest : public ::testing::Test {
 protected:
  Task<Result<int>> request_task(MayFollow may_follow, Deadline deadline,
                                 std::string key = "user:1") {
    auto ask = [this] { return queries.call(); };
    auto admit = [this](int) {
      if (during_verdict) std::exchange(during_verdict, {})();
      if (admit_throws) throw std::runtime_error{"no verdict"};
      return admissible;
    };
    SingleFlight<int>::Request request{
        .key = std::move(key), .may_follow = may_follow, .deadline = deadline};
    Result<int> result = co_await flights.run(std::move(request), ask, admit);
    co_return result;
  }
  Ref request(TestLoop& on, MayFollow may_follow = MayFollow::yes, Deadline deadline = {}) {
    return on.start(request_task(may_follow, deadline));
  }
  std::string key_in_another_shard() const {
    const std::size_t shard = flights.shard_number("user:1");
    for (int id = 2;; ++id) {
      std::string key = "user:" + std::to_string(id);
      if (flights.shard_number(key) != shard) return key;
    }
  }
  void answer(std::size_t query, Result<int> result) {
    queries.answer(query, std::move(result));
    for (int i = 0; i < 3; ++i) {
      loop.settle();
      other_loop.settle();
    }
  }
  static int value(const Ref& request) { return request->value.value().value(); }
  static ErrorCode error(const Ref& request) { return request->value.value().error().code; }

  ManualClock clock;
  PausedCalls<Result<int>> queries;
  bool admissible = true;
  bool admit_throws = false;
  std::function<void()> during_verdict;  // runs within the next verdict, once
  SingleFlight<int> flights{{.waiting = 4}, clock};
  TestLoop loop;
  TestLoop other_loop;
};

TEST_F(SingleFlightTest, FollowersOnAllLoopsShareOneQuery) {
  const auto a = request(loop), b = request(loop), c = request(other_loop);
  EXPECT_EQ(queries.count(), 1U);
  answer(0, 7);
  EXPECT_EQ(value(a), 7);
  EXPECT_EQ(value(b), 7);
  EXPECT_EQ(value(c), 7);
  EXPECT_EQ(flights.stats().leaders, 1U);
  EXPECT_EQ(flights.stats().followers, 2U);
  EXPECT_EQ(flights.stats().waiting, 0U);
}

TEST_F(SingleFlightTest, AFollowerIsTurnedAwayFromAResultThatIsNotAdmissible) {
  const auto a = request(loop), b = request(other_loop);
  admissible = false;
  answer(0, 7);
  EXPECT_EQ(value(a), 7);
  EXPECT_FALSE(b->done());
  ASSERT_EQ(queries.count(), 2U);
  answer(1, 8);
  EXPECT_EQ(value(b), 8);
  EXPECT_EQ(flights.stats().turned_away, 1U);
}

TEST_F(SingleFlightTest, WithoutALeaseARequestNeverSharesAQueryThatWasRunning) {
  const auto a = request(loop), b = request(loop, MayFollow::no), c = request(loop, MayFollow::no);
  answer(0, 7);
  EXPECT_FALSE(b->done());
  EXPECT_EQ(queries.count(), 2U);
  answer(1, 8);
  EXPECT_EQ(value(b), 8);
  EXPECT_EQ(value(c), 8);
}

TEST_F(SingleFlightTest, AFailureOfTheDatabaseReachesThoseWhoWaitedForIt) {
  const auto a = request(loop), b = request(other_loop);
  answer(0, fail(ErrorCode::unavailable));
  EXPECT_EQ(error(a), ErrorCode::unavailable);
  EXPECT_EQ(error(b), ErrorCode::unavailable);
  EXPECT_EQ(queries.count(), 1U);
}

TEST_F(SingleFlightTest, ALeaderThatRanOutOfTimeDoesNotDoomTheOthers) {
  const auto a = request(loop), b = request(other_loop), c = request(loop, MayFollow::no);
  answer(0, fail(ErrorCode::timeout));
  EXPECT_EQ(error(a), ErrorCode::timeout);
  EXPECT_FALSE(b->done() || c->done());
  answer(1, 8);
  EXPECT_EQ(value(b), 8);
  EXPECT_EQ(value(c), 8);
}

TEST_F(SingleFlightTest, AFollowerWhoseDeadlinePassesLeavesAndTheOthersGoOn) {
  const auto a = request(loop);
  const auto b = request(loop, MayFollow::yes, Deadline::after(clock, 1ms));
  clock.advance(1ms);
  loop.until_done(*b);
  EXPECT_EQ(error(b), ErrorCode::timeout);
  EXPECT_FALSE(a->done());
  EXPECT_EQ(flights.stats().waiting, 1U);
  answer(0, 7);
  EXPECT_EQ(value(a), 7);
}

TEST_F(SingleFlightTest, ACancelledLeaderPassesTheLeadOn) {
  boost::asio::cancellation_signal cancel;
  bool ended = false;
  boost::asio::co_spawn(
      loop.context, request_task(MayFollow::yes, {}),
      boost::asio::bind_cancellation_slot(
          cancel.slot(), [&](std::exception_ptr, const Result<int>&) { ended = true; }));
  loop.settle();
  const auto b = request(other_loop);
  cancel.emit(boost::asio::cancellation_type::terminal);
  loop.settle();
  other_loop.settle();
  EXPECT_TRUE(ended);
  ASSERT_EQ(queries.count(), 2U);
  answer(1, 8);
  EXPECT_EQ(value(b), 8);
}

TEST_F(SingleFlightTest, ALeaderWhoseVerdictThrowsPassesTheLeadOn) {
  const auto a = request(loop), b = request(other_loop);
  admit_throws = true;
  answer(0, 7);
  EXPECT_TRUE(a->threw);
  admit_throws = false;
  ASSERT_EQ(queries.count(), 2U);
  answer(1, 8);
  EXPECT_EQ(value(b), 8);
  EXPECT_EQ(flights.stats().waiting, 0U);
}

TEST_F(SingleFlightTest, ALeaderWhoseLoopIsDestroyedPassesTheLeadOn) {
  Ref b;
  {
    TestLoop dying;
    request(dying);
    b = request(other_loop);
  }
  other_loop.settle();
  ASSERT_EQ(queries.count(), 2U);
  answer(1, 8);
  EXPECT_EQ(value(b), 8);
}

TEST_F(SingleFlightTest, AFlightOfAnotherShardBeginsAndEndsDuringAVerdict) {
  const auto a = request(loop);
  Ref other;
  during_verdict = [&] {
    other = other_loop.start(request_task(MayFollow::yes, {}, key_in_another_shard()));
    ASSERT_EQ(queries.count(), 2U);
    queries.answer(1, 8);
    other_loop.settle();
    EXPECT_EQ(value(other), 8);
    EXPECT_FALSE(a->done());
    EXPECT_EQ(flights.stats().waiting, 1U);
  };
  answer(0, 7);
  ASSERT_TRUE(other);
  EXPECT_EQ(value(a), 7);
  EXPECT_EQ(flights.stats().leaders, 2U);
}

TEST_F(SingleFlightTest, TheBoundOnWaitingRequestsIsOneForAllShards) {
  for (int i = 0; i < 3; ++i) request(loop);
  const std::string other = key_in_another_shard();
  const auto d = loop.start(request_task(MayFollow::yes, {}, other));
  EXPECT_FALSE(d->done());
  const auto e = loop.start(request_task(MayFollow::yes, {}, other));
  ASSERT_TRUE(e->done());
  EXPECT_EQ(error(e), ErrorCode::overloaded);
}

TEST_F(SingleFlightTest, TooManyWaitingAreRefused) {
  for (int i = 0; i < 4; ++i) request(loop);
  const auto e = request(loop);
  ASSERT_TRUE(e->done());
  EXPECT_EQ(error(e), ErrorCode::overloaded);
  EXPECT_EQ(flights.stats().refused, 1U);
  answer(0, 7);
  EXPECT_EQ(flights.stats().waiting, 0U);
  EXPECT_FALSE(request(loop)->done());
}

// Of 500 requests, the number without the result of their key.
Task<int> ask_often(SingleFlight<int>& flights, int offset) {
  int wrong = 0;
  for (int i = 0; i < 500; ++i) {
    const int number = (i + offset) % 5;
    auto ask = [number]() -> Task<Result<int>> {
      const auto executor = co_await boost::asio::this_coro::executor;
      co_await boost::asio::post(executor, boost::asio::use_awaitable);
      co_return number;
    };
    auto admit = [i](int) { return i % 2 == 0; };
    SingleFlight<int>::Request request{.key = "user:" + std::to_string(number),
                                       .may_follow = i % 3 == 0 ? MayFollow::no : MayFollow::yes};
    const Result<int> result = co_await flights.run(std::move(request), ask, admit);
    if (!result || *result != number) ++wrong;
  }
  co_return wrong;
}

TEST(SingleFlightUnderThreads, EachRequestLeadsOrGetsTheResultOfItsKey) {
  const ManualClock clock;
  SingleFlight<int> flights{{}, clock};
  std::atomic<int> wrong{0};
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i)
      threads.emplace_back([&, i] { wrong += run(ask_often(flights, i)); });
  }
  EXPECT_EQ(wrong, 0);
  const FlightStats stats = flights.stats();
  EXPECT_EQ(stats.leaders + stats.followers, 2000U);
  EXPECT_EQ(stats.waiting, 0U);
}

}  // namespace
}  // namespace um
