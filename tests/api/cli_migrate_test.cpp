// `user-manager migrate`: a new database, and one that the Go program made.
#include <gtest/gtest.h>

#include "support/database_probe.hpp"
#include "support/json.hpp"
#include "support/scenario.hpp"

namespace um::e2e {
namespace {

// Hashes of "go-Sesame-1" as golang.org/x/crypto/bcrypt writes them ($2a$), with cost 4.
class Migrate : public ::testing::Test {
 protected:
  RunResult cli(std::vector<std::string> arguments, std::string input = {}) const {
    arguments.insert(arguments.end(), {"--database", "sqlite:" + database_});
    return run({.program = program(),
                .arguments = std::move(arguments),
                .environment = {{"USER_MANAGER_PASSWORD_COST", "4"}},
                .input = std::move(input),
                .working_directory = directory_.path().string()});
  }
  boost::json::value json_of(std::vector<std::string> arguments, int code = 0) const {
    arguments.emplace_back("--json");
    const auto result = cli(std::move(arguments));
    EXPECT_EQ(result.code, code) << result.out << result.err;
    return parse_json(result.out);
  }
  // Makes the table of the Go program, with good rows and those of `more_values`.
  void make_go_database(const std::string& more_values = {}) const {
    const std::string hash = hash_of("go-Sesame-1");
    DatabaseProbe probe{database_, DatabaseProbe::Missing::create};
    probe.execute(
        "CREATE TABLE users (id integer primary key, first_name text, last_name text, email text, "
        "password text)");
    probe.execute("INSERT INTO users VALUES (1, 'Ada', 'Lovelace', 'ada@example.test', '" + hash +
                  "'), (7, '志明', '王', 'Zhi@example.test', '" + hash +
                  "'), (9, NULL, NULL, 'names@example.test', '" + hash + "')" + more_values);
  }
  // By way of a database of ours.
  std::string hash_of(const std::string& password) const {
    const std::string other = directory_.file("hash.db");
    EXPECT_EQ(
        run({.program = program(), .arguments = {"migrate", "--database", "sqlite:" + other}}).code,
        0);
    const auto made = run({.program = program(),
                           .arguments = {"user", "create", "--email", "x@example.test",
                                         "--password-stdin", "--database", "sqlite:" + other},
                           .environment = {{"USER_MANAGER_PASSWORD_COST", "4"}},
                           .input = password + "\n"});
    EXPECT_EQ(made.code, 0) << made.err;
    DatabaseProbe probe{other};
    return "$2a$" + probe.value("SELECT password_hash FROM users").substr(4);
  }

  test::TempDirectory directory_;
  std::string database_ = directory_.file("users.db");
};

TEST_F(Migrate, ShowsWhatIsPendingAndThenNothing) {
  const auto pending = json_of({"migrate", "--dry-run"});
  EXPECT_NE(text_at(pending, "/pending/0"), "");
  EXPECT_EQ(text_at(pending, "/applied"), "[]");
  EXPECT_FALSE(std::filesystem::exists(database_));
  const auto applied = json_of({"migrate"});
  EXPECT_EQ(text_at(applied, "/applied"), text_at(pending, "/pending"));
  EXPECT_EQ(text_at(applied, "/pending"), "[]");
  EXPECT_EQ(text_at(json_of({"migrate"}), "/applied"), "[]");
  EXPECT_EQ(text_at(json_of({"migrate", "--dry-run"}), "/pending"), "[]");
}

TEST_F(Migrate, AdoptsTheGoProgramsUsersWhoCanSignIn) {
  make_go_database();
  EXPECT_EQ(mismatch(parse_json(R"({"dry_run": true, "adopted_users": 0, "users_to_adopt": 3,
                                    "refused": []})"),
                     json_of({"migrate", "--dry-run"})),
            "");
  EXPECT_EQ(text_at(json_of({"migrate"}), "/adopted_users"), "3");
  EXPECT_EQ(mismatch(parse_json(R"([
      {"id": 1, "email": "ada@example.test", "first_name": "Ada", "last_name": "Lovelace",
       "role": "user", "is_active": true},
      {"id": 7, "email": "Zhi@example.test", "first_name": "志明"},
      {"id": 9, "first_name": "", "last_name": ""}])"),
                     json_of({"user", "list"})),
            "");

  ServerUnderTest server{{.database = database_}};
  create_admin(server);
  auto client = server.client();
  sign_in(client, "ada@example.test", "go-Sesame-1");
  sign_in(client, "zhi@example.test", "go-Sesame-1");
  const auto token = sign_in(client, kAdminEmail);
  const auto found = client.send(
      {.target = "/users/search?keyword=" + url_encode("志明"), .headers = {bearer(token)}});
  EXPECT_EQ(text_at(found.json(), "/0/id"), "7") << found.body;
  const auto next =
      client.send({.method = "POST",
                   .target = "/user/",
                   .body = R"({"email": "n@example.test", "password": "open-Sesame-1"})"});
  EXPECT_EQ(text_at(next.json(), "/id"), "11") << next.body;  // the administrator is 10
}

