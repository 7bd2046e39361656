// The triggers and constraints of the schema, for every writer: numbers, search texts, and records
// of changes. Ways to bypass it: bypass_pgtest.cpp.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "storage/cache_key.hpp"
#include "support/postgres_database.hpp"

namespace um {
namespace {

using test::taken_changes;

class PostgresSchemaTest : public ::testing::Test {
 protected:
  PostgresSchemaTest() {
    db_.execute("INSERT INTO users (email, first_name) VALUES ('Ada@Example.com', 'Ada')");
    taken_changes(db_);
  }
  void refuses(const std::string& statement, const std::string& constraint) {
    try {
      db_.execute(statement);
      ADD_FAILURE() << statement << " was taken";
    } catch (const PostgresError& error) {
      EXPECT_EQ(error.failure().constraint, constraint) << statement << ": " << error.what();
    }
  }
  // Which of version, counters_version and auth_epoch a statement changes.
  std::string changed_by(const std::string& statement) {
    const auto read = [this] {
      return db_.run("SELECT version, counters_version, auth_epoch FROM users WHERE id = 1");
    };
    const auto before = read();
    db_.execute(statement);
    const auto after = read();
    std::string changed;
    for (std::size_t i = 0; i < 3; ++i) {
      EXPECT_GE(after.integer(0, i), before.integer(0, i)) << statement;
      if (after.integer(0, i) > before.integer(0, i)) changed += "vce"[i];
    }
    return changed;
  }

