// What a flush removes is freed without the feed's lock, which event loops take around a COMMIT,
// and beside the feed's thread.
#include <atomic>
#include <functional>
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

class PostgresFeedLeftovers : public ::testing::Test {
 protected:
  // Runs `meanwhile` while the first leftovers are being freed.
  void while_freeing(std::function<void()> meanwhile) {
    std::atomic<bool> freed = false;
    test::LeavingListener listener{[&] {
      if (freed) return;
      meanwhile();
      freed = true;
    }};
    listener_ = &listener;
    feed_.start(listener);
    EXPECT_TRUE(eventually([&] { return freed.load(); }));
    feed_.stop();
  }

  const test::TestDatabase database_;
  const SystemClock clock_;
  PostgresChangeFeed feed_{{.url = Secret{database_.url()},
                            .clock = &clock_,
                            .poll_interval = 1ms,
                            .statement_time = 20s,
                            .connect_time = 20s}};
  std::atomic<test::LeavingListener*> listener_ = nullptr;
};

TEST_F(PostgresFeedLeftovers, AWriteCommitsWhileTheyAreFreed) {
  while_freeing([&] {
    auto write = std::async(std::launch::async, [&] {
      feed_.before_commit({});
      feed_.after_commit({}, {});
    });
    EXPECT_EQ(write.wait_for(e2e::kPatience), std::future_status::ready);
  });
}

TEST_F(PostgresFeedLeftovers, PollsGoOnWhileTheyAreFreed) {
  while_freeing([&] {
    const std::uint64_t before = listener_.load()->polls;
    EXPECT_TRUE(eventually([&] { return listener_.load()->polls > before + 1; }));
  });
}

}  // namespace
}  // namespace um
