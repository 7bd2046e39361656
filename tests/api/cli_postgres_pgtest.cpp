// The command line on PostgreSQL: every command that reads or writes the database.
#include <gtest/gtest.h>

#include "support/json.hpp"
#include "support/postgres_database.hpp"
#include "support/server_under_test.hpp"
#include "support/test_storage.hpp"

namespace um::e2e {
namespace {

class CliOnPostgres : public ::testing::Test {
 protected:
  RunResult cli(std::vector<std::string> arguments, std::string input = {}) const {
    return run({.program = program(),
                .arguments = std::move(arguments),
                .environment = {{"USER_MANAGER_PASSWORD_COST", "4"},
                                {"USER_MANAGER_DATABASE", database_.url()}},
                .input = std::move(input),
                .working_directory = directory_.path().string()});
  }
  // The output of the program, as JSON.
  boost::json::value json_of(std::vector<std::string> arguments, std::string input = {}) const {
    arguments.emplace_back("--json");
    const auto result = cli(std::move(arguments), std::move(input));
    EXPECT_EQ(result.code, 0) << result.out << result.err;
    return parse_json(result.out);
  }
  boost::json::value shown(const std::string& email) const {
    return json_of({"user", "show", email});
  }

  test::TempDirectory directory_;
  test::TestDatabase database_{test::TestDatabase::Content::empty};
};

TEST_F(CliOnPostgres, NothingWorksBeforeTheSchemaIsThereAndTheCommandSaysWhatHelps) {
  const auto listed = cli({"user", "list"});
  EXPECT_EQ(listed.code, 2);
  EXPECT_NE(listed.err.find("migrate"), std::string::npos) << listed.err;
  EXPECT_EQ(mismatch(parse_json(R"({"dry_run": true, "applied": [],
                                    "pending": ["0001_users", "0002_attempts", "0003_change_feed",
                                                "0004_cache", "0005_purge", "0006_strict_writes",
                                                "0007_lean_strict_gate"]})"),
                     json_of({"migrate", "--dry-run"})),
            "");
}

TEST_F(CliOnPostgres, UsersAreAdministeredWithoutAServer) {
  json_of({"migrate"});
  const std::string ann = "ann@example.test";
  json_of({"user", "create", "--email", ann, "--role", "admin", "--password-stdin"},
          "Sesame-open-1\n");
  json_of({"user", "create", "--email", "bob@example.test", "--password-stdin"}, "Sesame-open-2\n");
  json_of({"user", "update", "bob@example.test", "--first-name", "Bob", "--quota-usd", "1.25"});
  json_of({"user", "set-role", "bob@example.test", "service"});
  json_of({"user", "disable", "bob@example.test"});
  EXPECT_EQ(mismatch(parse_json(R"({"first_name": "Bob", "role": "service", "is_active": false,
                                    "quota_usd": 1.25})"),
                     shown("bob@example.test")),
            "");
  json_of({"user", "enable", "bob@example.test"});
  json_of({"user", "set-password", "bob@example.test", "--password-stdin"}, "Sesame-open-3\n");
  EXPECT_EQ(json_of({"user", "list"}).as_array().size(), 2U);
  EXPECT_EQ(cli({"user", "delete", ann, "--yes"}).code, 1) << "the last administrator";
  EXPECT_EQ(cli({"user", "delete", "bob@example.test", "--yes"}).code, 0);
  EXPECT_EQ(cli({"user", "show", "bob@example.test"}).code, 1);
}

TEST_F(CliOnPostgres, TokensAndKeysAreMadeListedAndRevoked) {
  json_of({"migrate"});
  json_of({"user", "create", "--email", "bot@example.test", "--role", "service", "--no-password"});
  json_of({"token", "create", "--email", "bot@example.test", "--label", "ci"});
  const auto tokens = json_of({"token", "list"}).as_array();
  ASSERT_EQ(tokens.size(), 1U);
  EXPECT_EQ(cli({"token", "revoke", text_at(tokens[0], "/id")}).code, 0);
  EXPECT_EQ(json_of({"token", "list"}).as_array().size(), 0U);
  json_of({"keys", "rotate"});
  const auto keys = json_of({"keys", "list"}).as_array();
  ASSERT_EQ(keys.size(), 2U);
  EXPECT_EQ(cli({"keys", "revoke", text_at(keys[1], "/kid")}).code, 0);
}

