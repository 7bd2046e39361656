#include <crypt.h>
#include <fstream>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "storage/postgres/adoption.hpp"
#include "storage/postgres/migrator.hpp"
#include "support/postgres_database.hpp"
#include "user/email.hpp"

namespace um {
namespace {

using test::TestDatabase;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

constexpr const char* kGoTable =
    "CREATE TABLE users (id serial PRIMARY KEY, first_name text, last_name text, email text,"
    " password text); CREATE INDEX users_email ON users (email);";
constexpr const char* kGoodRows =
    "INSERT INTO users VALUES (1, 'Grace', 'Кузнецов', 'User1@Example.com', '$2a$10$one');"
    "INSERT INTO users VALUES (7, NULL, NULL, 'user7@example.com', NULL);";
constexpr const char* kBadRows =
    "INSERT INTO users VALUES (8, 'a', 'b', 'USER1@example.com', 'x');"
    "INSERT INTO users VALUES (9, 'a', 'b', '', 'x');"
    "INSERT INTO users VALUES (10, 'a', 'b', NULL, 'x');"
    "INSERT INTO users VALUES (11, 'a', 'b', 'no address', 'x');"
    "INSERT INTO users VALUES (-3, 'a', 'b', 'minus@example.com', 'x');"
    "INSERT INTO users VALUES (12, 'a', 'b', E'bell\\u0007@example.com', 'x');"
    "INSERT INTO users VALUES (13, 'a', 'b', E'nbsp\\u00a0@example.com', 'x');"
    "INSERT INTO users VALUES (14, 'a', 'b', repeat('a', 243) || '@example.com', 'x');"
    "INSERT INTO users VALUES (15, 'a', 'b', 'two@at@example.com', 'x');";

class PostgresAdoptionTest : public ::testing::Test {
 protected:
  void prepare(std::initializer_list<std::string> scripts) {
    auto session = db_.session();
    for (const std::string& script : scripts) session.execute(script);
  }
  std::int64_t integer(const std::string& sql) { return db_.session().integer(sql); }
  std::string text(const std::string& sql) { return db_.session().text(sql); }

