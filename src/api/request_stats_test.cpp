#include "api/request_stats.hpp"

#include <thread>

#include <gtest/gtest.h>

#include "api/routes.hpp"

namespace um::api {
namespace {

using namespace std::chrono_literals;
using Way = RequestCounters::Way;

TEST(RequestCounters, CountByRouteStatusAndDuration) {
  RequestCounters counters;
  counters.count({0, 200, 60us, Way::at_once});
  counters.count({0, 200, 60us, Way::at_once});
  counters.count({0, 404, 10s, Way::waited});
  counters.count({1, 503, 0s, Way::waited});
  const RequestStats stats = counters.stats();
  ASSERT_EQ(stats.routes.size(), routes().size() + 1);
  EXPECT_EQ(stats.routes[0].route, routes()[0].name);
  EXPECT_EQ(stats.routes[0].by_status, (std::map<unsigned, std::uint64_t>{{200, 2}, {404, 1}}));
  EXPECT_EQ(stats.routes[0].buckets[1], 2U);
  EXPECT_EQ(stats.routes[0].buckets.back(), 1U);
  EXPECT_NEAR(stats.routes[0].seconds_sum, 10.00012, 1e-9);
  EXPECT_EQ(stats.routes[1].by_status, (std::map<unsigned, std::uint64_t>{{503, 1}}));
  EXPECT_EQ(stats.answered_at_once, 2U);
}

TEST(RequestCounters, ADurationBelongsToTheBucketThatItDoesNotExceed) {
  RequestCounters counters;
  counters.count({0, 200, 50us, Way::waited});
  counters.count({0, 200, 50us + 1ns, Way::waited});
  counters.count({0, 200, -1s, Way::waited});
  const RequestStats stats = counters.stats();
  EXPECT_EQ(stats.routes[0].buckets[0], 2U);
  EXPECT_EQ(stats.routes[0].buckets[1], 1U);
}

TEST(RequestCounters, UnknownPathsAndStatusesHaveAPlace) {
  RequestCounters counters;
  counters.count({RequestCounters::kUnmatched, 404, 0s, Way::at_once});
  counters.count({RequestCounters::kUnmatched, 299, 0s, Way::at_once});
  const auto unmatched = counters.stats().routes.back();
  EXPECT_EQ(unmatched.route, "unmatched");
  EXPECT_EQ(unmatched.by_status, (std::map<unsigned, std::uint64_t>{{0, 1}, {404, 1}}));
}

TEST(RequestCounters, NothingIsLostBetweenThreads) {
  RequestCounters counters;
  std::vector<std::jthread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 10'000; ++i) counters.count({2, 200, 1us, Way::at_once});
    });
  }
  threads.clear();
  EXPECT_EQ(counters.stats().routes[2].by_status.at(200), 40'000U);
  EXPECT_EQ(counters.stats().answered_at_once, 40'000U);
}

}  // namespace
}  // namespace um::api
