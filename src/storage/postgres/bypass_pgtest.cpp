// Every way to bypass ordinary triggers: the change is recorded all the same, or the namespace
// differs.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "storage/postgres/migrator.hpp"
#include "support/patience.hpp"
#include "support/postgres_database.hpp"

namespace um {
namespace {

using test::name_space;
using test::PostgresServer;
using test::taken_changes;
using test::TestDatabase;

constexpr const char* kThree =
    "INSERT INTO users (email) VALUES ('a@x.org'), ('b@x.org'), ('c@x.org')";

class PostgresBypassTest : public ::testing::Test {
 protected:
  PostgresBypassTest() {
    db_.execute(kThree);
    taken_changes(db_);
  }
  // A role that may write rows and has no other privilege.
  BlockingConnection writer() {
    database_.admin().execute(
        "DO $$ BEGIN CREATE ROLE um_writer LOGIN; EXCEPTION WHEN duplicate_object THEN END $$");
    db_.execute("GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON users, sessions TO um_writer");
    db_.execute("GRANT TRUNCATE ON usage_keys TO um_writer");
    return database_.session_as("um_writer");
  }

  const TestDatabase database_;
  BlockingConnection db_ = database_.session();
  const std::string before_ = name_space(db_);
};

TEST_F(PostgresBypassTest, ReplicasOwnRole) {
  auto admin = database_.admin();
  admin.execute("SET session_replication_role = replica");
  admin.execute("UPDATE users SET first_name = 'x' WHERE id = 1");
  EXPECT_EQ(taken_changes(db_), "user:1");
  admin.execute("DELETE FROM users WHERE id = 2");
  EXPECT_EQ(taken_changes(db_), "email:b@x.org user:2");
  admin.execute("INSERT INTO users (email) VALUES ('d@x.org')");
  EXPECT_EQ(taken_changes(db_), "email:d@x.org user:4");
  EXPECT_EQ(db_.integer("SELECT count(*) FROM users WHERE version = 0 OR search = ''"), 0);
  admin.execute("TRUNCATE users CASCADE");
  EXPECT_EQ(taken_changes(db_), "* *");
}

TEST_F(PostgresBypassTest, ARoleThatMayWriteTheTableAndNothingElse) {
  auto writer = this->writer();
  writer.execute("INSERT INTO users (email) VALUES ('d@x.org')");
  writer.execute("INSERT INTO users (id, email) VALUES (40, 'e@x.org')");
  EXPECT_EQ(taken_changes(db_), "email:d@x.org email:e@x.org user:4 user:40");
  writer.execute("UPDATE users SET is_active = false WHERE id = 4");
  EXPECT_EQ(taken_changes(db_), "user:4");
  writer.execute("DELETE FROM users WHERE id = 40");
  EXPECT_EQ(taken_changes(db_), "email:e@x.org user:40");
  writer.execute("TRUNCATE users CASCADE");
  EXPECT_EQ(taken_changes(db_), "* *");
  // It has no other privileges.
  for (const char* statement :
       {"SELECT bump_cache_epoch()", "SELECT invalidate_user(1)", "DELETE FROM user_changes",
        "SELECT record_changes('{}')", "SELECT mac_key FROM cache_settings",
        "SELECT rehash_user(1, '', 'x')", "INSERT INTO user_rehashes (user_id) VALUES (1)",
        "UPDATE purge_horizon SET tau = ''", "SELECT FROM purge_horizon FOR UPDATE",
        "CREATE TEMP TABLE t (id int);"
        "CREATE TRIGGER t AFTER INSERT ON t EXECUTE FUNCTION public.everything_changed()"}) {
    try {
      writer.execute(statement);
      ADD_FAILURE() << statement;
    } catch (const PostgresError& error) {
      EXPECT_EQ(error.failure().sqlstate, "42501") << statement << ": " << error.what();
    }
  }
}

// The number of a transaction's keys is in a setting, and any role may set it to any value.
TEST_F(PostgresBypassTest, AForgedCountOfKeys) {
  auto writer = this->writer();
  constexpr const char* kUpdate = "UPDATE users SET first_name = first_name || 'x' WHERE id = 1";
  const auto is_noted = ::testing::AnyOf("user:1", "*");
  for (const char* count : {"5001", "6000", "99999", "100000", "2147483648", "-1", "-2147483648",
                            "1e9", "nonsense", " ", "NaN", "99999999999999999999"}) {
    writer.execute(std::string{"SET user_manager.touched = '"} + count + "'");
    writer.execute(kUpdate);
    EXPECT_THAT(taken_changes(db_), is_noted) << count;
    writer.execute(std::string{"BEGIN; SET LOCAL user_manager.touched = '"} + count + "'");
    writer.execute(std::string{kUpdate} + "; COMMIT");
    EXPECT_THAT(taken_changes(db_), is_noted) << count;
  }
  database_.admin().execute("ALTER ROLE um_writer IN DATABASE " + database_.name() +
                            " SET user_manager.touched = '6000'");
  database_.session_as("um_writer").execute(kUpdate);
  EXPECT_THAT(taken_changes(db_), is_noted);
  // Rolling back the savepoint removes the row that stands for every key.
  writer.execute("BEGIN; SAVEPOINT s; SET user_manager.touched = '6000'");
  writer.execute(std::string{kUpdate} + "; ROLLBACK TO s; SET user_manager.touched = '6000'");
  writer.execute(std::string{kUpdate} + "; COMMIT");
  EXPECT_THAT(taken_changes(db_), is_noted);
}

TEST_F(PostgresBypassTest, ANewPasswordThatPretendsToBeTheOldOneHashedAnew) {
  const auto epoch = [this] { return db_.integer("SELECT auth_epoch FROM users WHERE id = 1"); };
  const auto expect_that_sessions_end = [&](BlockingConnection&& session) {
    const auto before = epoch();
    session.execute("SET user_manager.rehash = '1'");
    session.execute("UPDATE users SET password_hash = password_hash || 'x' WHERE id = 1");
    EXPECT_GT(epoch(), before);
    EXPECT_EQ(taken_changes(db_), "user:1");
  };
  expect_that_sessions_end(writer());
  expect_that_sessions_end(database_.session());
  database_.admin().execute("ALTER ROLE um_writer IN DATABASE " + database_.name() +
                            " SET user_manager.rehash = '1'");
  expect_that_sessions_end(database_.session_as("um_writer"));
  // The permission holds for one transaction only, and ends with it.
  auto owner = database_.session();
  owner.execute("BEGIN; INSERT INTO user_rehashes (user_id) VALUES (1)");
  expect_that_sessions_end(writer());
  owner.execute("COMMIT");
  expect_that_sessions_end(writer());
}

TEST_F(PostgresBypassTest, ASearchPathThatLeadsAstray) {
  db_.execute(
      "CREATE SCHEMA evil; CREATE TABLE evil.user_changes (xid xid8, ckey bytea);"
      "CREATE FUNCTION evil.convert_to(text, name) RETURNS bytea LANGUAGE sql AS 'SELECT "
      "NULL::bytea';"
      "SET search_path = evil, pg_catalog, public; CREATE TEMP TABLE user_changes (ckey bytea)");
  db_.execute("UPDATE public.users SET first_name = 'x' WHERE id = 1");
  auto other = database_.session();
  EXPECT_EQ(taken_changes(other), "user:1");
}

TEST_F(PostgresBypassTest, Truncate) {
  db_.execute("TRUNCATE users, sessions, usage_keys");
  EXPECT_THAT(taken_changes(db_), ::testing::HasSubstr("*"));
  EXPECT_NE(name_space(db_), before_);
}

TEST_F(PostgresBypassTest, TruncateThatCascadesFromAnotherTable) {
  db_.execute(
      "CREATE TABLE parents (id int PRIMARY KEY);"
      "ALTER TABLE users ADD COLUMN parent int REFERENCES parents");
  const auto altered = name_space(db_);
  db_.execute("TRUNCATE parents CASCADE");
  EXPECT_EQ(taken_changes(db_), "* *");
  EXPECT_NE(name_space(db_), altered);
}

TEST_F(PostgresBypassTest, Copy) {
  test::psql(database_.url(), "COPY users (email, first_name) FROM stdin;\nd@x.org\tDan\n\\.\n");
  EXPECT_EQ(taken_changes(db_), "email:d@x.org user:4");
  EXPECT_EQ(db_.integer("SELECT count(*) FROM users WHERE search LIKE 'dan%'"), 1);
}

TEST_F(PostgresBypassTest, MergeAndUpsert) {
  db_.execute(
      "INSERT INTO users (id, email) VALUES (1, 'z@x.org')"
      " ON CONFLICT (id) DO UPDATE SET email = excluded.email");
  EXPECT_EQ(taken_changes(db_), "email:a@x.org email:z@x.org user:1");
  db_.execute(
      "MERGE INTO users u USING (VALUES (2), (3)) v (id) ON u.id = v.id"
      " WHEN MATCHED AND v.id = 2 THEN DELETE WHEN MATCHED THEN UPDATE SET first_name = 'm'");
  EXPECT_EQ(taken_changes(db_), "email:b@x.org user:2 user:3");
}

TEST_F(PostgresBypassTest, AReferentialActionOfAnotherTable) {
  db_.execute(
      "CREATE TABLE teams (id bigint PRIMARY KEY); INSERT INTO teams VALUES (1), (2), (3);"
      "ALTER TABLE users ADD CONSTRAINT f FOREIGN KEY (id) REFERENCES teams ON DELETE CASCADE");
  db_.execute("DELETE FROM teams WHERE id = 2");
  EXPECT_EQ(taken_changes(db_), "email:b@x.org user:2");
}

TEST_F(PostgresBypassTest, ATableRewriteByTheOwner) {
  db_.execute("ALTER TABLE sessions ALTER COLUMN address TYPE varchar USING 'rewritten'");
  const auto rewritten = name_space(db_);
  EXPECT_NE(rewritten, "");
  EXPECT_NE(rewritten, before_);
  // The columns of users cannot be rewritten while the triggers name them …
  constexpr const char* kRewrite =
      "ALTER TABLE users ALTER COLUMN last_name TYPE varchar USING 'rewritten'";
  EXPECT_THROW(db_.execute(kRewrite), PostgresError);
  // … and without them there is no namespace.
  db_.execute("DROP TRIGGER users_updated ON users");
  db_.execute(kRewrite);
  EXPECT_EQ(name_space(db_), "");
  db_.execute("VACUUM FULL user_changes");
  EXPECT_EQ(name_space(db_), "");
}

TEST_F(PostgresBypassTest, ATableRewriteWhereASuperuserMigrated) {
  const TestDatabase other{TestDatabase::Content::empty};
  ASSERT_TRUE(PostgresMigrator({.url = Secret{other.url_as("postgres")}}).apply(Misfits::refuse));
  auto admin = other.admin();
  admin.execute(kThree);
  taken_changes(admin);
  const auto before = name_space(admin);
  admin.execute(
      "BEGIN; DROP TRIGGER users_updated ON users;"
      "ALTER TABLE users ALTER COLUMN last_name TYPE varchar USING 'rewritten'; ROLLBACK");
  EXPECT_EQ(name_space(admin), before);
  admin.execute("ALTER TABLE sessions ALTER COLUMN address TYPE varchar USING 'rewritten'");
  EXPECT_EQ(taken_changes(admin), "*");
  EXPECT_GT(admin.integer("SELECT epoch FROM cache_settings"), 1);
  EXPECT_NE(name_space(admin), before);
}

// The following tests have a server of their own.

// A commit that does not wait for the disk stays in memory until the WAL writer runs, here after
// ten seconds.
TEST(PostgresDurabilityTest, ACommitThatDidNotWantToWaitForTheDiskWaits) {
  const PostgresServer server{{.settings = {"wal_writer_delay=10s", "autovacuum=off"}}};
  const TestDatabase database{server};
  auto db = database.session();
  db.execute(kThree);
  db.execute("CREATE TABLE other (x int); SET synchronous_commit = off");
  const auto is_durable = [&db](const std::string& change) {
    db.execute("CHECKPOINT");
    db.execute("BEGIN; " + change);
    const auto written = db.text("SELECT pg_current_wal_insert_lsn()");
    db.execute("COMMIT");
    return db.text("SELECT pg_current_wal_flush_lsn() >= $1::pg_lsn", {written}) == "t";
  };
  database.admin().execute("GRANT pg_checkpoint TO um_owner");
  EXPECT_FALSE(is_durable("INSERT INTO other VALUES (1)")) << "or this test shows nothing";
  EXPECT_TRUE(is_durable("UPDATE users SET first_name = 'x' WHERE id = 1"));
  EXPECT_EQ(db.text("SHOW synchronous_commit"), "off") << "for one transaction only";
  EXPECT_TRUE(
      is_durable("UPDATE users SET first_name = 'y' WHERE id = 1;"
                 "SET LOCAL synchronous_commit = off"));
  EXPECT_TRUE(is_durable("DELETE FROM users WHERE id = 3"));
  EXPECT_TRUE(is_durable("SET LOCAL synchronous_commit = local; TRUNCATE sessions"));
  EXPECT_FALSE(is_durable("INSERT INTO other VALUES (2)"));
}

TEST(PostgresReplicationTest, RowsThatLogicalReplicationBringsAreNoted) {
  const PostgresServer server{{.settings = {"wal_level=logical"}}};
  const TestDatabase source{server, TestDatabase::Content::empty};
  const TestDatabase target{server};
  auto from = source.admin();
  auto to = target.admin();
  from.execute(
      "CREATE TABLE users (id bigint PRIMARY KEY, email text, first_name text);"
      "INSERT INTO users VALUES (1, 'a@x.org', 'A'), (2, 'b@x.org', 'B');"
      "CREATE PUBLICATION all_users FOR TABLE users");
  from.execute("SELECT pg_create_logical_replication_slot('um', 'pgoutput')");
  to.execute("CREATE SUBSCRIPTION um CONNECTION '" + source.url_as("postgres") +
             "' PUBLICATION all_users WITH (create_slot = false, slot_name = 'um')");
  // Collects keys until all expected ones have come.
  const auto noted = [&to](const std::string& expected) {
    std::string seen;
    e2e::eventually([&] {
      const auto more = taken_changes(to);
      if (!more.empty()) seen += (seen.empty() ? "" : " ") + more;
      return seen.size() >= expected.size();
    });
    return seen;
  };
  const std::string both = "email:a@x.org email:b@x.org user:1 user:2";
  EXPECT_EQ(noted(both), both) << "the initial copy";
  from.execute("UPDATE users SET first_name = 'New' WHERE id = 1");
  EXPECT_EQ(noted("user:1"), "user:1");
  from.execute("DELETE FROM users WHERE id = 2");
  EXPECT_EQ(noted("email:b@x.org user:2"), "email:b@x.org user:2");
  from.execute("INSERT INTO users VALUES (3, 'c@x.org', 'C')");
  EXPECT_EQ(noted("email:c@x.org user:3"), "email:c@x.org user:3");
  EXPECT_EQ(
      to.text("SELECT string_agg(split_part(search, E'\\x1f', 1), ' ' ORDER BY id) FROM users"),
      "new c");
  from.execute("BEGIN; DELETE FROM users; INSERT INTO users VALUES (3, 'd@x.org', 'D'); COMMIT");
  const std::string again = "email:a@x.org email:c@x.org email:d@x.org user:1 user:3 user:3";
  EXPECT_EQ(noted(again), again);
  to.execute("ALTER SUBSCRIPTION um DISABLE; ALTER SUBSCRIPTION um SET (slot_name = NONE)");
  to.execute("DROP SUBSCRIPTION um");
  from.execute("SELECT pg_drop_replication_slot('um')");
}

TEST(PostgresPreparedTest, APreparedTransactionIsNotedWhenItBecomesVisible) {
  const PostgresServer server{{.settings = {"max_prepared_transactions=2"}}};
  const TestDatabase database{server};
  auto db = database.session();
  db.execute(kThree);
  taken_changes(db);
  db.execute("BEGIN; UPDATE users SET first_name = 'x' WHERE id = 1; PREPARE TRANSACTION 'p'");
  const auto snapshot = db.text("SELECT pg_current_snapshot()");
  EXPECT_EQ(db.integer("SELECT count(*) FROM user_changes"), 0);
  db.execute("COMMIT PREPARED 'p'");
  EXPECT_EQ(db.integer("SELECT count(*) FROM user_changes WHERE"
                       " NOT pg_visible_in_snapshot(xid, $1::text::pg_snapshot)",
                       {snapshot}),
            1);
  EXPECT_EQ(taken_changes(db), "user:1");
}

}  // namespace
}  // namespace um
