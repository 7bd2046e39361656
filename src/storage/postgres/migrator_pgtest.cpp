#include <set>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "storage/migration.hpp"
#include "storage/postgres/migrator.hpp"
#include "support/postgres_database.hpp"

namespace um {
namespace {

using namespace std::chrono_literals;
using test::TestDatabase;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

PostgresMigrator migrator_of(const std::string& url, std::optional<CacheTimes> times = {}) {
  return PostgresMigrator{{.url = Secret{url}, .times = times}};
}

class PostgresMigratorTest : public ::testing::Test {
 protected:
  std::int64_t relations() {
    return db_.session().integer(
        "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace");
  }
  const TestDatabase db_{TestDatabase::Content::empty};
  const PostgresMigrator migrator_ = migrator_of(db_.url());
};

TEST(PostgresMigrations, AreNumberedWithoutAGap) {
  int number = 0;
  for (const Migration& migration : postgres_schema::migrations()) {
    EXPECT_EQ(migration.number, ++number);
    EXPECT_EQ(migration.sha256.size(), 64U);
    EXPECT_FALSE(migration.sql.empty());
  }
  EXPECT_GT(number, 0);
}

TEST_F(PostgresMigratorTest, AskingWhatIsPendingChangesNothing) {
  const auto plan = migrator_.pending();
  ASSERT_TRUE(plan) << plan.error().detail;
  EXPECT_EQ(plan->pending.size(), postgres_schema::migrations().size());
  EXPECT_EQ(plan->pending.front(), "0001_users");
  EXPECT_EQ(relations(), 0);
}

// Builds from before 2026-11-29 had one migration with the schema of today's first five.
TEST_F(PostgresMigratorTest, ADatabaseOfTheUndividedMigrationIsUpToDate) {
  auto db = db_.session();
  db.execute(
      "CREATE TABLE schema_migrations (number integer PRIMARY KEY, name text, sha256 text,"
      " applied_at timestamptz DEFAULT now())");
  for (const Migration& migration : postgres_schema::migrations().first(5))
    db.execute(std::string{migration.sql});
  db.execute(
      "INSERT INTO schema_migrations (number, name, sha256) VALUES (1, '0001_initial',"
      " 'cbd5ef565e73abb636d24cdf1b12fb0a70383bb36e67d34af1dbd153ed3fadd1')");
  const auto pending = migrator_.pending();
  ASSERT_TRUE(pending) << pending.error().detail;
  EXPECT_EQ(pending->pending.size(), postgres_schema::migrations().size() - 5);
  EXPECT_TRUE(migrator_.apply(Misfits::refuse));
  EXPECT_EQ(db_.session().text("SELECT string_agg(name, ' ' ORDER BY number)"
                               " FROM schema_migrations WHERE number <= 5"),
            "0001_users 0002_attempts 0003_change_feed 0004_cache 0005_purge");
  EXPECT_TRUE(migrator_.pending()->empty());
}

TEST_F(PostgresMigratorTest, AppliesOnceAndThenNothing) {
  const auto first = migrator_.apply(Misfits::refuse);
  ASSERT_TRUE(first) << first.error().detail;
  EXPECT_EQ(first->pending.size(), postgres_schema::migrations().size());
  EXPECT_TRUE(migrator_.pending()->empty());
  EXPECT_TRUE(migrator_.apply(Misfits::refuse)->empty());
  EXPECT_EQ(db_.session().integer("SELECT count(*) FROM schema_migrations"),
            std::ssize(postgres_schema::migrations()));
}

TEST_F(PostgresMigratorTest, OfTwoAtOnceOneDoesItAndTheOtherFindsNothingToDo) {
  std::array<std::optional<Result<MigrationPlan>>, 4> plans;
  {
    std::vector<std::jthread> threads;
    for (auto& plan : plans) threads.emplace_back([&] { plan = migrator_.apply(Misfits::refuse); });
  }
  int did_it = 0;
  for (const auto& plan : plans) {
    ASSERT_TRUE(*plan) << (*plan).error().detail;
    did_it += (*plan)->empty() ? 0 : 1;
  }
  EXPECT_EQ(did_it, 1);
}

TEST_F(PostgresMigratorTest, WhatFailsHalfWayLeavesNothing) {
  db_.session().execute("CREATE TABLE snapshot_marks (x int)");  // of another program
  const auto plan = migrator_.apply(Misfits::refuse);
  ASSERT_FALSE(plan);
  EXPECT_EQ(plan.error().code, ErrorCode::invalid);
  EXPECT_THAT(plan.error().detail, HasSubstr("snapshot_marks"));
  EXPECT_EQ(relations(), 1);
}

TEST_F(PostgresMigratorTest, AMigrationThatWasChangedIsRefused) {
  ASSERT_TRUE(migrator_.apply(Misfits::refuse));
  db_.session().execute("UPDATE schema_migrations SET sha256 = 'other' WHERE number = 1");
  for (const auto& plan : {migrator_.pending(), migrator_.apply(Misfits::refuse)}) {
    ASSERT_FALSE(plan);
    EXPECT_EQ(plan.error().code, ErrorCode::invalid);
    EXPECT_THAT(plan.error().detail, HasSubstr("0001_users"));
  }
}

TEST_F(PostgresMigratorTest, ANewerSchemaIsRefused) {
  ASSERT_TRUE(migrator_.apply(Misfits::refuse));
  db_.session().execute(
      "INSERT INTO schema_migrations (number, name, sha256) VALUES (9999, '9999_future', 'x')");
  const auto plan = migrator_.apply(Misfits::refuse);
  ASSERT_FALSE(plan);
  EXPECT_EQ(plan.error().code, ErrorCode::invalid);
  EXPECT_THAT(plan.error().detail, HasSubstr("9999_future"));
}

TEST_F(PostgresMigratorTest, ATableUsersOfAnotherProgramIsLeftAlone) {
  db_.session().execute("CREATE TABLE users (name text); INSERT INTO users VALUES ('x')");
  const auto plan = migrator_.apply(Misfits::quarantine);
  ASSERT_FALSE(plan);
  EXPECT_EQ(plan.error().code, ErrorCode::invalid);
  EXPECT_EQ(db_.session().integer("SELECT count(*) FROM users"), 1);
}

TEST_F(PostgresMigratorTest, OtherTablesOfTheDatabaseAreNoHindrance) {
  db_.session().execute("CREATE TABLE invoices (id int)");
  EXPECT_TRUE(migrator_.apply(Misfits::refuse));
}

TEST_F(PostgresMigratorTest, AnEncodingOtherThanUtf8IsRefused) {
  auto admin = db_.admin();
  const std::string name = db_.name() + "_latin";
  admin.execute("CREATE DATABASE " + name +
                " ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0 OWNER um_owner");
  std::string url = db_.url();
  url.replace(url.rfind(db_.name()), std::string::npos, name);
  for (const auto& plan : {migrator_of(url).pending(), migrator_of(url).apply(Misfits::refuse)}) {
    ASSERT_FALSE(plan);
    EXPECT_EQ(plan.error().code, ErrorCode::invalid);
    EXPECT_THAT(plan.error().detail, HasSubstr("LATIN1"));
  }
  admin.execute("DROP DATABASE " + name);
}

TEST_F(PostgresMigratorTest, ARoleThatMayNotIsToldSo) {
  db_.admin().execute("DROP ROLE IF EXISTS um_stranger; CREATE ROLE um_stranger LOGIN");
  const auto plan = migrator_of(db_.url_as("um_stranger")).apply(Misfits::refuse);
  ASSERT_FALSE(plan);
  EXPECT_EQ(plan.error().code, ErrorCode::unavailable);
  EXPECT_THAT(plan.error().detail, HasSubstr("permission denied for schema public"));
}

TEST_F(PostgresMigratorTest, AServerThatIsNotThereIsAClearErrorWithoutThePassword) {
  const auto plan =
      migrator_of("postgresql://joe:hunter2@127.0.0.1:1/users").apply(Misfits::refuse);
  ASSERT_FALSE(plan);
  EXPECT_EQ(plan.error().code, ErrorCode::unavailable);
  EXPECT_THAT(plan.error().detail, HasSubstr("127.0.0.1"));
  EXPECT_THAT(plan.error().detail, ::testing::Not(HasSubstr("hunter2")));
}

TEST_F(PostgresMigratorTest, TheTimesOfTheDeploymentAreStored) {
  ASSERT_TRUE(migrator_.apply(Misfits::refuse));
  EXPECT_EQ(read_cache_times(Secret{db_.url()}), CacheTimes{});
  const CacheTimes slower{
      .mode = Consistency::bounded, .staleness_bound = 2s, .change_retention = 1h};
  const auto other = migrator_of(db_.url(), slower);
  EXPECT_THAT(other.pending()->settings,
              ElementsAre("consistency: strict -> bounded", "staleness-bound: 500 ms -> 2000 ms",
                          "change-retention: 900000 ms -> 3600000 ms"));
  ASSERT_TRUE(other.apply(Misfits::refuse));
  EXPECT_EQ(read_cache_times(Secret{db_.url()}), slower);
  EXPECT_TRUE(other.pending()->empty());
  // A migration without times keeps the stored ones.
  EXPECT_TRUE(migrator_.apply(Misfits::refuse)->empty());
  EXPECT_EQ(read_cache_times(Secret{db_.url()}), slower);
}

// Leases of the former times may be alive when nobody is registered, and no namespace comes again.
TEST_F(PostgresMigratorTest, OtherTimesBeginANewEpochAndTheLongestBoundIsKept) {
  ASSERT_TRUE(migrator_.apply(Misfits::refuse));
  auto db = db_.session();
  std::set<std::int64_t> epochs{db.integer("SELECT epoch FROM cache_settings")};
  for (const auto bound : {900ms, 300ms, 400ms}) {
    ASSERT_TRUE(
        migrator_of(db_.url(), CacheTimes{.staleness_bound = bound}).apply(Misfits::refuse));
    epochs.insert(db.integer("SELECT epoch FROM cache_settings"));
  }
  EXPECT_EQ(epochs.size(), 4U);
  EXPECT_EQ(db.integer("SELECT former_staleness_bound_ms FROM cache_settings"), 900);
}

TEST_F(PostgresMigratorTest, ABoundThatIsTooLongForStrictWritesIsRefused) {
  const auto refused =
      migrator_of(db_.url(), CacheTimes{.staleness_bound = 2s}).apply(Misfits::refuse);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::invalid);
  EXPECT_EQ(relations(), 0);
}

TEST_F(PostgresMigratorTest, WhileAnInstanceRunsTheTimesStayAsTheyAre) {
  ASSERT_TRUE(migrator_.apply(Misfits::refuse));
  std::atomic<bool> stop{false};
  std::thread instance{[&] {
    auto db = db_.session();
    db.text("SELECT join_instances(gen_random_uuid(), NULL, 1, 'host:8080')");
    while (!stop) db.execute("UPDATE cache_instances SET refreshes = refreshes + 1");
  }};
  auto db = db_.session();
  while (db.integer("SELECT count(*) FROM cache_instances") == 0) {
  }
  const auto refused =
      migrator_of(db_.url(), CacheTimes{.staleness_bound = 300ms}).apply(Misfits::refuse);
  stop = true;
  instance.join();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::conflict);
  EXPECT_THAT(refused.error().detail, HasSubstr("host:8080"));
  EXPECT_EQ(read_cache_times(Secret{db_.url()}), CacheTimes{});
}

