// The server of a Client goes away and comes back.
#include <mutex>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/patience.hpp"
#include "support/pg_client.hpp"
#include "support/postgres_server.hpp"

namespace um::pg {
namespace {

using pg::testing::kOne;
using pg::testing::patient;

constexpr Query kRestartPid{.name = "pid", .sql = "select pg_backend_pid()"};

class RestartPgTest : public ::testing::Test {
 protected:
  Options options() {
    Options options;
    options.url = Secret{server_.url()};
    options.backoff_first = std::chrono::milliseconds{2};
    options.backoff_most = std::chrono::milliseconds{20};
    options.log = [this](std::string_view line) {
      const std::lock_guard lock{mutex_};
      log_.emplace_back(line);
    };
    return options;
  }
  static Outcome<Rows> look_up(Client& client, const Query& query) {
    return test::run(client.look_up(query, {}, patient()));
  }
  // Each call is answered; in the end one is answered well.
  static bool recovers(Client& client) {
    return e2e::eventually([&] {
      const auto rows = look_up(client, kOne);
      if (!rows) {
        EXPECT_EQ(rows.error().kind, Failure::lost) << rows.error().message;
      }
      return rows.has_value();
    });
  }

  test::PostgresServer server_;
  std::mutex mutex_;
  std::vector<std::string> log_;
};

TEST_F(RestartPgTest, CallsAreLostWhileTheServerIsDownAndWorkWhenItIsBack) {
  Client client{options()};
  ASSERT_TRUE(look_up(client, kOne));
  server_.stop();
  EXPECT_FALSE(look_up(client, kOne));
  EXPECT_EQ(look_up(client, kOne).error().kind, Failure::lost);
  server_.start();
  EXPECT_TRUE(recovers(client));
  const std::lock_guard lock{mutex_};
  ASSERT_EQ(log_.size(), 2U);
  EXPECT_THAT(log_[0], ::testing::HasSubstr("cannot be reached"));
  EXPECT_THAT(log_[1], ::testing::HasSubstr("again"));
}

TEST_F(RestartPgTest, ACrashOfABackendIsSurvived) {
  Client client{options()};
  const auto pid = look_up(client, kRestartPid);
  ASSERT_TRUE(pid);
  server_.kill_backend(static_cast<pid_t>(pid->integer(0, 0)));
  EXPECT_TRUE(recovers(client));
}

}  // namespace
}  // namespace um::pg
