// `user-manager user …`: every command, its exit codes and its --json, beside a running server and
// alone.
#include <gtest/gtest.h>

#include "support/invariants.hpp"
#include "support/json.hpp"
#include "support/server_under_test.hpp"

namespace um::e2e {
namespace {

enum ExitCode { kDone = 0, kFailed = 1, kMisused = 2 };

// The command line on a database of its own, without a server.
class CliUser : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_EQ(cli({"migrate"}).code, kDone); }

  RunResult cli(std::vector<std::string> arguments, std::string input = {}) const {
    arguments.insert(arguments.end(), {"--database", "sqlite:" + directory_.file("users.db")});
    auto result = run({.program = program(),
                       .arguments = std::move(arguments),
                       .environment = {{"USER_MANAGER_PASSWORD_COST", "4"}},
                       .input = std::move(input),
                       .working_directory = directory_.path().string()});
    EXPECT_EQ(result.out.find("$2b$"), std::string::npos) << result.out;
    EXPECT_EQ((result.out + result.err).find(kPasswordMark), std::string::npos)
        << result.out << result.err;
    return result;
  }
  // Succeeds and says JSON that fits.
  boost::json::value expect_json(std::vector<std::string> arguments, const std::string& pattern,
                                 std::string input = {}) const {
    arguments.emplace_back("--json");
    const auto result = cli(std::move(arguments), std::move(input));
    EXPECT_EQ(result.code, kDone) << result.err;
    const auto value = parse_json(result.out);
    EXPECT_EQ(mismatch(parse_json(pattern), value), "");
    return value;
  }
  // Fails with one line on standard error and nothing on standard output.
  void expect_failure(std::vector<std::string> arguments, int code, std::string input = {}) const {
    std::string command;
    for (const auto& argument : arguments) command += argument + " ";
    SCOPED_TRACE(command);
    const auto result = cli(std::move(arguments), std::move(input));
    EXPECT_EQ(result.code, code) << result.out << result.err;
    EXPECT_EQ(std::ranges::count(result.err, '\n'), 1) << result.err;
    EXPECT_TRUE(result.err.starts_with("user-manager: ")) << result.err;
    EXPECT_EQ(result.out, "");
  }
  void make_ann() const {
    expect_json({"user", "create", "--email", "ann@example.test", "--first-name", "Ann",
                 "--last-name", "Example", "--password-stdin"},
                R"({"id": "@number"})", "open-Sesame-1\n");
  }

  test::TempDirectory directory_;
};

TEST_F(CliUser, CreateTakesEveryMemberAndThePasswordFromStandardInput) {
  expect_json(
      {"user", "create", "--email", "Ann@example.test", "--username", "ann", "--first-name", "Ann",
       "--last-name", "Ünlü", "--role", "service", "--quota-usd", "1.5", "--password-stdin"},
      R"({"id": 1, "email": "Ann@example.test", "username": "ann", "first_name": "Ann",
                  "last_name": "Ünlü", "role": "service", "is_active": true, "quota_usd": 1.5})",
      "open-Sesame-1\n");
  // Without --json people read it, and a missing line end does no harm.
  const auto second =
      cli({"user", "create", "--email", "bob@example.test", "--password-stdin"}, "open-Sesame-1");
  EXPECT_EQ(second.code, kDone) << second.err;
  EXPECT_NE(second.out.find("bob@example.test"), std::string::npos);
}

TEST_F(CliUser, CreateRefusesWhatTheInterfaceRefuses) {
  make_ann();
  const std::string password = "open-Sesame-1\n";
  expect_failure({"user", "create", "--email", "ANN@example.test", "--password-stdin"}, kFailed,
                 password);
  for (const auto* email : {"", "none", "two@at@signs", "white space@example.test"}) {
    expect_failure({"user", "create", "--email", email, "--password-stdin"}, kMisused, password);
  }
  expect_failure(
      {"user", "create", "--email", "b@example.test", "--role", "king", "--password-stdin"},
      kMisused, password);
  expect_failure({"user", "create", "--email", "b@example.test", "--quota-usd", "1.2345678",
                  "--password-stdin"},
                 kMisused, password);
  for (const auto* bad : {"", "\n", "short\n", "12345678\n", "b@example.test\n"}) {
    expect_failure({"user", "create", "--email", "b@example.test", "--password-stdin"}, kMisused,
                   bad);
  }
  expect_failure({"user", "create", "--email", "b@example.test", "--password-stdin"}, kMisused,
                 "Sesame" + std::string(67, 'x') + "\n");
  expect_failure({"user", "create", "--password-stdin"}, kMisused, password);
}