TEST_F(PostgresMigratorTest, TheTimesOfANewDatabaseAreTheOnesGiven) {
  const CacheTimes times{.staleness_bound = 300ms};
  const auto migrator = migrator_of(db_.url(), times);
  EXPECT_THAT(migrator.pending()->settings, IsEmpty());
  ASSERT_TRUE(migrator.apply(Misfits::refuse));
  EXPECT_EQ(read_cache_times(Secret{db_.url()}), times);
}

TEST_F(PostgresMigratorTest, ADatabaseWithoutTheSchemaHasNoTimes) {
  const auto times = read_cache_times(Secret{db_.url()});
  ASSERT_FALSE(times);
  EXPECT_EQ(times.error().code, ErrorCode::invalid);
}

TEST_F(PostgresMigratorTest, EveryDatabaseHasAKeyOfItsOwn) {
  ASSERT_TRUE(migrator_.apply(Misfits::refuse));
  const TestDatabase other{TestDatabase::Content::empty};
  ASSERT_TRUE(migrator_of(other.url()).apply(Misfits::refuse));
  const auto key = [](const TestDatabase& db) {
    return db.session().text("SELECT encode(mac_key, 'hex') FROM cache_settings");
  };
  EXPECT_EQ(key(db_).size(), 64U);
  EXPECT_NE(key(db_), key(other));
}

TEST_F(PostgresMigratorTest, OnlyASuperuserGetsTheEventTrigger) {
  ASSERT_TRUE(migrator_.apply(Misfits::refuse));
  const TestDatabase other{TestDatabase::Content::empty};
  ASSERT_TRUE(migrator_of(other.url_as("postgres")).apply(Misfits::refuse));
  const auto event_triggers = [](const TestDatabase& db) {
    return db.session().integer("SELECT count(*) FROM pg_event_trigger WHERE evtenabled = 'A'");
  };
  EXPECT_EQ(event_triggers(db_), 0);
  EXPECT_EQ(event_triggers(other), 1);
}

}  // namespace
}  // namespace um