  const TestDatabase db_{TestDatabase::Content::empty};
  const PostgresMigrator migrator_{{.url = Secret{db_.url()}}};
};

TEST_F(PostgresAdoptionTest, EveryRowIsTakenOverWithItsIdAndItsPassword) {
  prepare({kGoTable, kGoodRows});
  const auto plan = migrator_.apply(Misfits::refuse);
  ASSERT_TRUE(plan) << plan.error().detail;
  EXPECT_TRUE(plan->adoption);
  EXPECT_EQ(plan->rows_to_adopt, 2);
  EXPECT_EQ(text("SELECT concat_ws('|', email, email_folded, first_name, last_name, password_hash,"
                 " role, is_active) FROM users WHERE id = 1"),
            "User1@Example.com|user1@example.com|Grace|Кузнецов|$2a$10$one|user|t");
  EXPECT_EQ(text("SELECT search FROM users WHERE id = 1"),
            "grace\x1fкузнецов\x1fuser1@example.com\x1f\x1f");
  EXPECT_EQ(text("SELECT first_name || last_name || password_hash FROM users WHERE id = 7"), "");
  EXPECT_EQ(integer("SELECT count(DISTINCT version) + count(DISTINCT auth_epoch) FROM users"), 4);
  EXPECT_EQ(integer("SELECT count(*) FROM pg_namespace WHERE nspname = 'user_manager_adopted'"), 0);
  EXPECT_TRUE(migrator_.pending()->empty());
}

TEST_F(PostgresAdoptionTest, RowsThatDoNotFitAreListedAndNothingIsChanged) {
  prepare({kGoTable, kGoodRows, kBadRows});
  const auto plan = migrator_.pending();
  ASSERT_TRUE(plan) << plan.error().detail;
  EXPECT_EQ(plan->rows_to_adopt, 11);
  std::vector<std::string> listed;
  for (const MisfitRow& row : plan->misfits)
    listed.push_back(row.id.value_or("null") + ": " + row.reason);
  EXPECT_THAT(
      listed,
      ElementsAre("-3: the id is not a positive number", "8: the same e-mail address as user 1",
                  "9: the e-mail address is empty", "10: the e-mail address is null",
                  "11: the e-mail address is not valid", "12: the e-mail address is not valid",
                  "13: the e-mail address is not valid", "14: the e-mail address is not valid",
                  "15: the e-mail address is not valid"));
  EXPECT_EQ(plan->misfits.at(5).email, "bell\a@example.com");
  const auto refused = migrator_.apply(Misfits::refuse);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::conflict);
  EXPECT_THAT(refused.error().detail, HasSubstr("9 rows"));
  EXPECT_EQ(integer("SELECT count(*) FROM users"), 11);
  EXPECT_EQ(integer("SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace"),
            4);  // the table, its sequence and its two indexes
}

TEST_F(PostgresAdoptionTest, QuarantineMovesThemAsTheyWere) {
  prepare({kGoTable, kGoodRows, kBadRows});
  const auto plan = migrator_.apply(Misfits::quarantine);
  ASSERT_TRUE(plan) << plan.error().detail;
  EXPECT_THAT(plan->misfits, SizeIs(9));
  EXPECT_EQ(integer("SELECT count(*) FROM users"), 2);
  EXPECT_EQ(integer("SELECT count(*) FROM users_quarantine"), 9);
  EXPECT_EQ(text("SELECT concat_ws('|', id, first_name, last_name, password, reason)"
                 " FROM users_quarantine WHERE email = 'USER1@example.com'"),
            "8|a|b|x|the same e-mail address as user 1");
}

// If only one of the two accepted a value, a row could not be read, or an adoption would stop half
// way.
TEST_F(PostgresAdoptionTest, TheProgramAndTheSchemaAgreeOnEveryAddress) {
  ASSERT_TRUE(migrator_.apply(Misfits::refuse));
  auto session = db_.session();
  std::vector<std::string> addresses{"",     "@",      "a@",        "@b",     "a@b",
                                     "a@@b", "a@b@c",  "a b@c",     "a\tb@c", "a@b\n",
                                     "ы@ю",  "😀@x.y", "a\u200b@b", "\"@b",   "'@b"};
  for (char32_t c = 1; c < 0x3100; ++c) {
    if (c > 0x100 && (c < 0x1600 || c > 0x1700) && (c < 0x1ff0 || c > 0x2070) && c < 0x2ff0)
      continue;
    std::string text = session.text("SELECT chr($1)", {static_cast<int>(c)});
    addresses.push_back(text + "a@b");
    addresses.push_back("a@b" + text);
  }
  for (const std::size_t bytes : {254U, 255U}) {
    addresses.push_back(std::string(bytes - 3, 'a') + "@bc");
    addresses.push_back(std::string(bytes - 4, 'a') + "@\u00e9c");
  }
  for (const std::string& address : addresses) {
    bool stored = true;
    try {
      session.run("INSERT INTO users (email) VALUES ($1) ON CONFLICT DO NOTHING", {address});
    } catch (const PostgresError& error) {
      ASSERT_EQ(error.failure().constraint, "users_email_form") << error.what();
      stored = false;
    }
    EXPECT_EQ(stored, Email::parse(address).has_value()) << '"' << address << '"';
  }
}

TEST_F(PostgresAdoptionTest, NoIdThatWasEverUsedIsGivenAgain) {
  prepare({kGoTable, kGoodRows, kBadRows, "SELECT setval('users_id_seq', 500)"});
  ASSERT_TRUE(migrator_.apply(Misfits::quarantine));
  EXPECT_EQ(integer("INSERT INTO users (email) VALUES ('new@example.com') RETURNING id"), 501);
}

TEST_F(PostgresAdoptionTest, AnEmptyTableIsAdoptedToo) {
  prepare({kGoTable});
  const auto plan = migrator_.apply(Misfits::refuse);
  ASSERT_TRUE(plan) << plan.error().detail;
  EXPECT_TRUE(plan->adoption);
  EXPECT_EQ(integer("INSERT INTO users (email) VALUES ('new@example.com') RETURNING id"), 1);
}

TEST_F(PostgresAdoptionTest, IdsThatAreNoNumbersOrDoubledAreMisfits) {
  prepare(
      {"CREATE TABLE users (id text, first_name text, last_name text, email text,"
       " password text)",
       "INSERT INTO users VALUES ('seven', 'a', 'b', 'a@x.org', 'p'),"
       " (NULL, 'a', 'b', 'b@x.org', 'p'), ('5', 'a', 'b', 'c@x.org', 'p'),"
       " ('5', 'a', 'b', 'd@x.org', 'p'), ('9223372036854775807', 'a', 'b', 'e@x.org', 'p')"});
  const auto plan = migrator_.apply(Misfits::quarantine);
  ASSERT_TRUE(plan) << plan.error().detail;
  EXPECT_THAT(plan->misfits, SizeIs(4));
  EXPECT_EQ(integer("SELECT id FROM users"), 5);
  EXPECT_EQ(integer("SELECT count(*) FROM users_quarantine"), 4);
  EXPECT_EQ(integer("INSERT INTO users (email) VALUES ('new@example.com') RETURNING id"), 6);
}

TEST_F(PostgresAdoptionTest, ATableWithMoreColumnsIsKeptBesideTheNewOne) {
  prepare(
      {"CREATE TABLE users (id bigserial PRIMARY KEY, first_name text, last_name text,"
       " email varchar(300), password text, shoe_size text)",
       "INSERT INTO users VALUES (1, 'a', 'b', 'a@x.org', 'p', '43')"});
  ASSERT_TRUE(migrator_.apply(Misfits::refuse));
  EXPECT_EQ(integer("SELECT count(*) FROM users"), 1);
  EXPECT_EQ(text("SELECT shoe_size FROM user_manager_adopted.users"), "43");
}

TEST_F(PostgresAdoptionTest, ViewsAndForeignKeysOnTheTableStopIt) {
  prepare({kGoTable, kGoodRows, "CREATE VIEW people AS SELECT email FROM users",
           "CREATE TABLE orders (buyer int CONSTRAINT buyer_exists REFERENCES users)"});
  const auto refused = migrator_.apply(Misfits::quarantine);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::conflict);
  EXPECT_THAT(refused.error().detail, HasSubstr("the view public.people"));
  EXPECT_THAT(refused.error().detail, HasSubstr("the foreign key buyer_exists of public.orders"));
  EXPECT_EQ(integer("SELECT count(*) FROM people"), 2);
}

