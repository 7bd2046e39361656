// Batches of a Client against a server that misbehaves.
#include <gtest/gtest.h>

#include "drivers/pg/testing/fake_server.hpp"
#include "support/pg_client.hpp"

namespace um::pg {
namespace {

using namespace std::chrono_literals;
using testing::in;
using testing::kOne;
using testing::patient;
using Reaction = FakeServer::Reaction;

constexpr Query kBatchUpdate{.name = "update", .sql = "update things"};
// What the session says; the key data says another, as behind a pooler.
constexpr int kServerProcess = 1;

class BatchTest : public ::testing::Test {
 protected:
  Options options() const {
    Options options;
    options.url = Secret{server_.url()};
    options.backoff_first = options.backoff_most = 1ms;
    options.transaction_connections = 1;
    options.statement_timeout = 50ms;
    options.stall_margin = 150ms;
    options.on_connect = {"select note"};  // the note is "1", as every result of a fake server
    return options;
  }
  // A row, then a change.
  static BatchOutcome run(Client& client, Deadline deadline = patient(), Rows::Note note = {}) {
    Batch batch{.required_note = std::move(note)};
    batch.statements.push_back({.query = &kOne});
    batch.statements.push_back({.query = &kBatchUpdate});
    return test::run(client.batch(std::move(batch), deadline));
  }
  static Rows::Note note(std::string text) {
    return std::make_shared<const std::string>(std::move(text));
  }
  static void expect_unknown(const BatchOutcome& made) {
    ASSERT_FALSE(made.rows);
    EXPECT_EQ(made.rows.error().kind, Failure::unknown_outcome);
    EXPECT_FALSE(made.first);
    EXPECT_EQ(made.server_process, kServerProcess);
  }
  static void expect_elsewhere(const BatchOutcome& made) {
    ASSERT_FALSE(made.rows);
    EXPECT_EQ(made.rows.error().kind, Failure::elsewhere);
    EXPECT_FALSE(made.first);
    EXPECT_EQ(made.server_process, 0);
  }

  FakeServer server_;
};

TEST_F(BatchTest, EveryStatementHasItsRows) {
  Client client{options()};
  const auto made = run(client);
  ASSERT_TRUE(made.rows) << made.rows.error().message;
  ASSERT_EQ(made.rows->size(), 2U);
  EXPECT_EQ(made.rows->front().text(0, 0), "1");
  EXPECT_FALSE(made.first);
  EXPECT_EQ(made.server_process, kServerProcess);
}

TEST_F(BatchTest, WithoutAStatementNothingIsSent) {
  Client client{options()};
  const auto made = test::run(client.batch({}, patient()));
  ASSERT_TRUE(made.rows);
  EXPECT_TRUE(made.rows->empty());
  EXPECT_EQ(made.server_process, 0);
  EXPECT_EQ(server_.connections(), 0U);
}

TEST_F(BatchTest, AConnectionThatIsLostLeavesTheOutcomeUnknown) {
  server_.react_to("update", Reaction::close);
  Client client{options()};
  expect_unknown(run(client));
}

TEST_F(BatchTest, RowsThatArriveBeforeTheConnectionIsLostOutliveIt) {
  for (const auto end : {Reaction::fatal, Reaction::garbage}) {
    server_.react_to("update", end);
    Client client{options()};
    const auto made = run(client);
    ASSERT_FALSE(made.rows);
    EXPECT_EQ(made.rows.error().kind, Failure::unknown_outcome);
    ASSERT_TRUE(made.first);
    EXPECT_EQ(made.first->text(0, 0), "1");
    EXPECT_EQ(made.server_process, kServerProcess);
  }
}

TEST_F(BatchTest, ADeadlineAndAConnectionThatStallsLeaveTheOutcomeUnknown) {
  server_.react_to("update", Reaction::wait);
  Client client{options()};
  ASSERT_TRUE(test::run(client.write(kOne, {}, patient())));  // connected
  expect_unknown(run(client, in(100ms)));
  expect_unknown([&] {
    FakeServer other;
    other.react_to("update", Reaction::wait);
    auto tuned = options();
    tuned.url = Secret{other.url()};
    Client patient_client{std::move(tuned)};
    return run(patient_client);
  }());
}

TEST_F(BatchTest, WithoutTheFirstRowsThereAreNone) {
  server_.react_to("select 1", Reaction::close);
  Client client{options()};
  expect_unknown(run(client));
}

TEST_F(BatchTest, AnErrorIsRefusedAndKeepsTheConnection) {
  server_.react_to("update", Reaction::error);
  Client client{options()};
  for (int i = 0; i < 3; ++i) {
    const auto made = run(client);
    ASSERT_FALSE(made.rows);
    EXPECT_EQ(made.rows.error().kind, Failure::refused);
    EXPECT_EQ(made.rows.error().sqlstate, "XX000");
  }
  EXPECT_EQ(server_.connections(), 1U);
}

TEST_F(BatchTest, WithoutAConnectionItIsLostAndWasSentToNobody) {
  server_.behave({.startup_error = "57P03"});
  Client client{options()};
  const auto made = run(client);
  ASSERT_FALSE(made.rows);
  EXPECT_EQ(made.rows.error().kind, Failure::lost);
  EXPECT_EQ(made.server_process, 0);
}

TEST_F(BatchTest, TheRequiredNoteIsComparedByItsText) {
  Client client{options()};
  EXPECT_TRUE(run(client, patient(), note("1")).rows);
  EXPECT_TRUE(run(client, patient(), note("1")).rows);
  EXPECT_EQ(server_.connections(), 1U);
}

TEST_F(BatchTest, ANoteThatNoNewConnectionHasIsElsewhereAndReplacesConnectionsOnce) {
  Client client{options()};
  ASSERT_TRUE(run(client).rows);
  for (int i = 0; i < 5; ++i) expect_elsewhere(run(client, patient(), note("2")));
  EXPECT_EQ(server_.connections(), 2U);
  EXPECT_TRUE(run(client, patient(), note("1")).rows);
  EXPECT_EQ(server_.connections(), 2U);
  EXPECT_EQ(client.stats().transactions.lost, 0U);
}

TEST_F(BatchTest, AConnectionWithoutANoteIsNotTheRequiredOne) {
  auto tuned = options();
  tuned.on_connect.clear();
  Client client{std::move(tuned)};
  expect_elsewhere(run(client, patient(), note("1")));
  EXPECT_TRUE(run(client).rows);
}

TEST_F(BatchTest, ABatchForElsewhereDoesNotHoldUpTheCallsBehindIt) {
  Client client{options()};
  std::vector<Task<Outcome<Rows>>> calls;
  const auto elsewhere = [&]() -> Task<Outcome<Rows>> {
    Batch batch{.required_note = note("2")};
    batch.statements.push_back({.query = &kOne});
    const auto made = co_await client.batch(std::move(batch), patient());
    expect_elsewhere(made);
    co_return Rows{};
  };
  for (int i = 0; i < 3; ++i) {
    calls.push_back(elsewhere());
    calls.push_back(client.write(kOne, {}, patient()));
  }
  for (const auto& outcome : test::run_all(std::move(calls))) EXPECT_TRUE(outcome);
}

}  // namespace
}  // namespace um::pg
