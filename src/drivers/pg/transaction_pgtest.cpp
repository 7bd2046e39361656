// Transactions of a Client on a real server.
#include <stdexcept>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/pg_client.hpp"
#include "support/postgres_database.hpp"

namespace um::pg {
namespace {

using namespace std::chrono_literals;
using pg::testing::in;
using pg::testing::kOne;
using pg::testing::kSlow;
using pg::testing::patient;

constexpr Query kCount{.name = "count", .sql = "select count(*) from things"};
constexpr Query kInsertItem{.name = "insert", .sql = "insert into things (name) values ($1)"};
constexpr Query kFail{.name = "fail", .sql = "select fail_with($1)"};
constexpr Query kAllItems{.name = "all", .sql = "select * from things order by 1"};
constexpr Query kTransactionPid{.name = "pid", .sql = "select pg_backend_pid()"};

class TransactionPgTest : public ::testing::Test {
 protected:
  TransactionPgTest() { database_.session().execute(testing::kThings); }
  Options options() const {
    Options options;
    options.url = Secret{database_.url()};
    options.transaction_connections = 2;
    return options;
  }
  static std::int64_t count(Client& client) {
    const auto rows = test::run(client.look_up(kCount, {}, patient()));
    return rows ? rows->integer(0, 0) : -1;
  }
  // No connection is taken or inside a transaction any more.
  static void expect_free(Client& client) {
    for (int i = 0; i < 4; ++i) {
      const auto work = [](Transaction& transaction) -> Task<Outcome<int>> {
        const auto rows = co_await transaction.run(kOne);
        if (!rows) co_return failed(rows.error());
        co_return 1;
      };
      EXPECT_TRUE(test::run(client.transaction<int>(patient(), work)));
    }
    EXPECT_EQ(client.stats().transactions.lost, 0U);
  }

