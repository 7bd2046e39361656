// The connections of a Client hold a session note that is outdated.
#include <gtest/gtest.h>

#include "support/patience.hpp"
#include "support/pg_client.hpp"
#include "support/postgres_database.hpp"

namespace um::pg {
namespace {

using pg::testing::patient;

constexpr Query kRenewPid{.name = "pid", .sql = "select pg_backend_pid()"};
constexpr Query kNap{.name = "nap", .sql = "select pg_sleep(0.05)"};

class RenewPgTest : public ::testing::Test {
 protected:
  Options options() const {
    Options options;
    options.url = Secret{database_.url()};
    options.on_connect = {"select pg_backend_pid()"};
    // An own loop that waits before a lost connection is opened again would be noticed.
    options.backoff_first = options.backoff_most = std::chrono::hours{1};
    options.look_up_timeout = options.statement_timeout = std::chrono::seconds{20};
    return options;
  }
  std::string note() {
    const auto rows = test::run(client_.look_up(kRenewPid, {}, patient()));
    return rows ? *rows->session_note() : rows.error().message;
  }
  std::string written_by() {
    const auto rows = test::run(client_.write(kRenewPid, {}, patient()));
    return rows ? *rows->session_note() : rows.error().message;
  }

  const test::TestDatabase database_;
  Client client_{options()};
};

TEST_F(RenewPgTest, IdleConnectionsAreOpenedAgain) {
  const std::string looked_up = note();
  const std::string written = written_by();
  EXPECT_EQ(note(), looked_up);
  client_.renew();
  EXPECT_NE(note(), looked_up);
  EXPECT_NE(written_by(), written);
  EXPECT_EQ(client_.stats().look_ups.lost, 0U);
  EXPECT_EQ(client_.stats().transactions.lost, 0U);
}

TEST_F(RenewPgTest, LookUpsUnderWayAreAnsweredAndTheNextGoElsewhere) {
  std::vector<Task<Outcome<Rows>>> calls;
  for (int i = 0; i < 100; ++i) calls.push_back(client_.look_up(kNap, {}, patient()));
  const auto renew = [this]() -> Task<Outcome<Rows>> {
    client_.renew();
    co_return Rows{};
  };
  calls.push_back(renew());
  for (int i = 0; i < 100; ++i) calls.push_back(client_.look_up(kRenewPid, {}, patient()));
  for (const auto& outcome : test::run_all(std::move(calls))) EXPECT_TRUE(outcome);
  EXPECT_EQ(client_.stats().look_ups.lost, 0U);
}

TEST_F(RenewPgTest, ATransactionKeepsItsConnectionToItsEnd) {
  std::string before;
  const auto work = [&](Transaction& transaction) -> Task<Outcome<void>> {
    const auto first = co_await transaction.run(kRenewPid, {});
    client_.renew();
    // After the renewal, on the client's own loop.
    const auto elsewhere = co_await client_.look_up(kRenewPid, {}, patient());
    const auto second = co_await transaction.run(kRenewPid, {});
    if (!first || !elsewhere || !second) co_return failed({.message = "a statement failed"});
    before = first->text(0, 0);
    EXPECT_EQ(second->text(0, 0), before);
    co_return Outcome<void>{};
  };
  EXPECT_TRUE(test::run(client_.transaction<void>(patient(), work)));
  // Given back by the end of the transaction, on the client's own loop.
  EXPECT_TRUE(e2e::eventually([&] { return written_by() != before; }));
  EXPECT_EQ(client_.stats().transactions.lost, 0U);
}

TEST_F(RenewPgTest, NothingIsOpenedForIt) {
  client_.renew();
  note();
  EXPECT_EQ(client_.stats().look_ups.opened, 1U);
  EXPECT_EQ(client_.stats().scans.opened, 0U);
}

TEST_F(RenewPgTest, AfterTheEndItDoesNothing) {
  note();
  client_.stop();
  client_.renew();
  EXPECT_FALSE(test::run(client_.look_up(kRenewPid, {}, patient())));
}

}  // namespace
}  // namespace um::pg
