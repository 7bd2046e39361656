// Batches of a Client on a real server.
#include <gtest/gtest.h>

#include "support/patience.hpp"
#include "support/pg_client.hpp"
#include "support/postgres_database.hpp"

namespace um::pg {
namespace {

using pg::testing::patient;

constexpr Query kXid{.name = "xid", .sql = "select pg_current_xact_id()::text"};
constexpr Query kAdd{.name = "add", .sql = "insert into things (name) values ($1)"};
constexpr Query kRaise{.name = "raise", .sql = "select fail_with($1)"};
constexpr Query kEverything{.name = "everything", .sql = "select * from things order by 1"};
constexpr Query kEndMyself{.name = "end myself",
                           .sql = "select pg_terminate_backend(pg_backend_pid())"};
// Fails with a serialization failure as often as the sequence says.
constexpr Query kFlaky{.name = "flaky",
                       .sql =
                           "select case when nextval('failures') > 0 then 1"
                           " else fail_with('40001') end"};

class BatchPgTest : public ::testing::Test {
 protected:
  BatchPgTest() { db_.execute(testing::kThings); }
  Options options() const {
    Options options;
    options.url = Secret{database_.url()};
    options.transaction_connections = 1;
    return options;
  }
  static BatchOutcome run(Client& client, std::vector<Statement> statements, Rows::Note note = {}) {
    return test::run(client.batch(
        {.statements = std::move(statements), .required_note = std::move(note)}, patient()));
  }
  static Rows::Note note(std::string text) {
    return std::make_shared<const std::string>(std::move(text));
  }
  std::int64_t things() { return db_.integer("select count(*) from things"); }
  // What became of the transaction whose id is in the first rows.
  std::string status(const std::optional<Rows>& first) {
    if (!first) return "no rows";
    return db_.text("select pg_xact_status($1::xid8)", {first->text(0, 0)});
  }