TEST_F(Migrate, RowsThatDoNotFitAreNamedAndNothingIsChanged) {
  make_go_database(
      ", (20, 'Twin', '', 'ADA@example.test', 'x'), (21, 'Empty', '', '', 'x'),"
      " (22, 'Null', '', NULL, 'x'), (23, 'Feed', '', 'a' || char(10) || '@b', 'x')");
  const auto before = test::read_file(database_);
  for (const auto& arguments :
       std::vector<std::vector<std::string>>{{"migrate", "--dry-run"}, {"migrate"}}) {
    const auto report = json_of(arguments, 1);
    EXPECT_EQ(mismatch(parse_json(R"({"applied": [], "pending": ["0001_initial"],
                                      "adopted_users": 0, "users_to_adopt": 3, "quarantined": 0,
                                      "refused": [{"row": 20, "email": "ADA@example.test"},
                                                  {"row": 21, "email": ""},
                                                  {"row": 22, "email": null},
                                                  {"row": 23, "email": "a\n@b"}]})"),
                       report),
              "");
    EXPECT_EQ(test::read_file(database_), before);
  }
  // The server does not begin to serve a half of it either.
  const auto serve =
      run({.program = program(),
           .arguments = {"serve", "--listen", "127.0.0.1:0", "--database", "sqlite:" + database_}});
  EXPECT_NE(serve.code, 0);
  EXPECT_EQ(std::ranges::count(serve.err, '\n'), 1) << serve.err;
}

TEST_F(Migrate, QuarantineMovesThemAside) {
  make_go_database(", (20, 'Twin', '', 'ADA@example.test', 'x'), (21, 'Empty', '', '', 'x')");
  const auto report = json_of({"migrate", "--quarantine"});
  const auto users = json_of({"user", "list"});
  DatabaseProbe probe{database_};
  const auto aside = std::stoul(probe.value("SELECT count(*) FROM users_quarantine"));
  EXPECT_EQ(users.as_array().size() + aside, 5U);
  EXPECT_EQ(report.at("refused").as_array().size(), aside);
  EXPECT_EQ(probe.integrity(), "ok");
}

TEST_F(Migrate, ASettingThatSqliteDoesNotStoreIsRefused) {
  const auto result = cli({"migrate", "--staleness-bound", "600ms"});
  EXPECT_EQ(result.code, 2);
  EXPECT_NE(result.err.find("--staleness-bound"), std::string::npos) << result.err;
  EXPECT_FALSE(std::filesystem::exists(database_));
}

TEST_F(Migrate, ATableOfSomebodyElseIsLeftAlone) {
  {
    DatabaseProbe probe{database_, DatabaseProbe::Missing::create};
    probe.execute("CREATE TABLE users (name text)");
    probe.execute("INSERT INTO users VALUES ('theirs')");
  }
  EXPECT_NE(cli({"migrate"}).code, 0);
  EXPECT_NE(
      run({.program = program(),
           .arguments = {"serve", "--listen", "127.0.0.1:0", "--database", "sqlite:" + database_}})
          .code,
      0);
  DatabaseProbe probe{database_};
  EXPECT_EQ(probe.value("SELECT name FROM users"), "theirs");
}

TEST_F(Migrate, ASchemaFromTheFutureStopsTheStart) {
  ASSERT_EQ(cli({"migrate"}).code, 0);
  std::string table;
  {
    DatabaseProbe probe{database_};
    table = probe.value(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name LIKE '%migration%'");
    ASSERT_NE(table, "") << "where are the migrations recorded?";
    const auto columns = probe.column("SELECT name FROM pragma_table_info('" + table + "')");
    std::string copy;
    for (const auto& column : columns) {
      copy += (copy.empty() ? "" : ", ");
      copy += column == "name" ? "'9999_from_the_future'"
              : column == "number" || column == "id" || column == "version" ? "9999"
                                                                            : column;
    }
    probe.execute("INSERT INTO " + table + " SELECT " + copy + " FROM " + table + " LIMIT 1");
  }
  for (const auto& arguments : std::vector<std::vector<std::string>>{
           {"serve", "--listen", "127.0.0.1:0"}, {"migrate"}, {"user", "list"}}) {
    const auto result = cli(arguments);
    EXPECT_NE(result.code, 0) << result.out;
    EXPECT_EQ(std::ranges::count(result.err, '\n'), 1) << result.err;
  }
}

}  // namespace
}  // namespace um::e2e
