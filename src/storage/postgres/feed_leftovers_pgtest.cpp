// What a flush removes is freed when the feed has released its lock, which event loops take around
// a COMMIT.
#include <atomic>
#include <future>

#include <gtest/gtest.h>

#include "storage/postgres/change_feed.hpp"
#include "storage/testing/leaving_listener.hpp"
#include "support/patience.hpp"
#include "support/postgres_database.hpp"

namespace um {
namespace {

using namespace std::chrono_literals;
using e2e::eventually;

TEST(PostgresFeedLeftovers, AWriteCommitsWhileTheyAreFreed) {
  const test::TestDatabase database;
  const SystemClock clock;
  PostgresChangeFeed feed{
      {.url = Secret{database.url()}, .clock = &clock, .statement_time = 20s, .connect_time = 20s}};
  std::future<void> write;
  std::future_status while_freeing{};
  std::atomic<bool> freed{false};
  test::LeavingListener listener{[&] {
    if (freed) return;
    write = std::async(std::launch::async, [&] {
      feed.before_commit({});
      feed.after_commit({}, {});
    });
    while_freeing = write.wait_for(e2e::kPatience);
    freed = true;
  }};
  feed.start(listener);
  EXPECT_TRUE(eventually([&] { return freed.load(); }));
  feed.stop();
  EXPECT_EQ(while_freeing, std::future_status::ready);
}

}  // namespace
}  // namespace um
