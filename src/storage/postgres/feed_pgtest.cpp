// The feed on a real server: after any event between two polls, the next poll contains the change
// or flushes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "storage/postgres/migrator.hpp"
#include "storage/postgres/rows.hpp"
#include "storage/postgres/testing/feed_stage.hpp"
#include "support/effort.hpp"
#include "support/postgres_database.hpp"

namespace um {
namespace {

using namespace std::chrono_literals;
using test::Following;
using test::PostgresServer;
using test::TestDatabase;

bool tells_of(const Poll& poll, const std::string& key) {
  return poll.flush_reason || std::ranges::any_of(poll.changes, [&](const Change& change) {
           return change.key == key || change.key.empty();
         });
}

class PostgresFeedTest : public ::testing::Test {
 protected:
  PostgresFeedTest() { db_.execute("INSERT INTO public.users (email) VALUES ('a@x.org')"); }
  void rename() { db_.execute("UPDATE public.users SET first_name = first_name || 'x'"); }
  // Lets the next mark be taken at once, and the next purge remove these.
  void age_the_marks() {
    db_.execute("UPDATE public.snapshot_marks SET taken_at = taken_at - interval '1 hour'");
  }
  void mark_and_purge() {
    db_.execute("SELECT public.take_snapshot_mark()");
    db_.execute("SELECT public.purge_changes(10000, NULL, NULL)");
  }