TEST_F(CliUser, APasswordIsNeverTakenFromTheCommandLine) {
  for (const auto* flag : {"--password", "--password=hunter2-hunter2"}) {
    const auto result = cli({"user", "create", "--email", "b@example.test", flag});
    EXPECT_EQ(result.code, kMisused);
    EXPECT_EQ(result.err.find("hunter2"), std::string::npos) << result.err;
  }
  // Without a terminal there is no prompt.
  expect_failure({"user", "create", "--email", "b@example.test"}, kMisused, "open-Sesame-1\n");
}

TEST_F(CliUser, ShowFindsByIdAndAddress) {
  make_ann();
  for (const auto* who : {"1", "ann@example.test", "ANN@EXAMPLE.TEST"}) {
    expect_json({"user", "show", who}, R"({"id": 1, "email": "ann@example.test",
        "first_name": "Ann", "last_login_at": null, "password": "@absent",
        "password_hash": "@absent"})");
  }
  EXPECT_NE(cli({"user", "show", "1"}).out.find("ann@example.test"), std::string::npos);
  expect_failure({"user", "show", "2"}, kFailed);
  expect_failure({"user", "show", "nobody@example.test"}, kFailed);
  expect_failure({"user", "show", "neither"}, kMisused);
  expect_failure({"user", "show"}, kMisused);
}

TEST_F(CliUser, ListPagesAndSearches) {
  EXPECT_EQ(expect_json({"user", "list"}, "[]").as_array().size(), 0U);
  for (int i = 1; i <= 5; ++i) {
    EXPECT_EQ(cli({"user", "create", "--email", "u" + std::to_string(i) + "@example.test",
                   "--first-name", i == 3 ? "Ольга" : "Name", "--no-password"})
                  .code,
              kDone);
  }
  expect_json({"user", "list", "--limit", "2"}, R"([{"id": 1}, {"id": 2}])");
  expect_json({"user", "list", "--limit", "2", "--after", "2"}, R"([{"id": 3}, {"id": 4}])");
  expect_json({"user", "list", "--search", "ОЛЬ"}, R"([{"id": 3}])");
  expect_json({"user", "list", "--search", "%"}, "[]");
  EXPECT_NE(cli({"user", "list"}).out.find("u5@example.test"), std::string::npos);
  expect_failure({"user", "list", "--limit", "0"}, kMisused);
  expect_failure({"user", "list", "--limit", "many"}, kMisused);
  expect_failure({"user", "list", "--after", "x"}, kMisused);
}

TEST_F(CliUser, UpdateChangesWhatIsGiven) {
  make_ann();
  expect_json({"user", "update", "ann@example.test", "--first-name", "Anna", "--username", "anna"},
              R"({"id": 1, "first_name": "Anna", "last_name": "Example", "username": "anna"})");
  expect_json({"user", "update", "1", "--email", "anna@example.test", "--username", "",
               "--quota-usd", "0.000001", "--model-settings", R"({"a": [1]})"},
              R"({"email": "anna@example.test", "username": null, "quota_usd": 0.000001,
                  "model_capability_settings": {"a": [1]}})");
  expect_failure({"user", "update", "1"}, kMisused);
  expect_failure({"user", "update", "1", "--email", "none"}, kMisused);
  expect_failure({"user", "update", "1", "--model-settings", "[]"}, kMisused);
  expect_failure({"user", "update", "1", "--model-settings", "{"}, kMisused);
  expect_failure({"user", "update", "2", "--first-name", "x"}, kFailed);
}

TEST_F(CliUser, RolesStatesAndRemoval) {
  make_ann();
  expect_json({"user", "set-role", "1", "admin"}, R"({"role": "admin"})");
  expect_failure({"user", "set-role", "1", "user"}, kFailed);  // the last administrator
  expect_failure({"user", "disable", "1"}, kFailed);
  expect_failure({"user", "delete", "1", "--yes"}, kFailed);
  EXPECT_EQ(
      cli({"user", "create", "--email", "b@example.test", "--role", "admin", "--no-password"}).code,
      kDone);
  expect_json({"user", "disable", "1"}, R"({"is_active": false})");
  expect_json({"user", "enable", "1"}, R"({"is_active": true})");
  expect_json({"user", "set-role", "ann@example.test", "service"}, R"({"role": "service"})");
  expect_failure({"user", "set-role", "1", "king"}, kMisused);
  expect_failure({"user", "delete", "1"}, kMisused);  // no terminal to ask
  expect_json({"user", "show", "1"}, R"({"id": 1})");
  EXPECT_EQ(cli({"user", "delete", "1", "--yes"}).code, kDone);
  expect_failure({"user", "show", "1"}, kFailed);
  expect_failure({"user", "delete", "1", "--yes"}, kFailed);
}