TEST_F(PostgresAdoptionTest, ManyRowsGoInBatches) {
  prepare({kGoTable,
           "INSERT INTO users (first_name, last_name, email, password)"
           " SELECT 'First' || i, 'Last', 'user' || i || '@example.com', 'hash' || i"
           " FROM generate_series(1, 2501) AS i"});
  ASSERT_TRUE(migrator_.apply(Misfits::refuse));
  EXPECT_EQ(integer("SELECT count(*) FROM users WHERE password_hash = 'hash' || id"
                    " AND email = 'user' || id || '@example.com'"),
            2501);
}

bool verifies(const std::string& hash, const std::string& password) {
  crypt_data data{};
  const char* made = ::crypt_r(password.c_str(), hash.c_str(), &data);
  return made != nullptr && hash == made;
}

// The dump is not part of the project. The test looks for it in the directory UM_TEST_DATA; without
// that variable in ../shared/data, relative to the checkout.
TEST(GoProgramsDump, IsAdoptedAndItsUsersCanSignIn) {
  const char* folder = std::getenv("UM_TEST_DATA");
  const std::filesystem::path file =
      (folder != nullptr ? std::filesystem::path{folder}
                         : std::filesystem::path{UM_SOURCE_DIR}.parent_path() / "shared" / "data") /
      "go-users.sql";
  std::ifstream stream{file};
  if (!stream) GTEST_SKIP() << "THE DUMP OF THE GO PROGRAM IS NOT TESTED: there is no " << file;
  std::stringstream dump;
  dump << stream.rdbuf();

  const TestDatabase db{TestDatabase::Content::empty};
  test::psql(db.url(), dump.str());
  auto session = db.session();
  session.execute("CREATE TABLE before AS SELECT * FROM users");
  const PostgresMigrator migrator{{.url = Secret{db.url()}}};
  const auto plan = migrator.apply(Misfits::refuse);
  ASSERT_TRUE(plan) << plan.error().detail;
  EXPECT_EQ(plan->rows_to_adopt, 150);
  EXPECT_EQ(session.integer(
                "SELECT count(*) FROM before b JOIN users u USING (id) WHERE u.email = b.email AND"
                " u.first_name = b.first_name AND u.last_name = b.last_name AND"
                " u.password_hash = b.password"),
            150);
  for (const std::int64_t id : {1, 77, 150}) {
    const std::string hash = session.text("SELECT password_hash FROM users WHERE id = $1", {id});
    EXPECT_TRUE(verifies(hash, "secret-" + std::to_string(id))) << id;
    EXPECT_FALSE(verifies(hash, "secret-" + std::to_string(id + 1))) << id;
  }
  EXPECT_EQ(session.integer("INSERT INTO users (email) VALUES ('new@example.com') RETURNING id"),
            151);
}

}  // namespace
}  // namespace um