  const TestDatabase database_;
  BlockingConnection db_ = database_.session();
  SystemClock clock_;
};

TEST_F(PostgresFeedTest, AMarkWhoseTransactionEndsLateHidesNothing) {
  Following feed{database_, clock_};
  age_the_marks();
  feed->pause();
  auto late = database_.session();
  late.execute("BEGIN; SELECT take_snapshot_mark()");
  rename();
  mark_and_purge();
  late.execute("COMMIT");
  feed->resume();
  EXPECT_TRUE(tells_of(feed->next(), "user:1"));
}

TEST_F(PostgresFeedTest, AnOldSnapshotThatIsMarkedAfterAPurgeHidesNothing) {
  Following feed{database_, clock_};
  age_the_marks();
  feed->pause();
  auto late = database_.session();
  late.execute(
      "BEGIN; INSERT INTO snapshot_marks (tau, snapshot)"
      " VALUES (cache_namespace(), pg_current_snapshot())");
  rename();
  mark_and_purge();
  ASSERT_EQ(db_.integer("SELECT count(*) FROM user_changes"), 0);
  late.execute("COMMIT");
  feed->resume();
  EXPECT_EQ(feed->next().flush_reason, "purged");
  EXPECT_FALSE(Following(database_, clock_).first.base) << "the oldest mark reaches too far back";
  // The horizon does not go back to an older mark.
  db_.execute("DELETE FROM snapshot_marks WHERE number = (SELECT max(number) FROM snapshot_marks)");
  db_.execute("SELECT purge_changes(10000, NULL, NULL)");
  EXPECT_FALSE(Following(database_, clock_).first.base);
}

TEST_F(PostgresFeedTest, AnInstanceThatWasAwayForLongerThanChangesAreKeptStartsFromNothing) {
  Following feed{database_, clock_};
  feed->pause();
  rename();
  age_the_marks();
  mark_and_purge();
  rename();
  feed->resume();
  EXPECT_EQ(feed->next().flush_reason, "purged");
  EXPECT_EQ(feed->next().flush_reason, std::nullopt) << "once";
}

TEST_F(PostgresFeedTest, ANewInstanceReachesBackToTheOldestMark) {
  db_.execute("SELECT take_snapshot_mark()");
  rename();
  db_.execute("SELECT purge_changes(10000, NULL, NULL)");
  const Following feed{database_, clock_};
  ASSERT_TRUE(feed.first.base);
  EXPECT_THAT(feed.first.changes, ::testing::SizeIs(1));
}

// A search_path that names other schemas, and the one of the role, which comes first by default.
TEST_F(PostgresFeedTest, NoSearchPathAndNoSchemaOfTheRoleLeadsItAstray) {
  for (const std::string schema : {"app", test::kOwner}) {
    db_.execute("CREATE SCHEMA " + schema +
                ";"
                "CREATE TABLE " +
                schema +
                ".user_changes (xid xid8, ckey bytea);"
                "CREATE TABLE " +
                schema +
                ".cache_holds (ckey bytea);"
                "CREATE TABLE " +
                schema +
                ".snapshot_marks (number int, tau text, snapshot pg_snapshot);"
                "CREATE FUNCTION " +
                schema +
                ".pg_current_snapshot() RETURNS pg_snapshot LANGUAGE sql"
                " AS $$ SELECT '5:5:'::pg_snapshot $$");
  }
  for (const char* path : {R"("$user", public)", "app", "app, pg_catalog"}) {
    database_.admin().execute("ALTER DATABASE " + database_.name() + " SET search_path = " + path);
    Following feed{database_, clock_};
    feed->pause();
    rename();
    feed->resume();
    const Poll poll = feed->next();
    EXPECT_TRUE(tells_of(poll, "user:1")) << path;
    EXPECT_GT(poll.stamp.snapshot.xmax, 5U) << path;
  }
}

TEST_F(PostgresFeedTest, TheDefaultsOfTheDatabaseChangeNoForms) {
  for (const char* setting : {"bytea_output = 'escape'", "datestyle = 'German'",
                              "default_transaction_isolation = 'serializable'"}) {
    database_.admin().execute("ALTER DATABASE " + database_.name() + " SET " + setting);
  }
  Following feed{database_, clock_};
  feed->pause();
  rename();
  feed->resume();
  EXPECT_TRUE(tells_of(feed->next(), "user:1"));
  EXPECT_TRUE(read_deployment(Secret{database_.url()}));
}

// A bulk update becomes one row for every key, in one poll. A million rows take two minutes to
// make, and for the feed they are the same: after 5,000 keys no more rows are recorded. To try it,
// run this program alone with UM_BULK_ROWS=1000000.
TEST_F(PostgresFeedTest, ABulkUpdateIsOneNoteInOnePoll) {
  const char* wanted = std::getenv("UM_BULK_ROWS");  // NOLINT(concurrency-mt-unsafe)
  const std::string rows = wanted != nullptr ? wanted : test::is_thorough() ? "100000" : "20000";
  db_.execute("INSERT INTO users (email) SELECT 'many' || i || '@x.org' FROM generate_series(1, " +
              rows + ") i");
  Following feed{database_, clock_};
  feed->pause();
  const auto began = std::chrono::steady_clock::now();
  db_.execute("UPDATE users SET used_usd = used_usd + 1");
  const auto took = std::chrono::steady_clock::now() - began;
  RecordProperty("update_of_" + rows + "_rows_ms", static_cast<int>(took / 1ms));
  feed->resume();
  const Poll poll = feed->next();
  EXPECT_EQ(poll.flush_reason, std::nullopt);
  EXPECT_LE(poll.changes.size(), 5001U);
  EXPECT_EQ(std::ranges::count(poll.changes, "", &Change::key), 1) << "everything";
  EXPECT_THAT(feed->next().changes, ::testing::IsEmpty());
}

TEST_F(PostgresFeedTest, ARestoreOverTheRunningDatabaseIsANewBeginning) {
  const std::string dump = test::pg_dump(database_.url(), {"--clean", "--if-exists"});
  Following feed{database_, clock_};
  for (int i = 0; i < 2; ++i) {
    rename();
    test::psql(database_.url(), dump);
    EXPECT_EQ(db_.integer("SELECT count(*) FROM public.cache_incarnation"), 1);
    EXPECT_EQ(db_.text("SELECT first_name FROM public.users"), "");
    feed->resume();
    const Poll poll = feed->next();
    EXPECT_NE(poll.stamp.tau, feed.first.stamp.tau);
    feed->pause();
    rename();
    feed->resume();
    EXPECT_TRUE(tells_of(feed->next(), "user:1"));
  }
}

TEST_F(PostgresFeedTest, AnOpenTransactionInAnotherDatabaseDelaysNothing) {
  const TestDatabase other;
  auto open = other.session();
  open.execute("BEGIN; INSERT INTO users (email) VALUES ('open@x.org')");
  Following feed{database_, clock_};
  for (int i = 0; i < 3; ++i) {
    feed->pause();
    rename();
    feed->resume();
    const Poll poll = feed->next();
    EXPECT_EQ(poll.flush_reason, std::nullopt);
    EXPECT_TRUE(tells_of(poll, "user:1"));
  }
  open.execute("ROLLBACK");
}

TEST(PostgresFeedOnItsOwnServerTest, AForgottenPreparedTransactionDelaysNothingAndComesWhenItEnds) {
  const PostgresServer server{{.settings = {"max_prepared_transactions=2"}}};
  const TestDatabase database{server};
  const SystemClock clock;
  auto db = database.session();
  db.execute("INSERT INTO users (email) VALUES ('a@x.org'), ('b@x.org')");
  db.execute("BEGIN; UPDATE users SET first_name = 'x' WHERE id = 1; PREPARE TRANSACTION 'lost'");
  Following feed{database, clock};
  const auto next_after = [&](const std::string& statement) {
    feed->pause();
    db.execute(statement);
    feed->resume();
    return feed->next();
  };
  for (int i = 0; i < 3; ++i) {
    const Poll poll = next_after("UPDATE users SET first_name = first_name || 'y' WHERE id = 2");
    EXPECT_EQ(poll.flush_reason, std::nullopt);
    EXPECT_TRUE(tells_of(poll, "user:2"));
  }
  db.execute("SELECT take_snapshot_mark(); SELECT purge_changes(1000, NULL, NULL)");
  EXPECT_TRUE(tells_of(next_after("COMMIT PREPARED 'lost'"), "user:1"));
}

TEST(PostgresFeedOnItsOwnServerTest, ACrashOfOneBackendIsANewBeginning) {
  PostgresServer server;
  const TestDatabase database{server};
  const SystemClock clock;
  database.session().execute("INSERT INTO users (email) VALUES ('a@x.org')");
  Following feed{database, clock};
  {
    auto victim = database.session();
    server.kill_backend(static_cast<pid_t>(victim.integer("SELECT pg_backend_pid()")));
  }
  EXPECT_TRUE(e2e::eventually([&] {
    const Poll poll = feed->next();
    return poll.flush_reason && poll.stamp.tau != feed.first.stamp.tau;
  }));
}

// An outage of hours must not collect the keys of all writes.
TEST(PostgresFeedWithoutAServer, LetsTheKeysOfWritesGoWhenNoLeaseIsAlive) {
  const SystemClock clock;
  test::PausingListener listener;
  PostgresChangeFeed feed{{.url = Secret{"postgresql://um@127.0.0.1:1/um"}, .clock = &clock}};
  feed.start(listener);
  const std::vector<std::string> keys{"user:1"};
  feed.before_commit(keys);
  feed.after_commit(keys, {.fate = PostgresWriteObserver::WriteEnd::Fate::committed,
                           .xid = 7,
                           .tau = tau_of("known to the connection")});
  std::vector<std::string> events;
  EXPECT_TRUE(e2e::eventually([&] {
    for (std::string& event : listener.events()) events.push_back(std::move(event));
    return events.size() == 2;
  }));
  EXPECT_EQ(events, (std::vector<std::string>{"hold user:1", "let go user:1"}));
  feed.stop();
}

}  // namespace
}  // namespace um
