#include "storage/sqlite/adoption.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "storage/sqlite/migrator.hpp"
#include "storage/sqlite/storage.hpp"
#include "support/run_task.hpp"
#include "support/temp_directory.hpp"

namespace um {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class SqliteAdoptionTest : public ::testing::Test {
 protected:
  static constexpr const char* kGoTable =
      "CREATE TABLE users (id INTEGER PRIMARY KEY AUTOINCREMENT, first_name TEXT, last_name TEXT,"
      " email TEXT, password TEXT); CREATE INDEX users_email ON users (email);";
  static constexpr const char* kGoodRows =
      "INSERT INTO users VALUES (1, 'Grace', 'Кузнецов', 'User1@Example.com', '$2a$10$one');"
      "INSERT INTO users VALUES (7, NULL, NULL, 'user7@example.com', NULL);";
  static constexpr const char* kBadRows =
      "INSERT INTO users VALUES (8, 'a', 'b', 'USER1@example.com', 'x');"
      "INSERT INTO users VALUES (9, 'a', 'b', '', 'x');"
      "INSERT INTO users VALUES (10, 'a', 'b', NULL, 'x');"
      "INSERT INTO users VALUES (11, 'a', 'b', 'no address', 'x');"
      "INSERT INTO users VALUES (-3, 'a', 'b', 'minus@example.com', 'x');"
      "INSERT INTO users VALUES (12, CAST(x'ff' AS TEXT), 'b', 'utf@example.com', 'x');";

  void prepare(std::initializer_list<const char*> statements) {
    sqlite::Connection db{{.file = file_}};
    for (const char* sql : statements) db.execute(sql);
  }
  std::int64_t integer(const char* sql) {
    sqlite::Connection db{{.file = file_}};
    return db.integer(sql);
  }
  std::unique_ptr<Storage> open() {
    auto storage = open_sqlite({.file = file_, .clock = &clock_});
    if (!storage) throw std::runtime_error(storage.error().detail);
    return std::move(*storage);
  }
  const test::TempDirectory directory_;
  const std::filesystem::path file_ = directory_.path() / "users.db";
  const ManualClock clock_;
  const SqliteMigrator migrator_{{.file = file_, .clock = &clock_}};
};

TEST_F(SqliteAdoptionTest, EveryRowIsTakenOverWithItsIdAndItsPassword) {
  prepare({kGoTable, kGoodRows});
  const auto plan = migrator_.apply(Misfits::refuse);
  ASSERT_TRUE(plan) << plan.error().detail;
  EXPECT_TRUE(plan->adoption);
  EXPECT_EQ(plan->rows_to_adopt, 2);
  const auto storage = open();
  const auto grace =
      test::run(storage->users().credentials(*Email::parse("user1@example.com"), {}));
  ASSERT_TRUE(grace && *grace);
  EXPECT_EQ((*grace)->user->user.id.value(), 1);
  EXPECT_EQ((*grace)->user->user.last_name, "Кузнецов");
  EXPECT_EQ((*grace)->user->user.email.text(), "User1@Example.com");
  EXPECT_EQ((*grace)->password_hash, Secret{"$2a$10$one"});
  const auto seven = test::run(storage->users().credentials(*UserId::from(7), {}));
  EXPECT_EQ((*seven)->user->user.first_name, "");
  EXPECT_TRUE((*seven)->password_hash.empty());
  EXPECT_EQ(test::run(storage->users().search("кузн", {}, {}))->size(), 1U);
  EXPECT_EQ(integer("SELECT count(*) FROM sqlite_master WHERE name LIKE '%adoption%'"), 0);
}

TEST_F(SqliteAdoptionTest, RowsThatDoNotFitAreListedAndNothingIsChanged) {
  prepare({kGoTable, kGoodRows, kBadRows});
  const auto plan = migrator_.pending();
  ASSERT_TRUE(plan);
  EXPECT_EQ(plan->rows_to_adopt, 8);
  std::vector<std::string> listed;
  for (const MisfitRow& row : plan->misfits)
    listed.push_back(row.id.value_or("null") + ": " + row.reason);
  EXPECT_THAT(
      listed,
      ElementsAre("-3: the id is not a positive number", "8: the same e-mail address as user 1",
                  "9: the e-mail address is empty", "10: the e-mail address is null",
                  "11: the e-mail address is not valid", "12: a name is not valid UTF-8"));
  const auto refused = migrator_.apply(Misfits::refuse);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::conflict);
  EXPECT_THAT(refused.error().detail, HasSubstr("6 rows"));
  EXPECT_EQ(integer("SELECT count(*) FROM users"), 8);
  EXPECT_EQ(integer("SELECT count(*) FROM sqlite_master WHERE name = 'users_email'"), 1);
  EXPECT_EQ(integer("SELECT count(*) FROM sqlite_master WHERE name = 'schema_migrations'"), 0);
  const auto not_opened = open_sqlite({.file = file_, .clock = &clock_});
  EXPECT_EQ(not_opened.error().code, ErrorCode::conflict);
}

