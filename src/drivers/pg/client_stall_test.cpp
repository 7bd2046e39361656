// Connections of a Client on which the server owes an answer beyond its time.
#include <gtest/gtest.h>

#include "drivers/pg/testing/fake_server.hpp"
#include "support/patience.hpp"
#include "support/pg_client.hpp"

namespace um::pg {
namespace {

using namespace std::chrono_literals;
using testing::in;
using testing::kOne;
using testing::patient;
using Reaction = FakeServer::Reaction;

constexpr Query kHang{.name = "hang", .sql = "select hang"};
constexpr Query kUpdate{.name = "update", .sql = "update things"};

class StallTest : public ::testing::Test {
 protected:
  StallTest() { server_.react_to("commit", Reaction::wait); }
  Options options() const {
    Options options;
    options.url = Secret{server_.url()};
    options.backoff_first = options.backoff_most = 1ms;
    options.look_up_connections = options.transaction_connections = 1;
    options.look_up_timeout = options.statement_timeout = 50ms;
    options.stall_margin = 150ms;
    return options;
  }
  static Outcome<Rows> look_up(Client& client, const Query& query, Deadline deadline = patient()) {
    return test::run(client.look_up(query, {}, deadline));
  }
  static Outcome<Rows> write(Client& client) {
    return test::run(client.write(kUpdate, {}, patient()));
  }
  // One statement, then a COMMIT, which waits.
  static Outcome<int> transact(Client& client) {
    const auto work = [](Transaction& transaction) -> Task<Outcome<int>> {
      const auto rows = co_await transaction.run(kOne);
      if (!rows) co_return failed(rows.error());
      co_return 1;
    };
    return test::run(client.transaction<int>(patient(), work));
  }
  static bool works_again(Client& client) {
    return e2e::eventually([&] { return write(client).has_value(); });
  }

  FakeServer server_;
};

TEST_F(StallTest, ACommitWithoutAnAnswerKeepsItsPlaceUntilItIsAnswered) {
  Client client{options()};
  EXPECT_EQ(transact(client).error().kind, Failure::unknown_outcome);
  EXPECT_EQ(client.stats().transactions.stalled_now, 1U);
  EXPECT_EQ(client.stats().transactions.open, 0U);
  for (int i = 0; i < 3; ++i) {
    const auto refused = write(client);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind, Failure::lost);
    EXPECT_EQ(refused.error().message,
              "every connection waits for an overdue answer of the server");
  }
  EXPECT_EQ(server_.connections(), 1U);
  EXPECT_EQ(server_.open_connections(), 1U);
  server_.end_waiting(Reaction::answer);
  EXPECT_TRUE(works_again(client));
  EXPECT_TRUE(e2e::eventually([&] { return server_.open_connections() == 1; }));
  EXPECT_EQ(server_.connections(), 2U);
  EXPECT_EQ(client.stats().transactions.stalled_now, 0U);
  EXPECT_EQ(client.stats().transactions.stalled, 1U);
  EXPECT_EQ(client.stats().transactions.lost, 1U);
}

TEST_F(StallTest, AStalledConnectionThatTheServerEndsGivesItsPlaceBackAndIsNotLostTwice) {
  for (const auto end : {Reaction::close, Reaction::fatal, Reaction::garbage, Reaction::error}) {
    FakeServer server;
    server.react_to("commit", Reaction::wait);
    auto tuned = options();
    tuned.url = Secret{server.url()};
    Client client{std::move(tuned)};
    EXPECT_EQ(transact(client).error().kind, Failure::unknown_outcome);
    EXPECT_EQ(write(client).error().kind, Failure::lost);
    EXPECT_EQ(server.connections(), 1U);
    server.end_waiting(end);
    EXPECT_TRUE(works_again(client));
    EXPECT_EQ(server.connections(), 2U);
    EXPECT_EQ(client.stats().transactions.stalled_now, 0U);
    EXPECT_EQ(client.stats().transactions.lost, 1U);
  }
}

TEST_F(StallTest, TheOtherPlacesGoOn) {
  auto tuned = options();
  tuned.transaction_connections = 2;
  Client client{std::move(tuned)};
  EXPECT_EQ(transact(client).error().kind, Failure::unknown_outcome);
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(write(client));
  EXPECT_EQ(server_.connections(), 2U);
  EXPECT_EQ(transact(client).error().kind, Failure::unknown_outcome);
  EXPECT_EQ(write(client).error().kind, Failure::lost);
  EXPECT_EQ(client.stats().transactions.stalled_now, 2U);
  EXPECT_EQ(server_.connections(), 2U);
  // The pools do not share their places.
  EXPECT_TRUE(look_up(client, kOne));
}

TEST_F(StallTest, CallsThatWaitForAConnectionFailWhenTheLastOneStalls) {
  server_.react_to("update", Reaction::wait);
  Client client{options()};
  std::vector<Task<Outcome<Rows>>> writes;
  for (int i = 0; i < 3; ++i) writes.push_back(client.write(kUpdate, {}, Deadline::never()));
  const auto outcomes = test::run_all(std::move(writes));
  EXPECT_EQ(outcomes[0].error().kind, Failure::unknown_outcome);
  EXPECT_EQ(outcomes[1].error().kind, Failure::lost);
  EXPECT_EQ(outcomes[2].error().kind, Failure::lost);
}

TEST_F(StallTest, LookUpsThatShareAStalledConnectionAreLostAndTheirLateAnswersDiscarded) {
  server_.react_to("select hang", Reaction::wait);
  Client client{options()};
  ASSERT_TRUE(look_up(client, kOne));  // connected
  const auto first = look_up(client, kHang, in(1ms));
  EXPECT_EQ(first.error().kind, Failure::timeout);
  for (const auto& outcome : testing::look_up_all(client, {&kHang, &kOne, &kOne})) {
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().kind, Failure::lost);
  }
  EXPECT_EQ(client.stats().look_ups.stalled_now, 1U);
  server_.end_waiting(Reaction::answer);
  EXPECT_TRUE(e2e::eventually([&] { return look_up(client, kOne).has_value(); }));
  EXPECT_EQ(client.stats().look_ups.timeouts, 1U);
  EXPECT_EQ(client.stats().look_ups.lost, 1U);
}