  test::TestDatabase database_{test::TestDatabase::Content::empty};
  BlockingConnection db_ = database_.session();
};

TEST_F(BatchPgTest, AllStatementsAreOneTransaction) {
  Client client{options()};
  const auto made = run(client, {{&kXid}, {&kAdd, {"a"}}, {&kAdd, {"b"}}, {&kXid}});
  ASSERT_TRUE(made.rows) << made.rows.error().message;
  ASSERT_EQ(made.rows->size(), 4U);
  EXPECT_EQ(made.rows->front().text(0, 0), made.rows->back().text(0, 0));
  EXPECT_EQ(made.rows->at(1).affected(), 1U);
  EXPECT_EQ(things(), 2);
  EXPECT_EQ(db_.integer("select count(distinct xmin::text) from things"), 1);
  EXPECT_NE(made.server_process, 0);
}

TEST_F(BatchPgTest, AViolationInTheMiddleIsReportedAndRollsEverythingBack) {
  Client client{options()};
  ASSERT_TRUE(run(client, {{&kAdd, {"a"}}}).rows);
  const auto made = run(client, {{&kXid}, {&kAdd, {"b"}}, {&kAdd, {"a"}}, {&kAdd, {"c"}}});
  ASSERT_FALSE(made.rows);
  EXPECT_EQ(made.rows.error().kind, Failure::refused);
  EXPECT_EQ(made.rows.error().sqlstate, "23505");
  EXPECT_EQ(made.rows.error().constraint, "things_name");
  EXPECT_EQ(status(made.first), "aborted");
  EXPECT_EQ(things(), 1);
}

TEST_F(BatchPgTest, AnExceptionInTheMiddleIsReportedAndRollsEverythingBack) {
  Client client{options()};
  const auto made = run(client, {{&kXid}, {&kAdd, {"b"}}, {&kRaise, {"UM001"}}, {&kAdd, {"c"}}});
  ASSERT_FALSE(made.rows);
  EXPECT_EQ(made.rows.error().kind, Failure::refused);
  EXPECT_EQ(made.rows.error().sqlstate, "UM001");
  EXPECT_EQ(made.rows.error().message, "on request");
  EXPECT_EQ(things(), 0);
  EXPECT_TRUE(run(client, {{&kAdd, {"b"}}}).rows);
  EXPECT_EQ(client.stats().transactions.opened, 1U);
}

TEST_F(BatchPgTest, AViolationThatTheCommitFindsIsReportedAndRollsEverythingBack) {
  db_.execute(
      "alter table things drop constraint things_name, add constraint things_name"
      " unique (name) deferrable initially deferred");
  Client client{options()};
  const auto made = run(client, {{&kXid}, {&kAdd, {"a"}}, {&kAdd, {"a"}}});
  ASSERT_FALSE(made.rows);
  EXPECT_EQ(made.rows.error().kind, Failure::refused);
  EXPECT_EQ(made.rows.error().constraint, "things_name");
  EXPECT_EQ(status(made.first), "aborted");
  EXPECT_EQ(things(), 0);
}

TEST_F(BatchPgTest, ADeferredTriggerThatRaisesIsReportedAndRollsEverythingBack) {
  db_.execute(
      "create function late() returns trigger language plpgsql as"
      " $$ begin perform fail_with('UM002'); return null; end $$;"
      "create constraint trigger late after insert on things deferrable initially deferred"
      " for each row execute function late()");
  Client client{options()};
  const auto made = run(client, {{&kXid}, {&kAdd, {"a"}}});
  ASSERT_FALSE(made.rows);
  EXPECT_EQ(made.rows.error().kind, Failure::refused);
  EXPECT_EQ(made.rows.error().sqlstate, "UM002");
  EXPECT_EQ(status(made.first), "aborted");
  EXPECT_EQ(things(), 0);
}

TEST_F(BatchPgTest, ASerializationFailureIsRunAgainThreeTimes) {
  for (const int failures : {2, 3, 4}) {
    db_.execute(
        "drop sequence if exists failures; delete from things; create sequence failures"
        " minvalue -9 start " +
        std::to_string(1 - failures));
    Client client{options()};
    const auto made = run(client, {{&kXid}, {&kAdd, {"a"}}, {&kFlaky}});
    EXPECT_EQ(made.rows.has_value(), failures <= 3);
    EXPECT_EQ(things(), failures <= 3 ? 1 : 0);
    EXPECT_EQ(client.stats().transactions.repeated, 3U - (failures == 2 ? 1U : 0U));
    if (!made.rows) {
      EXPECT_EQ(made.rows.error().sqlstate, "40001");
    }
  }
}

TEST_F(BatchPgTest, AnOutdatedPreparedStatementIsPreparedAnew) {
  Client client{options()};
  ASSERT_TRUE(run(client, {{&kAdd, {"a"}}, {&kEverything}}).rows);
  db_.execute("alter table things add column extra text");
  const auto made = run(client, {{&kAdd, {"b"}}, {&kEverything}});
  ASSERT_TRUE(made.rows) << made.rows.error().message;
  EXPECT_EQ(made.rows->back().columns(), 3U);
  EXPECT_EQ(made.rows->back().size(), 2U);
  EXPECT_EQ(client.stats().transactions.opened, 1U);
}

TEST_F(BatchPgTest, AfterALostConnectionTheFirstRowsTellTheTransaction) {
  Client client{options()};
  const auto made = run(client, {{&kXid}, {&kAdd, {"a"}}, {&kEndMyself}});
  ASSERT_FALSE(made.rows);
  EXPECT_EQ(made.rows.error().kind, Failure::unknown_outcome);
  // The server reports the end before it rolls back.
  EXPECT_TRUE(e2e::eventually([&] { return status(made.first) == "aborted"; }));
  EXPECT_EQ(things(), 0);
}

TEST_F(BatchPgTest, AConnectionWithAnOutdatedNoteIsReplacedAndABatchWithOneIsElsewhere) {
  db_.execute("create table notes (text text); insert into notes values ('old')");
  auto tuned = options();
  tuned.transaction_connections = 3;
  tuned.on_connect = {"select text from notes"};
  Client client{std::move(tuned)};
  std::vector<Task<BatchOutcome>> together;
  const auto one = [&](Rows::Note required) {
    return client.batch({.statements = {{&kXid}}, .required_note = std::move(required)}, patient());
  };
  for (int i = 0; i < 6; ++i) together.push_back(one(note("old")));
  for (const auto& made : test::run_all(std::move(together))) EXPECT_TRUE(made.rows);

  db_.execute("update notes set text = 'new'");
  const auto made = run(client, {{&kAdd, {"a"}}}, note("new"));
  ASSERT_TRUE(made.rows) << made.rows.error().message;
  EXPECT_EQ(*made.rows->front().session_note(), "new");
  const auto refused = run(client, {{&kAdd, {"b"}}}, note("old"));
  ASSERT_FALSE(refused.rows);
  EXPECT_EQ(refused.rows.error().kind, Failure::elsewhere);
  EXPECT_EQ(things(), 1);
  EXPECT_EQ(client.stats().transactions.lost, 0U);
}

}  // namespace
}  // namespace um::pg