TEST_F(SqliteAdoptionTest, QuarantineMovesThemAsTheyWere) {
  prepare({kGoTable, kGoodRows, kBadRows});
  const auto plan = migrator_.apply(Misfits::quarantine);
  ASSERT_TRUE(plan) << plan.error().detail;
  EXPECT_THAT(plan->misfits, SizeIs(6));
  EXPECT_EQ(integer("SELECT count(*) FROM users"), 2);
  EXPECT_EQ(integer("SELECT count(*) FROM users_quarantine"), 6);
  EXPECT_EQ(integer("SELECT id FROM users_quarantine WHERE email = 'USER1@example.com'"
                    " AND password = 'x' AND reason LIKE 'the same%'"),
            8);
}

TEST_F(SqliteAdoptionTest, NoIdThatWasEverUsedIsGivenAgain) {
  prepare({kGoTable, kGoodRows, kBadRows,
           "INSERT INTO users VALUES (500, 'x', 'y', 'gone@example.com', 'x');"
           "DELETE FROM users WHERE id = 500"});
  ASSERT_TRUE(migrator_.apply(Misfits::quarantine));
  const auto user =
      test::run(open()->users().insert({.email = *Email::parse("new@example.com")}, {}));
  ASSERT_TRUE(user);
  EXPECT_EQ((*user)->user.id.value(), 501);
}

TEST_F(SqliteAdoptionTest, AnEmptyTableIsAdoptedToo) {
  prepare({kGoTable});
  const auto plan = migrator_.apply(Misfits::refuse);
  ASSERT_TRUE(plan) << plan.error().detail;
  EXPECT_TRUE(plan->adoption);
  const auto user =
      test::run(open()->users().insert({.email = *Email::parse("new@example.com")}, {}));
  EXPECT_EQ((*user)->user.id.value(), 1);
}

TEST_F(SqliteAdoptionTest, IdsThatAreNoNumbersOrDoubledAreMisfits) {
  prepare({"CREATE TABLE users (id, first_name, last_name, email, password)",
           "INSERT INTO users VALUES ('seven', 'a', 'b', 'a@x.org', 'p')",
           "INSERT INTO users VALUES (NULL, 'a', 'b', 'b@x.org', 'p')",
           "INSERT INTO users VALUES (5, 'a', 'b', 'c@x.org', 'p')",
           "INSERT INTO users VALUES (5, 'a', 'b', 'd@x.org', 'p')",
           "INSERT INTO users VALUES (9223372036854775807, 'a', 'b', 'e@x.org', 'p')"});
  const auto plan = migrator_.apply(Misfits::quarantine);
  ASSERT_TRUE(plan) << plan.error().detail;
  EXPECT_THAT(plan->misfits, SizeIs(4));
  EXPECT_EQ(integer("SELECT count(*) FROM users"), 1);
  EXPECT_EQ(integer("SELECT count(*) FROM users_quarantine"), 4);
}

TEST_F(SqliteAdoptionTest, NamesWithANulAreMisfits) {
  prepare({kGoTable, kGoodRows,
           "INSERT INTO users VALUES (8, 'a' || char(0) || 'b', '', 'first@x.org', 'p');"
           "INSERT INTO users VALUES (9, '', char(0), 'last@x.org', 'p');"
           "INSERT INTO users VALUES (10, CAST(x'4100' AS BLOB), '', 'blob@x.org', 'p');"});
  const auto plan = migrator_.apply(Misfits::quarantine);
  ASSERT_TRUE(plan) << plan.error().detail;
  ASSERT_THAT(plan->misfits, SizeIs(3));
  for (const MisfitRow& row : plan->misfits)
    EXPECT_EQ(row.reason, "a name has the character U+0000");
  EXPECT_EQ(integer("SELECT count(*) FROM users"), 2);
  EXPECT_EQ(integer("SELECT length(CAST(first_name AS BLOB)) FROM users_quarantine WHERE id = 8"),
            3);
}

TEST_F(SqliteAdoptionTest, ATableWithMoreColumnsIsKeptBesideTheNewOne) {
  prepare(
      {"CREATE TABLE users (id INTEGER PRIMARY KEY, first_name TEXT, last_name TEXT, email TEXT,"
       " password TEXT, shoe_size TEXT)",
       "INSERT INTO users VALUES (1, 'a', 'b', 'a@x.org', 'p', '43')"});
  ASSERT_TRUE(migrator_.apply(Misfits::refuse));
  EXPECT_EQ(integer("SELECT count(*) FROM users"), 1);
  EXPECT_EQ(integer("SELECT shoe_size FROM users_before_adoption"), 43);
}

}  // namespace
}  // namespace um