  const test::TestDatabase database_;
  BlockingConnection db_ = database_.session();
};

TEST_F(PostgresSchemaTest, ARowIsNotedUnderItsIdAndItsAddress) {
  db_.execute("INSERT INTO users (email) VALUES ('B@Example.com')");
  EXPECT_EQ(taken_changes(db_), "email:b@example.com user:2");
  db_.execute("UPDATE users SET first_name = 'x' WHERE id = 2");
  EXPECT_EQ(taken_changes(db_), "user:2");
  db_.execute("DELETE FROM users WHERE id = 2");
  EXPECT_EQ(taken_changes(db_), "email:b@example.com user:2");
}

TEST_F(PostgresSchemaTest, AnotherAddressIsNotedWithTheOldOne) {
  db_.execute("UPDATE users SET email = 'new@example.com'");
  EXPECT_EQ(taken_changes(db_), "email:ada@example.com email:new@example.com user:1");
  db_.execute("UPDATE users SET email = 'NEW@example.com'");
  EXPECT_EQ(taken_changes(db_), "user:1");
  db_.execute("UPDATE users SET id = 40");
  EXPECT_EQ(taken_changes(db_), "email:new@example.com email:new@example.com user:1 user:40");
}

TEST_F(PostgresSchemaTest, AddressesAreFoldedInAsciiOnly) {
  db_.execute("INSERT INTO users (email) VALUES ('ÅÄÖ.Иван@EXAMPLE.com')");
  EXPECT_EQ(taken_changes(db_), "email:ÅÄÖ.Иван@example.com user:2");
  refuses("INSERT INTO users (email) VALUES ('ÅÄÖ.Иван@example.COM')", "users_email");
  db_.execute("INSERT INTO users (email) VALUES ('åäö.иван@example.com')");
}

TEST_F(PostgresSchemaTest, WhatIsNotCachedIsNotNoted) {
  db_.execute("UPDATE users SET search = 'x'");
  db_.execute("UPDATE users SET first_name = first_name, settings = settings");
  EXPECT_EQ(taken_changes(db_), "");
}

TEST_F(PostgresSchemaTest, EveryCachedColumnIsNoted) {
  for (const char* change :
       {"username = 'ada'", "first_name = 'x'", "last_name = 'x'", "role = 'admin'",
        "is_active = false", "quota_usd = 1", "used_usd = 1", "settings = '{\"a\":1}'",
        "settings = '{\"a\": 1}'", "created_at = '2020-01-01'", "updated_at = '2020-01-01'",
        "last_login_at = '2020-01-01'", "auth_epoch = 0", "password_hash = 'x'"}) {
    db_.execute(std::string{"UPDATE users SET "} + change);
    EXPECT_EQ(taken_changes(db_), "user:1") << change;
  }
}

TEST_F(PostgresSchemaTest, TheNoteCarriesTheTransactionAlsoFromASavepoint) {
  db_.execute(
      "BEGIN; SAVEPOINT inner_one; UPDATE users SET first_name = 'x'; RELEASE inner_one;"
      " CREATE TEMP TABLE mine AS SELECT pg_current_xact_id() AS xid; COMMIT");
  EXPECT_EQ(db_.integer("SELECT count(*) FROM user_changes JOIN mine USING (xid)"), 1);
}

TEST_F(PostgresSchemaTest, SessionsAreNotedAlsoWhenTheirUserTakesThemAlong) {
  db_.execute(
      "INSERT INTO sessions (id, user_id, auth_epoch, kind, expires_at)"
      " VALUES ('s1', 1, 1, 'login', now()), ('s2', 1, 1, 'service_token', now())");
  EXPECT_EQ(taken_changes(db_), "session:s1 session:s2");
  db_.execute("UPDATE sessions SET auth_epoch = 2 WHERE id = 's1'");
  EXPECT_EQ(taken_changes(db_), "session:s1");
  db_.execute("UPDATE sessions SET id = 's3' WHERE id = 's1'");
  EXPECT_EQ(taken_changes(db_), "session:s1 session:s3");
  db_.execute("UPDATE sessions SET id = id");
  EXPECT_EQ(taken_changes(db_), "");
  db_.execute("DELETE FROM users");
  EXPECT_EQ(taken_changes(db_), "email:ada@example.com session:s2 session:s3 user:1");
}

TEST_F(PostgresSchemaTest, SigningKeysAreNotedTogetherWhoeverChangesThem) {
  const char* insert =
      "INSERT INTO signing_keys (kid, public_key, private_key) VALUES ('k' || random(), 'a', 'b')";
  db_.execute(insert);
  EXPECT_EQ(taken_changes(db_), kSigningKeysChange);
  db_.execute("UPDATE signing_keys SET revoked_at = now()");
  EXPECT_EQ(taken_changes(db_), kSigningKeysChange);
  db_.execute("DELETE FROM signing_keys");
  EXPECT_EQ(taken_changes(db_), kSigningKeysChange);
  db_.execute("TRUNCATE signing_keys");
  EXPECT_EQ(taken_changes(db_), kSigningKeysChange);
  BlockingConnection replica = database_.admin();
  replica.execute("SET session_replication_role = replica");
  replica.execute(insert);
  EXPECT_EQ(taken_changes(db_), kSigningKeysChange);
}

TEST_F(PostgresSchemaTest, AUserIsInvalidatedKnownOrNot) {
  db_.execute("SELECT invalidate_user(1)");
  EXPECT_EQ(taken_changes(db_), "email:ada@example.com user:1");
  db_.execute("SELECT invalidate_user(404)");
  EXPECT_EQ(taken_changes(db_), "user:404");
}

TEST_F(PostgresSchemaTest, EachNumberChangesWithWhatItStandsFor) {
  EXPECT_EQ(changed_by("UPDATE users SET first_name = 'x'"), "v");
  EXPECT_EQ(changed_by("UPDATE users SET settings = '{}'"), "v");
  EXPECT_EQ(changed_by("UPDATE users SET used_usd = 1.5"), "c");
  EXPECT_EQ(changed_by("UPDATE users SET last_login_at = now()"), "c");
  EXPECT_EQ(changed_by("UPDATE users SET password_hash = 'new'"), "ve");
  EXPECT_EQ(changed_by("UPDATE users SET is_active = false"), "ve");
  EXPECT_EQ(changed_by("UPDATE users SET is_active = true"), "v");
  EXPECT_EQ(changed_by("UPDATE users SET auth_epoch = auth_epoch + 1"), "e");
  EXPECT_EQ(changed_by("UPDATE users SET search = 'x'"), "");
  EXPECT_EQ(changed_by("UPDATE users SET first_name = first_name"), "");
  // A statement cannot give them itself.
  EXPECT_EQ(changed_by("UPDATE users SET version = 1000, counters_version = 1000"), "");
  EXPECT_EQ(changed_by("UPDATE users SET auth_epoch = 0"), "e");
}

TEST_F(PostgresSchemaTest, AVersionNeverComesBack) {
  const auto version = db_.integer("SELECT version FROM users WHERE id = 1");
  const auto epoch = db_.integer("SELECT auth_epoch FROM users WHERE id = 1");
  db_.execute("DELETE FROM users");
  const auto again = db_.run(
      "INSERT INTO users (id, email, version, auth_epoch) VALUES (1, 'ada@example.com', 1, 1)"
      " RETURNING version, auth_epoch");
  EXPECT_GT(again.integer(0, 0), version);
  EXPECT_GT(again.integer(0, 1), epoch);
}

TEST_F(PostgresSchemaTest, ARehashChangesTheHashAndNothingElse) {
  db_.execute("UPDATE users SET password_hash = 'old'");
  taken_changes(db_);
  EXPECT_EQ(changed_by("SELECT rehash_user(1, 'wrong', 'new')"), "");
  EXPECT_EQ(changed_by("SELECT rehash_user(1, 'old', 'new')"), "");
  EXPECT_EQ(taken_changes(db_), "");
  EXPECT_EQ(db_.text("SELECT password_hash FROM users"), "new");
  // The permission ends with the call.
  EXPECT_EQ(changed_by("BEGIN; SELECT rehash_user(1, 'new', 'newer');"
                       " UPDATE users SET password_hash = 'other'; COMMIT"),
            "ve");
}

TEST_F(PostgresSchemaTest, TheProgramsFoldIsKeptAndOthersGetLower) {
  const auto search = [this] { return db_.text("SELECT search FROM users WHERE id = 1"); };
  EXPECT_EQ(search(),
            "ada\x1f\x1f"
            "ada@example.com\x1f\x1f");
  db_.execute("UPDATE users SET first_name = 'Straße', search = E'\\x1eprogram'");
  EXPECT_EQ(search(), "program");
  // The same fold for another name is no reason to fold it again.
  db_.execute("UPDATE users SET first_name = 'STRASSE', search = E'\\x1eprogram'");
  EXPECT_EQ(search(), "program");
  db_.execute("UPDATE users SET used_usd = 1");
  EXPECT_EQ(search(), "program");
  db_.execute("UPDATE users SET first_name = E'Иван\\tX', last_name = 'Łuk'");
  EXPECT_EQ(search(),
            "иван x\x1fłuk\x1f"
            "ada@example.com\x1f\x1f");
}

TEST_F(PostgresSchemaTest, AnIdThatWasGivenIsNotGivenAgain) {
  const auto next = [this] {
    return db_.integer(
        "INSERT INTO users (email) VALUES (gen_random_uuid() || '@x.org') RETURNING id");
  };
  db_.execute("INSERT INTO users (id, email) VALUES (10, 'ten@x.org')");
  db_.execute("DELETE FROM users WHERE id = 10");
  EXPECT_EQ(next(), 11);
  db_.execute("INSERT INTO users (id, email) VALUES (50000, 'many@x.org')");
  EXPECT_EQ(next(), 50'001);
  db_.execute("INSERT INTO users (id, email) VALUES (7, 'seven@x.org')");
  EXPECT_EQ(next(), 50'002);
  db_.execute("UPDATE users SET id = 50010 WHERE id = 7");
  EXPECT_EQ(next(), 50'011);
  // A rehearsal uses up no ids.
  db_.execute("BEGIN; INSERT INTO users (id, email) VALUES (90000, 'no@x.org'); ROLLBACK");
  EXPECT_EQ(next(), 50'012);
}

TEST_F(PostgresSchemaTest, RowsThatNobodyCouldReadAreRefused) {
  refuses("INSERT INTO users (id, email) VALUES (0, 'a@b')", "users_id_range");
  refuses("INSERT INTO users (id, email) VALUES (9007199254740993, 'a@b')", "users_id_range");
  refuses("INSERT INTO users (email) VALUES ('ADA@example.com')", "users_email");
  refuses("INSERT INTO users (email, username) VALUES ('a@b', 'a b')", "users_username_form");
  refuses("INSERT INTO users (email, role) VALUES ('a@b', 'god')", "users_role_known");
  refuses("INSERT INTO users (email, quota_usd) VALUES ('a@b', -1)", "users_quota_range");
  refuses("INSERT INTO users (email, used_usd) VALUES ('a@b', 'NaN')", "users_used_range");
  refuses("INSERT INTO users (email, used_usd) VALUES ('a@b', 9000000000.000001)",
          "users_used_range");
  refuses("INSERT INTO users (email, settings) VALUES ('a@b', '[1]')", "users_settings_form");
  db_.execute("INSERT INTO users (email, username) VALUES ('b@b', 'Grace')");
  refuses("INSERT INTO users (email, username) VALUES ('c@b', 'gRACE')", "users_username");
}

// Searches every part of every text with the index and without it.
TEST_F(PostgresSchemaTest, TheIndexFindsExactlyWhatContainsTheKeyword) {
  db_.execute(
      "INSERT INTO users (email, first_name, last_name) VALUES"
      " ('o''brien@x.org', 'O''Brien', 'back\\slash'), ('b@x.org', '志明', 'van der Berg'),"
      " ('c@x.org', '& | ! ( ) :*', '<-> \"quoted\"'), ('d@x.org', 'aaa', '  two  blanks'),"
      " ('e@x.org', '😀😀', 'Иван'), ('f@x.org', 'a', '%_')");
  db_.execute("SET enable_seqscan = off");
  const auto differences = db_.run(R"(
    WITH parts AS (
      SELECT DISTINCT substr(search, i, n) AS part
        FROM users, generate_series(1, char_length(search)) AS i, generate_series(1, 5) AS n
    ), keywords AS (
      SELECT part FROM parts WHERE part <> '' AND part !~ '[\x01-\x1f]'
      UNION SELECT reverse(part) FROM parts WHERE part <> '' AND part !~ '[\x01-\x1f]'
    )
    SELECT part FROM keywords
     WHERE (SELECT array_agg(id ORDER BY id) FROM users WHERE strpos(search, part) > 0)
           IS DISTINCT FROM
           (SELECT array_agg(id ORDER BY id) FROM users
             WHERE search_grams(search) @@ search_query(part) AND strpos(search, part) > 0))");
  for (std::size_t row = 0; row < differences.size(); ++row)
    ADD_FAILURE() << '"' << differences.text(row, 0) << '"';
}

TEST_F(PostgresSchemaTest, TheIndexIsUsedForKeywordsOfAnyLength) {
  db_.execute("SET enable_seqscan = off");
  for (const char* keyword : {"a", "志明", "example"}) {
    const auto plan = db_.run(std::string{"EXPLAIN SELECT id FROM users WHERE search_grams(search)"
                                          " @@ search_query('"} +
                              keyword + "')");
    std::string text;
    for (std::size_t row = 0; row < plan.size(); ++row) text += plan.text(row, 0);
    EXPECT_THAT(text, ::testing::HasSubstr("Bitmap Index Scan on users_search")) << keyword;
  }
}

TEST_F(PostgresSchemaTest, ManyRowsOfOneTransactionBecomeOneNoteForEverything) {
  db_.execute(
      "INSERT INTO users (email) SELECT 'many' || i || '@x.org' FROM generate_series(1, 20000) i");
  EXPECT_EQ(db_.integer("SELECT count(*) FROM user_changes WHERE ckey IS NULL"), 1);
  EXPECT_LE(db_.integer("SELECT count(*) FROM user_changes"), 5001);
  EXPECT_GE(db_.integer("SELECT count(*) FROM user_changes"), 4990);
  // The next transaction starts without it.
  taken_changes(db_);
  db_.execute("UPDATE users SET first_name = 'x' WHERE id = 1");
  EXPECT_EQ(taken_changes(db_), "user:1");
}

TEST_F(PostgresSchemaTest, ASavepointThatIsRolledBackTakesItsPartOfTheCountAlong) {
  db_.execute(
      "BEGIN; SAVEPOINT many;"
      "INSERT INTO users (email) SELECT 'many' || i || '@x.org' FROM generate_series(1, 9000) i;"
      "ROLLBACK TO many; UPDATE users SET first_name = 'x' WHERE id = 1; COMMIT");
  EXPECT_EQ(taken_changes(db_), "user:1");
}

class PostgresPurgeTest : public PostgresSchemaTest {
 protected:
  std::int64_t purge() { return db_.integer("SELECT purged FROM purge_changes(1000, NULL, NULL)"); }
  bool mark() { return db_.text("SELECT take_snapshot_mark()") == "t"; }
  void change() { db_.execute("UPDATE users SET used_usd = used_usd + 1"); }
  std::int64_t changes() { return db_.integer("SELECT count(*) FROM user_changes"); }
};

TEST_F(PostgresPurgeTest, WithoutAMarkNothingIsRemoved) {
  change();
  EXPECT_EQ(purge(), 0);
  EXPECT_EQ(changes(), 1);
}

TEST_F(PostgresPurgeTest, OnlyWhatTheOldestMarkSeesIsRemoved) {
  change();
  auto other = database_.session();
  other.execute("BEGIN; UPDATE users SET last_name = 'open'; SAVEPOINT s");
  auto third = database_.session();
  third.execute("INSERT INTO users (email) VALUES ('third@x.org')");  // after the open one
  EXPECT_TRUE(mark());
  EXPECT_FALSE(mark()) << "one a minute";
  third.execute("UPDATE users SET used_usd = 5 WHERE id = 2");  // after the mark
  EXPECT_EQ(purge(), 3) << "an open transaction holds nothing back but its own";
  other.execute("COMMIT");
  EXPECT_EQ(purge(), 0);
  EXPECT_EQ(taken_changes(db_), "user:1 user:2");
}

TEST_F(PostgresPurgeTest, ItGoesInSmallSteps) {
  for (int i = 0; i < 5; ++i) change();
  mark();
  EXPECT_EQ(db_.integer("SELECT purged FROM purge_changes(2, NULL, NULL)"), 2);
  EXPECT_EQ(db_.integer("SELECT purged FROM purge_changes(2, NULL, NULL)"), 2);
  EXPECT_EQ(db_.integer("SELECT purged FROM purge_changes(2, NULL, NULL)"), 1);
}

TEST_F(PostgresPurgeTest, OldMarksAndThoseOfOtherNamespacesGoButTheNewestStays) {
  mark();
  db_.execute("UPDATE snapshot_marks SET taken_at = taken_at - interval '1 hour'");
  purge();
  EXPECT_EQ(db_.integer("SELECT count(*) FROM snapshot_marks"), 1);
  EXPECT_TRUE(mark());
  purge();
  EXPECT_EQ(db_.integer("SELECT count(*) FROM snapshot_marks"), 1);
  db_.execute("UPDATE snapshot_marks SET tau = 'another'");
  purge();
  EXPECT_EQ(db_.integer("SELECT count(*) FROM snapshot_marks"), 0);
}

TEST_F(PostgresPurgeTest, ChangesOfAClusterThatWasFurtherAreRemoved) {
  mark();
  db_.execute("INSERT INTO user_changes (xid, ckey) VALUES ('9000000000000', 'user:1')");
  EXPECT_EQ(purge(), 1);
}

}  // namespace
}  // namespace um
