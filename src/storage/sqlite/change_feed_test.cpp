#include "storage/sqlite/change_feed.hpp"

#include <future>

#include <gtest/gtest.h>

#include "storage/testing/leaving_listener.hpp"
#include "support/patience.hpp"

namespace um {
namespace {

TEST(SqliteChangeFeedTest, WhatAFlushRemovesIsFreedWithoutTheFeedsLock) {
  const ManualClock clock;
  SqliteChangeFeed feed{clock};
  std::future<void> stopped;
  std::future_status while_freeing{};
  test::LeavingListener listener{[&] {
    stopped = std::async(std::launch::async, [&] { feed.stop(); });
    while_freeing = stopped.wait_for(e2e::kPatience);
  }};
  feed.start(listener);
  const std::vector<std::string> keys{"user:1"};
  feed.outcome_unknown(keys);  // flushes
  ASSERT_TRUE(stopped.valid());
  EXPECT_EQ(while_freeing, std::future_status::ready);
}

}  // namespace
}  // namespace um