TEST_F(CliUser, HelpIsThereForEverything) {
  for (const auto& arguments :
       std::vector<std::vector<std::string>>{{"--help"},
                                             {"serve", "--help"},
                                             {"migrate", "--help"},
                                             {"user", "--help"},
                                             {"user", "create", "--help"},
                                             {"user", "show", "--help"},
                                             {"user", "list", "--help"},
                                             {"user", "update", "--help"},
                                             {"user", "set-password", "--help"},
                                             {"user", "set-role", "--help"},
                                             {"user", "disable", "--help"},
                                             {"user", "enable", "--help"},
                                             {"user", "delete", "--help"},
                                             {"import", "--help"},
                                             {"export", "--help"},
                                             {"token", "create", "--help"},
                                             {"token", "list", "--help"},
                                             {"token", "revoke", "--help"},
                                             {"keys", "list", "--help"},
                                             {"keys", "rotate", "--help"},
                                             {"keys", "revoke", "--help"},
                                             {"backup", "--help"},
                                             {"config", "--help"},
                                             {"version", "--help"}}) {
    const auto result = run({.program = program(), .arguments = arguments});
    EXPECT_EQ(result.code, kDone) << arguments.front() << result.err;
    EXPECT_NE(result.out.find("--"), std::string::npos) << arguments.front();
  }
  const auto serve = run({.program = program(), .arguments = {"serve", "--help"}}).out;
  for (const auto* text : {"127.0.0.1:8080", "256", "500", "10000", "USER_MANAGER_LISTEN"}) {
    EXPECT_NE(serve.find(text), std::string::npos) << text;
  }
}

TEST_F(CliUser, WhatIsNotACommandIsMisuse) {
  for (const auto& arguments : std::vector<std::vector<std::string>>{{},
                                                                     {"nonsense"},
                                                                     {"user"},
                                                                     {"user", "nonsense"},
                                                                     {"token"},
                                                                     {"keys"},
                                                                     {"serve", "--nonsense"},
                                                                     {"serve", "extra"},
                                                                     {"serve", "--json"},
                                                                     {"user", "set-role", "1", "x"},
                                                                     {"user", "show", "1", "2"}}) {
    const auto result = run({.program = program(), .arguments = arguments});
    EXPECT_EQ(result.code, kMisused) << result.out << result.err;
    EXPECT_EQ(std::ranges::count(result.err, '\n'), 1) << result.err;
  }
  const auto version = run({.program = program(), .arguments = {"version"}});
  EXPECT_EQ(version.code, kDone);
  EXPECT_TRUE(version.out.starts_with("user-manager ")) << version.out;
}

TEST_F(CliUser, APasswordInAUrlIsNotRepeatedWhenItsFlagIsMistyped) {
  const std::string url = "postgresql://um:topsecret@h/d";
  for (const auto& arguments : std::vector<std::vector<std::string>>{
           {"config", "--databse", url}, {"config", "--databse=" + url}, {"user", "list", url}}) {
    const auto result = run({.program = program(), .arguments = arguments});
    EXPECT_EQ(result.code, kMisused) << result.out << result.err;
    EXPECT_EQ((result.out + result.err).find("topsecret"), std::string::npos) << result.err;
  }
}

TEST_F(CliUser, ADatabaseThatIsNotThereOrNotMigratedIsNotMadeByAccident) {
  const test::TempDirectory empty;
  const auto result =
      run({.program = program(),
           .arguments = {"user", "list", "--database", "sqlite:" + empty.file("none.db")}});
  EXPECT_EQ(result.code, kFailed) << result.out << result.err;
  EXPECT_EQ(std::ranges::count(result.err, '\n'), 1) << result.err;
  EXPECT_FALSE(std::filesystem::exists(empty.file("none.db")));
}

TEST_F(CliUser, ADiskThatIsFullIsSaidOnce) {
  // Beyond the limit a write fails; the index of the log just fits.
  const auto result =
      run({.program = "/bin/bash",
           .arguments = {"-c", R"(trap '' XFSZ; ulimit -f 32; exec "$0" "$@")", program(), "user",
                         "create", "--email", "ann@example.test", "--no-password", "--database",
                         "sqlite:" + directory_.file("users.db")}});
  EXPECT_EQ(result.code, kFailed) << result.out;
  EXPECT_EQ(std::ranges::count(result.err, '\n'), 1) << result.err;
  EXPECT_EQ(cli({"user", "show", "ann@example.test"}).code, kFailed);
}

TEST_F(CliUser, ADirectoryIsNoDatabase) {
  const auto result =
      run({.program = program(),
           .arguments = {"user", "list", "--database", "sqlite:" + directory_.path().string()}});
  EXPECT_EQ(result.code, kMisused);
  EXPECT_EQ(result.err, "user-manager: " + directory_.path().string() +
                            " is a directory; the path of a file is needed\n");
}

}  // namespace
}  // namespace um::e2e