  test::TestDatabase database_{test::TestDatabase::Content::empty};
};

TEST_F(TransactionPgTest, CommitsWhatWorkDid) {
  Client client{options()};
  const auto work = [&](Transaction& transaction) -> Task<Outcome<std::uint64_t>> {
    const auto first = co_await transaction.run(kInsertItem, {"a"});
    if (!first) co_return failed(first.error());
    const auto second = co_await transaction.run(kInsertItem, {"b"});
    if (!second) co_return failed(second.error());
    co_return first->affected() + second->affected();
  };
  const auto made = test::run(client.transaction<std::uint64_t>(patient(), work));
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_EQ(*made, 2U);
  EXPECT_EQ(count(client), 2);
}

TEST_F(TransactionPgTest, RollsBackWhenWorkRefusesAndHandsItsErrorOn) {
  Client client{options()};
  const auto work = [&](Transaction& transaction) -> Task<Result<int>> {
    const auto rows = co_await transaction.run(kInsertItem, {"a"});
    if (!rows) co_return fail(to_error(rows.error()));
    co_return fail(ErrorCode::conflict, "changed my mind");
  };
  const auto made = test::run(client.transaction<Result<int>>(patient(), work));
  ASSERT_TRUE(made);
  ASSERT_FALSE(*made);
  EXPECT_EQ(made->error().code, ErrorCode::conflict);
  EXPECT_EQ(count(client), 0);
  expect_free(client);
}

TEST_F(TransactionPgTest, WorkMapsAViolationToItsOwnError) {
  Client client{options()};
  ASSERT_TRUE(test::run(client.write(kInsertItem, {"a"}, patient())));
  const auto work = [&](Transaction& transaction) -> Task<Result<int>> {
    const auto rows = co_await transaction.run(kInsertItem, {"a"});
    if (!rows && rows.error().constraint == "things_name") co_return fail(ErrorCode::email_taken);
    co_return 1;
  };
  const auto made = test::run(client.transaction<Result<int>>(patient(), work));
  ASSERT_TRUE(made);
  ASSERT_FALSE(*made);
  EXPECT_EQ(made->error().code, ErrorCode::email_taken);
  expect_free(client);
}

TEST_F(TransactionPgTest, AFailureThatWorkSwallowsIsNotCommitted) {
  Client client{options()};
  const auto work = [&](Transaction& transaction) -> Task<Outcome<int>> {
    (void)co_await transaction.run(kInsertItem, {"a"});
    (void)co_await transaction.run(kFail, {"22012"});
    const auto later = co_await transaction.run(kInsertItem, {"b"});
    EXPECT_EQ(later.error().sqlstate, "22012");
    co_return 1;
  };
  const auto made = test::run(client.transaction<int>(patient(), work));
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().sqlstate, "22012");
  EXPECT_EQ(count(client), 0);
}

TEST_F(TransactionPgTest, RollsBackWhenWorkThrows) {
  Client client{options()};
  const auto work = [&](Transaction& transaction) -> Task<Outcome<int>> {
    (void)co_await transaction.run(kInsertItem, {"a"});
    throw std::runtime_error{"a bug"};
  };
  EXPECT_THROW((void)test::run(client.transaction<int>(patient(), work)), std::runtime_error);
  EXPECT_EQ(count(client), 0);
  expect_free(client);
}

TEST_F(TransactionPgTest, WithoutAStatementNothingIsSent) {
  Client client{options()};
  const auto work = [](Transaction&) -> Task<Outcome<int>> { co_return 7; };
  EXPECT_EQ(test::run(client.transaction<int>(patient(), work)), 7);
  EXPECT_EQ(client.stats().transactions.opened, 0U);
}

TEST_F(TransactionPgTest, SeveralStatementsGoInOneRoundTrip) {
  Client client{options()};
  const auto work = [&](Transaction& transaction) -> Task<Outcome<std::int64_t>> {
    std::vector<Statement> statements;
    statements.push_back({.query = &kInsertItem, .params = {"a"}});
    statements.push_back({.query = &kInsertItem, .params = {"b"}});
    statements.push_back({.query = &kCount});
    const auto rows = co_await transaction.run_all(std::move(statements));
    if (!rows) co_return failed(rows.error());
    co_return rows->size() == 3 ? rows->back().integer(0, 0) : -1;
  };
  EXPECT_EQ(test::run(client.transaction<std::int64_t>(patient(), work)), 2);
}

TEST_F(TransactionPgTest, SerializationFailuresAndDeadlocksAreRunAgainThreeTimes) {
  Client client{options()};
  for (const char* state : {"40001", "40P01"}) {
    for (const int failures : {2, 3, 4}) {
      int attempts = 0;
      const auto work = [&](Transaction& transaction) -> Task<Outcome<int>> {
        if (attempts++ < failures) {
          const auto rows = co_await transaction.run(kFail, {state});
          co_return failed(rows.error());
        }
        const auto rows = co_await transaction.run(kOne);
        if (!rows) co_return failed(rows.error());
        co_return 1;
      };
      const auto outcome = test::run(client.transaction<int>(patient(), work));
      EXPECT_EQ(outcome.has_value(), failures <= 3);
      EXPECT_EQ(attempts, std::min(failures, 3) + 1);
      if (!outcome) {
        EXPECT_EQ(outcome.error().sqlstate, state);
      }
    }
  }
}

TEST_F(TransactionPgTest, OtherRefusalsAreNotRunAgain) {
  Client client{options()};
  int attempts = 0;
  const auto work = [&](Transaction& transaction) -> Task<Outcome<int>> {
    ++attempts;
    const auto rows = co_await transaction.run(kFail, {"23505"});
    co_return failed(rows.error());
  };
  EXPECT_FALSE(test::run(client.transaction<int>(patient(), work)));
  EXPECT_EQ(attempts, 1);
}

TEST_F(TransactionPgTest, TwoThatCannotBothBeSerialBothSucceedInTheEnd) {
  static constexpr Query kSerializable{.name = "serializable",
                                       .sql = "set transaction isolation level serializable"};
  static constexpr Query kSum{.name = "sum", .sql = "select coalesce(sum(id), 0) from things"};
  Client client{options()};
  std::vector<Task<Outcome<int>>> both;
  int attempts = 0;
  const auto work = [&](Transaction& transaction) -> Task<Outcome<int>> {
    const int number = ++attempts;
    const auto stricter = co_await transaction.run(kSerializable);
    if (!stricter) co_return failed(stricter.error());
    const auto sum = co_await transaction.run(kSum);
    if (!sum) co_return failed(sum.error());
    const auto rows = co_await transaction.run(kInsertItem, {std::to_string(number)});
    if (!rows) co_return failed(rows.error());
    co_return 1;
  };
  for (int i = 0; i < 2; ++i) both.push_back(client.transaction<int>(patient(), work));
  for (const auto& outcome : test::run_all(std::move(both))) {
    EXPECT_TRUE(outcome) << outcome.error().message;
  }
  EXPECT_EQ(count(client), 2);
}

TEST_F(TransactionPgTest, AnOutdatedPreparedStatementRunsTheTransactionAgain) {
  auto tuned = options();
  tuned.transaction_connections = 1;
  Client client{std::move(tuned)};
  int attempts = 0;
  const auto work = [&](Transaction& transaction) -> Task<Outcome<std::size_t>> {
    ++attempts;
    const auto rows = co_await transaction.run(kAllItems);
    if (!rows) co_return failed(rows.error());
    co_return rows->columns();
  };
  EXPECT_EQ(test::run(client.transaction<std::size_t>(patient(), work)), 2U);
  database_.session().execute("alter table things add column extra text");
  EXPECT_EQ(test::run(client.transaction<std::size_t>(patient(), work)), 3U);
  EXPECT_EQ(attempts, 3);
}

TEST_F(TransactionPgTest, AViolationThatTheCommitFindsIsRefused) {
  database_.session().execute(
      "alter table things drop constraint things_name, add constraint things_name"
      " unique (name) deferrable initially deferred");
  Client client{options()};
  const auto work = [&](Transaction& transaction) -> Task<Outcome<int>> {
    const auto first = co_await transaction.run(kInsertItem, {"a"});
    if (!first) co_return failed(first.error());
    const auto second = co_await transaction.run(kInsertItem, {"a"});
    if (!second) co_return failed(second.error());
    co_return 1;
  };
  const auto made = test::run(client.transaction<int>(patient(), work));
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().kind, Failure::refused);
  EXPECT_EQ(made.error().constraint, "things_name");
  EXPECT_EQ(count(client), 0);
}