TEST_F(CliOnPostgres, WhatWasImportedIsExportedAgainAndBadLinesAreNamed) {
  json_of({"migrate"});
  std::string rows = "email,first_name,password,used_usd\n";
  for (int i = 1; i <= 1200; ++i)
    rows += "user" + std::to_string(i) + "@example.test,Ütz " + std::to_string(i) + ",,0.5\n";
  const auto file =
      directory_.write("users.csv", rows + "no address,x,,\nuser1@example.test,y,,\n");
  const auto imported = cli({"import", file, "--json"});
  EXPECT_EQ(imported.code, 1);
  EXPECT_EQ(mismatch(parse_json(R"({"imported": 1200, "failed": 2})"), parse_json(imported.out)),
            "");
  EXPECT_NE(imported.err.find("line 1202"), std::string::npos) << imported.err;
  EXPECT_NE(imported.err.find("line 1203"), std::string::npos) << imported.err;
  const auto out = directory_.file("out.jsonl");
  ASSERT_EQ(cli({"export", "--output", out}).code, 0);
  // Into another database, and out of it: the same.
  const test::TestDatabase other;
  ASSERT_EQ(cli({"import", out, "--database", other.url()}).code, 0);
  const auto again = cli({"export", "--format", "jsonl", "--database", other.url()});
  EXPECT_EQ(again.code, 0);
  EXPECT_NE(again.out.find("Ütz 1200"), std::string::npos);
  EXPECT_EQ(std::ranges::count(again.out, '\n'), 1200);
}

TEST_F(CliOnPostgres, IdsOfAFileAreKeptTheOthersAreAboveThemAndResumingKnowsThem) {
  json_of({"migrate"});
  const auto first =
      directory_.write("a.csv", "email,id\na@example.test,500\nb@example.test,\nc@example.test,\n");
  const auto second = directory_.write("b.csv",
                                       "email,id\nd@example.test,\ne@example.test,503\n"
                                       "f@example.test,504\ng@example.test,\n");
  for (const auto& file : {first, second}) {
    EXPECT_EQ(text_at(json_of({"import", file}), "/failed"), "0");
  }
  std::string ids;
  const auto users = json_of({"user", "list"});
  for (const auto& user : users.as_array()) {
    ids += text_at(user, "/email").substr(0, 1) + text_at(user, "/id") + " ";
  }
  EXPECT_EQ(ids, "a500 b501 c502 e503 f504 d505 g506 ");
  EXPECT_EQ(mismatch(parse_json(R"({"imported": 0, "already_there": 4, "failed": 0})"),
                     json_of({"import", second, "--resume"})),
            "");
}

TEST_F(CliOnPostgres, MigrateChangesTheSettingsOfTheDeploymentAndServeAgreesOrStops) {
  json_of({"migrate"});
  const auto migrated =
      json_of({"migrate", "--staleness-bound", "1s", "--change-retention", "20min"});
  EXPECT_EQ(migrated.at("changed_settings").as_array().size(), 2U) << migrated;
  const auto refused = cli({"serve", "--listen", "127.0.0.1:0", "--staleness-bound", "500ms"});
  EXPECT_EQ(refused.code, 2);
  EXPECT_NE(refused.err.find("staleness-bound"), std::string::npos) << refused.err;
}

TEST_F(CliOnPostgres, ADeadlineThatAStrictWriteCannotMeetIsMisuse) {
  json_of({"migrate"});
  const auto refused = cli({"serve", "--listen", "127.0.0.1:0", "--database-timeout", "699ms"});
  EXPECT_EQ(refused.code, 2);
  EXPECT_NE(refused.err.find("at least 700 ms"), std::string::npos) << refused.err;
}

TEST_F(CliOnPostgres, AUrlThatCannotWorkIsMisuseAndNotQuoted) {
  for (const char* rest :
       {":99999/x", "/x?nonsense=1", "/x?target_session_attrs=standby", "/x?sslmode=maybe"}) {
    const std::string url = std::string{"postgresql://um:sesame@127.0.0.1"} + rest;
    for (const auto& command : std::vector<std::vector<std::string>>{
             {"serve", "--listen", "127.0.0.1:0"}, {"migrate"}, {"user", "list"}}) {
      auto arguments = command;
      arguments.insert(arguments.end(), {"--database", url});
      const auto result = cli(std::move(arguments));
      EXPECT_EQ(result.code, 2) << command.front() << ' ' << rest << result.err;
      EXPECT_EQ(result.err.find("sesame"), std::string::npos) << result.err;
      EXPECT_EQ(std::ranges::count(result.err, '\n'), 1) << result.err;
    }
  }
}

TEST_F(CliOnPostgres, ABackupIsLeftToPostgresTools) {
  json_of({"migrate"});
  const auto result = cli({"backup", directory_.file("copy.db")});
  EXPECT_NE(result.code, 0);
  EXPECT_NE(result.err.find("pg_dump"), std::string::npos) << result.err;
}

}  // namespace
}  // namespace um::e2e
