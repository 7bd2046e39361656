// The namespace changes whenever transaction ids may stand for other transactions, and stays the
// same during normal operation.
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/patience.hpp"
#include "support/postgres_database.hpp"

namespace um {
namespace {

using test::name_space;
using test::PostgresServer;
using test::taken_changes;
using test::TestDatabase;
using ::testing::EndsWith;
using ::testing::HasSubstr;

std::string name_space_of(const TestDatabase& database) {
  auto session = database.session();
  return name_space(session);
}

std::string repaired(const TestDatabase& database) {
  auto session = database.session();
  const auto trouble = session.text("SELECT coalesce(cache_repair(), '')");
  EXPECT_EQ(trouble, "");
  return name_space(session);
}

class PostgresNamespaceTest : public ::testing::Test {
 protected:
  const TestDatabase database_;
  BlockingConnection db_ = database_.session();
  const std::string before_ = name_space(db_);
};

TEST_F(PostgresNamespaceTest, StaysTheSameInEverydayLife) {
  ASSERT_NE(before_, "");
  db_.execute("INSERT INTO users (email) VALUES ('a@b')");
  db_.execute("UPDATE users SET first_name = 'x'");
  db_.execute("VACUUM ANALYZE users");
  db_.execute("VACUUM FREEZE users");
  db_.execute("REINDEX TABLE users");
  db_.execute("CREATE INDEX extra ON users (last_name)");
  db_.execute("CREATE TABLE other (id int REFERENCES users)");
  db_.execute("CREATE VIEW people AS SELECT * FROM users");
  database_.admin().execute("CHECKPOINT; SELECT pg_switch_wal()");
  EXPECT_EQ(name_space(db_), before_);
}

TEST_F(PostgresNamespaceTest, IsSeenInTheSnapshotOfTheStatementThatAsks) {
  db_.execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1");
  database_.session().execute("SELECT bump_cache_epoch()");
  EXPECT_EQ(name_space(db_), before_);
  db_.execute("COMMIT");
  EXPECT_NE(name_space(db_), before_);
}

TEST_F(PostgresNamespaceTest, ANewEpochIsANewNamespaceAndANoteForEverybody) {
  const std::int64_t epoch = db_.integer("SELECT bump_cache_epoch()");
  EXPECT_GT(epoch, 1);
  EXPECT_NE(name_space(db_), before_);
  EXPECT_EQ(taken_changes(db_), "*");
  // Set back in time, the same database comes to another epoch.
  db_.execute("UPDATE cache_settings SET epoch = 1");
  EXPECT_NE(db_.integer("SELECT bump_cache_epoch()"), epoch);
}

TEST_F(PostgresNamespaceTest, DatabasesFromOneTemplateDiffer) {
  const TestDatabase other;
  EXPECT_NE(name_space_of(other), "");
  EXPECT_NE(name_space_of(other), before_);
}

TEST_F(PostgresNamespaceTest, ADumpRestoredIntoTheSameClusterDiffersAndWorks) {
  db_.execute("INSERT INTO users (email, first_name) VALUES ('ada@x.org', 'Ada')");
  const auto copied = db_.text("SELECT concat_ws(' ', id, version, auth_epoch) FROM users");
  const TestDatabase other{TestDatabase::Content::empty};
  test::psql(other.url(), test::pg_dump(database_.url()));
  auto restored = other.session();
  EXPECT_NE(name_space(restored), "");
  EXPECT_NE(name_space(restored), before_);
  EXPECT_EQ(restored.text("SELECT concat_ws(' ', id, version, auth_epoch) FROM users"), copied);
  taken_changes(restored);
  restored.execute("UPDATE users SET last_name = 'x'");
  restored.execute("INSERT INTO users (email) VALUES ('b@x.org')");
  EXPECT_EQ(taken_changes(restored), "email:b@x.org user:1 user:2");
}

TEST_F(PostgresNamespaceTest, ATriggerThatIsSwitchedOffEndsItAndItNeverComesBack) {
  const std::vector<std::pair<std::string, std::string>> triggers{
      {"users", "users_updated"},
      {"users", "users_truncated"},
      {"users", "users_prepare"},
      {"users", "users_use_up_id"},
      {"sessions", "sessions_deleted"},
      {"signing_keys", "signing_keys_changed"},
      {"signing_keys", "signing_keys_truncated"},
      {"user_changes", "user_changes_are_durable"}};
  for (const auto& [table, trigger] : triggers) {
    db_.execute("ALTER TABLE " + table + " DISABLE TRIGGER " + trigger);
    EXPECT_EQ(name_space(db_), "") << trigger;
    EXPECT_THAT(db_.text("SELECT cache_repair()"), EndsWith(": " + trigger));
    // Enabled in the ordinary way the trigger would not fire for logical replication.
    db_.execute("ALTER TABLE " + table + " ENABLE TRIGGER " + trigger);
    EXPECT_EQ(name_space(db_), "") << trigger;
    db_.execute("ALTER TABLE " + table + " ENABLE ALWAYS TRIGGER " + trigger);
    EXPECT_NE(name_space(db_), "") << trigger;
    EXPECT_NE(name_space(db_), before_) << "the changes made meanwhile were not recorded";
  }
}

TEST_F(PostgresNamespaceTest, EveryTriggerOfTheSchemaIsOneThatItNeeds) {
  EXPECT_EQ(db_.text("SELECT coalesce(string_agg(tgname, ' '), '') FROM pg_trigger"
                     " WHERE NOT tgisinternal AND tgname <> ALL (cache_triggers())"),
            "");
}

// The manual explains how to enable the triggers that pg_restore --disable-triggers leaves
// disabled.
TEST_F(PostgresNamespaceTest, WhatTheManualSaysBringsAllTriggersBack) {
  std::ifstream file{std::string{UM_SOURCE_DIR} + "/docs/operations/postgresql.md"};
  const std::string manual{std::istreambuf_iterator<char>{file}, {}};
  const auto begin = manual.find("DO $$\nDECLARE t record");
  const auto end = manual.find("```", begin);
  ASSERT_NE(end, std::string::npos);
  for (const char* table : {"users", "sessions", "signing_keys", "user_changes"}) {
    db_.execute(std::string{"ALTER TABLE "} + table + " DISABLE TRIGGER USER");
    db_.execute(std::string{"ALTER TABLE "} + table + " ENABLE TRIGGER USER");
  }
  EXPECT_EQ(name_space(db_), "");
  db_.execute(manual.substr(begin, end - begin));
  EXPECT_NE(name_space(db_), "");
  EXPECT_EQ(
      db_.integer("SELECT count(*) FROM pg_trigger WHERE NOT tgisinternal AND tgenabled <> 'A'"),
      0);
}

// A restore makes tables first, then rows, then keys, then triggers.
TEST_F(PostgresNamespaceTest, ARepairInTheMiddleOfARestoreDoesNoHarm) {
  const auto rows = [this] { return db_.integer("SELECT count(*) FROM cache_incarnation"); };
  db_.execute(
      "DELETE FROM cache_incarnation;"
      "ALTER TABLE cache_incarnation DROP CONSTRAINT cache_incarnation_pkey;"
      "ALTER TABLE users DISABLE TRIGGER users_updated");
  for (int i = 0; i < 3; ++i)
    EXPECT_NE(db_.text("SELECT coalesce(cache_repair(), '')"), "") << "the text names the fault";
  EXPECT_EQ(rows(), 0);
  db_.execute("ALTER TABLE users ENABLE ALWAYS TRIGGER users_updated");
  EXPECT_THAT(db_.text("SELECT coalesce(cache_repair(), '')"), HasSubstr("primary key"));
  EXPECT_EQ(rows(), 0);
  db_.execute("ALTER TABLE cache_incarnation ADD PRIMARY KEY (one)");
  EXPECT_EQ(db_.text("SELECT coalesce(cache_repair(), '')"), "");
  EXPECT_EQ(rows(), 1);
  EXPECT_NE(name_space(db_), "");
}

TEST_F(PostgresNamespaceTest, WhateverIsMissingOrDoubledItIsNoneAndNoError) {
  const auto none_while = [this](const std::string& trouble) {
    db_.execute("BEGIN; " + trouble);
    EXPECT_EQ(name_space(db_), "") << trouble;
    db_.execute("ROLLBACK");
  };
  none_while("DELETE FROM cache_incarnation");
  none_while(
      "ALTER TABLE cache_incarnation DROP CONSTRAINT cache_incarnation_pkey;"
      "INSERT INTO cache_incarnation DEFAULT VALUES");
  none_while("DELETE FROM cache_settings");
  none_while(
      "ALTER TABLE cache_settings DROP CONSTRAINT cache_settings_pkey;"
      "INSERT INTO cache_settings SELECT * FROM cache_settings");
  none_while("ALTER TABLE cache_settings RENAME TO elsewhere");
  none_while("ALTER TABLE cache_incarnation RENAME COLUMN id TO other");
  none_while("ALTER TABLE purge_horizon RENAME TO elsewhere");
  none_while("ALTER FUNCTION cached_tables_state() RENAME TO elsewhere");
  EXPECT_EQ(name_space(db_), before_);
}

TEST_F(PostgresNamespaceTest, SwitchedOffAndOnWithinOneTransactionIsNoticedToo) {
  db_.execute("INSERT INTO users (email) VALUES ('a@b')");
  db_.execute(
      "BEGIN; ALTER TABLE users DISABLE TRIGGER USER; UPDATE users SET first_name = 'unseen';"
      "ALTER TABLE users ENABLE ALWAYS TRIGGER users_prepare, ENABLE ALWAYS TRIGGER users_inserted,"
      "  ENABLE ALWAYS TRIGGER users_updated, ENABLE ALWAYS TRIGGER users_deleted,"
      "  ENABLE ALWAYS TRIGGER users_truncated, ENABLE ALWAYS TRIGGER users_use_up_id; COMMIT");
  EXPECT_NE(name_space(db_), "");
  EXPECT_NE(name_space(db_), before_);
}

TEST_F(PostgresNamespaceTest, ATableThatIsSwappedForAnotherEndsIt) {
  db_.execute(
      "BEGIN; CREATE TABLE new_users (LIKE users INCLUDING ALL);"
      "ALTER TABLE users RENAME TO old_users; ALTER TABLE new_users RENAME TO users; COMMIT");
  EXPECT_EQ(name_space(db_), "");
}

// A column that is dropped and added gives every row another value, without triggers or a rewrite.
TEST_F(PostgresNamespaceTest, AColumnThatIsDroppedAndAddedDiffers) {
  db_.execute("ALTER TABLE sessions DROP COLUMN address");
  db_.execute("ALTER TABLE sessions ADD COLUMN address text NOT NULL DEFAULT 'other'");
  EXPECT_NE(name_space(db_), "");
  EXPECT_NE(name_space(db_), before_);
}

TEST_F(PostgresNamespaceTest, TheLogOfChangesCannotBeEmptiedUnnoticed) {
  db_.execute("TRUNCATE user_changes");
  const auto after = name_space(db_);
  EXPECT_NE(after, before_);
  db_.execute("TRUNCATE purge_horizon");
  EXPECT_NE(name_space(db_), after) << "how far it was purged";
}

// The following tests have a server of their own.
class PostgresCrashTest : public ::testing::Test {
 protected:
  // While the server recovers, connections are refused or cut off.
  bool has_lost_its_name_space() {
    return e2e::eventually([this] {
      try {
        return name_space_of(*database_).empty();
      } catch (const PostgresError&) {
        return false;
      }
    });
  }
  PostgresServer server_;
  std::unique_ptr<TestDatabase> database_ = std::make_unique<TestDatabase>(server_);
  const std::string before_ = name_space_of(*database_);
};

TEST_F(PostgresCrashTest, OfOneBackendTakesTheIncarnationAway) {
  const auto started = server_.psql("SELECT pg_postmaster_start_time()");
  auto victim = database_->session();
  server_.kill_backend(static_cast<pid_t>(victim.integer("SELECT pg_backend_pid()")));
  ASSERT_TRUE(has_lost_its_name_space());
  EXPECT_EQ(server_.psql("SELECT pg_postmaster_start_time()"), started)
      << "nothing else tells of this crash";
  const auto after = repaired(*database_);
  EXPECT_NE(after, "");
  EXPECT_NE(after, before_);
  EXPECT_EQ(repaired(*database_), after) << "a second repair returns the same namespace";
}

TEST_F(PostgresCrashTest, OfTheWholeServerTakesItAwayToo) {
  server_.kill_postmaster();
  server_.start();
  EXPECT_EQ(name_space_of(*database_), "");
  EXPECT_NE(repaired(*database_), before_);
  server_.stop(PostgresServer::Stop::immediate);
  server_.start();
  EXPECT_EQ(name_space_of(*database_), "");
}

TEST_F(PostgresCrashTest, AnOrderlyRestartIsANewNamespace) {
  server_.restart();
  EXPECT_NE(name_space_of(*database_), "");
  EXPECT_NE(name_space_of(*database_), before_);
}

TEST_F(PostgresCrashTest, AColdCopyPutBackIsANewNamespace) {
  server_.stop();
  server_.copy_data();
  server_.start();
  const auto original = name_space_of(*database_);
  database_->session().execute("INSERT INTO users (email) VALUES ('lost@x.org')");
  server_.stop();
  server_.put_copy_back();
  server_.start();
  EXPECT_EQ(database_->session().integer("SELECT count(*) FROM users"), 0);
  EXPECT_NE(name_space_of(*database_), "");
  EXPECT_NE(name_space_of(*database_), before_);
  EXPECT_NE(name_space_of(*database_), original);
}

TEST_F(PostgresCrashTest, AStandbyHasNoneAndAfterItsPromotionAnother) {
  PostgresServer standby{{.primary = &server_}};
  const test::PostgresLogin login{.user = "postgres", .database = database_->name()};
  EXPECT_EQ(standby.psql("SELECT cache_namespace()", login), "\n");
  EXPECT_THAT(standby.psql("SELECT cache_repair()", login), HasSubstr("standby"));
  standby.psql("SELECT pg_promote()", login);
  BlockingConnection session{{.url = Secret{standby.url(login)}}};
  EXPECT_EQ(name_space(session), "") << "its incarnation was emptied";
  EXPECT_EQ(session.text("SELECT coalesce(cache_repair(), '')"), "");
  EXPECT_NE(name_space(session), "");
  EXPECT_NE(name_space(session), before_);
}

}  // namespace
}  // namespace um