TEST_F(TransactionPgTest, AnOpenTransactionBlocksOnlyThoseThatWaitForItsConnection) {
  auto tuned = options();
  tuned.transaction_connections = 1;
  Client client{std::move(tuned)};
  const auto work = [&](Transaction& transaction) -> Task<Outcome<int>> {
    const auto rows = co_await transaction.run(kOne);
    if (!rows) co_return failed(rows.error());
    // The only connection for transactions is taken: a look-up goes on, a transaction waits.
    const auto look_up = co_await client.look_up(kOne, {}, patient());
    EXPECT_TRUE(look_up);
    const auto write = co_await client.write(kInsertItem, {"a"}, in(30ms));
    EXPECT_FALSE(write);
    if (!write) {
      EXPECT_EQ(write.error().kind, Failure::timeout);
    }
    co_return 1;
  };
  EXPECT_TRUE(test::run(client.transaction<int>(patient(), work)));
  EXPECT_EQ(count(client), 0);
  expect_free(client);
}

TEST_F(TransactionPgTest, AStatementPastTheDeadlineIsATimeoutAndTheConnectionComesBack) {
  auto tuned = options();
  tuned.transaction_connections = 1;
  tuned.statement_timeout = 60ms;
  Client client{std::move(tuned)};
  const auto work = [&](Transaction& transaction) -> Task<Outcome<int>> {
    const auto made = co_await transaction.run(kInsertItem, {"a"});
    if (!made) co_return failed(made.error());
    const auto rows = co_await transaction.run(kSlow);
    co_return failed(rows.error());
  };
  const auto outcome = test::run(client.transaction<int>(in(30ms), work));
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().kind, Failure::timeout);
  expect_free(client);
  EXPECT_EQ(client.stats().transactions.opened, 1U);
  EXPECT_EQ(count(client), 0);
}

TEST_F(TransactionPgTest, ALostConnectionFailsTheTransactionAlthoughWorkSucceeded) {
  static constexpr Query kTerminate{.name = "terminate",
                                    .sql = "select pg_terminate_backend($1, 5000)"};
  auto admin_options = options();
  admin_options.url = Secret{database_.url_as("postgres")};
  Client admin{std::move(admin_options)};
  Client client{options()};
  const auto work = [&](Transaction& transaction) -> Task<Outcome<int>> {
    const auto pid = co_await transaction.run(kTransactionPid);
    if (!pid) co_return failed(pid.error());
    const auto killed = co_await admin.scan(kTerminate, {pid->integer(0, 0)}, patient());
    EXPECT_TRUE(killed);
    const auto rows = co_await transaction.run(kOne);
    EXPECT_FALSE(rows);
    co_return 1;  // ignored: the connection is lost
  };
  const auto outcome = test::run(client.transaction<int>(patient(), work));
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().kind, Failure::lost);
}

TEST_F(TransactionPgTest, ManyTransactionsShareFewConnections) {
  Client client{options()};
  const auto work = [&](Transaction& transaction) -> Task<Outcome<int>> {
    const auto rows = co_await transaction.run(kOne);
    if (!rows) co_return failed(rows.error());
    const auto again = co_await transaction.run(kCount);
    if (!again) co_return failed(again.error());
    co_return 1;
  };
  std::vector<Task<Outcome<int>>> all;
  for (int i = 0; i < 100; ++i) all.push_back(client.transaction<int>(patient(), work));
  for (const auto& outcome : test::run_all(std::move(all))) {
    EXPECT_TRUE(outcome) << outcome.error().message;
  }
  EXPECT_LE(client.stats().transactions.opened, 2U);
}

}  // namespace
}  // namespace um::pg