TEST_F(StallTest, ATransactionOnAStalledConnectionIsOver) {
  server_.react_to("select hang", Reaction::wait);
  Client client{options()};
  const auto work = [](Transaction& transaction) -> Task<Outcome<int>> {
    const auto one = co_await transaction.run(kOne);
    EXPECT_TRUE(one);
    const auto hanging = co_await transaction.run(kHang);
    EXPECT_EQ(hanging.error().kind, Failure::lost);
    const auto next = co_await transaction.run(kOne);
    EXPECT_EQ(next.error().kind, Failure::lost);
    co_return 1;
  };
  EXPECT_EQ(test::run(client.transaction<int>(patient(), work)).error().kind, Failure::lost);
  EXPECT_EQ(write(client).error().kind, Failure::lost);  // the lease gave back nothing
  EXPECT_EQ(server_.connections(), 1U);
  server_.end_waiting(Reaction::answer);
  EXPECT_TRUE(works_again(client));
  EXPECT_EQ(server_.connections(), 2U);
}

TEST_F(StallTest, ARollbackWithoutAnAnswerKeepsItsPlace) {
  server_.react_to("rollback", Reaction::wait);
  Client client{options()};
  const auto work = [](Transaction& transaction) -> Task<Outcome<int>> {
    (void)co_await transaction.run(kOne);
    co_return failed({.message = "changed my mind"});
  };
  EXPECT_EQ(test::run(client.transaction<int>(patient(), work)).error().kind, Failure::refused);
  EXPECT_TRUE(e2e::eventually([&] { return client.stats().transactions.stalled_now == 1; }));
  EXPECT_EQ(write(client).error().kind, Failure::lost);
  server_.end_waiting(Reaction::answer);
  EXPECT_TRUE(works_again(client));
  EXPECT_EQ(server_.connections(), 2U);
}

TEST_F(StallTest, ARenewalLeavesAStalledConnectionAlone) {
  Client client{options()};
  EXPECT_EQ(transact(client).error().kind, Failure::unknown_outcome);
  client.renew();
  EXPECT_EQ(write(client).error().kind, Failure::lost);
  EXPECT_EQ(server_.open_connections(), 1U);
  server_.end_waiting(Reaction::answer);
  EXPECT_TRUE(works_again(client));
  EXPECT_EQ(server_.connections(), 2U);
}

TEST_F(StallTest, AStatementOfTheSetupWithoutAnAnswerKeepsItsPlace) {
  server_.react_to("select hang", Reaction::wait);
  auto tuned = options();
  tuned.connect_timeout = 200ms;
  tuned.on_connect = {"select hang"};
  Client client{std::move(tuned)};
  for (int i = 0; i < 3; ++i) EXPECT_EQ(write(client).error().kind, Failure::lost);
  EXPECT_EQ(server_.connections(), 1U);
  EXPECT_EQ(client.stats().transactions.stalled_now, 1U);
  EXPECT_EQ(client.stats().transactions.connect_failures, 1U);
  server_.end_waiting(Reaction::answer);
  EXPECT_TRUE(works_again(client));
  EXPECT_EQ(server_.connections(), 2U);
}

TEST_F(StallTest, StopClosesAStalledConnectionAtOnce) {
  Client client{options()};
  EXPECT_EQ(transact(client).error().kind, Failure::unknown_outcome);
  EXPECT_EQ(server_.open_connections(), 1U);
  client.stop();
  EXPECT_EQ(client.stats().transactions.stalled_now, 0U);
  EXPECT_TRUE(e2e::eventually([&] { return server_.open_connections() == 0; }));
}

}  // namespace
}  // namespace um::pg
