#include "cli/cli.hpp"

#include <regex>
#include <sstream>

#include <gmock/gmock.h>

#include "cli/layout.hpp"
#include "cli/testing/cli_harness.hpp"
#include "config/setting.hpp"

namespace um {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;
using CliTest = CliHarness;

TEST_F(CliTest, VersionIsPrinted) {
  EXPECT_EQ(um({"version"}).out, "user-manager " UM_VERSION "\n");
  EXPECT_EQ(um({"version", "--json"}).out,
            "{\"name\":\"user-manager\",\"version\":\"" UM_VERSION "\"}\n");
}

TEST_F(CliTest, VersionNeedsNoSoundSettings) {
  environment_["USER_MANAGER_THREADS"] = "none";
  EXPECT_EQ(um({"version"}).code, 0);
}

TEST_F(CliTest, HelpNamesEveryCommand) {
  const auto help = um({"--help"});
  EXPECT_EQ(help.code, 0);
  for (const char* name : {"serve", "migrate", "user", "import", "export", "token", "keys",
                           "backup", "monitor", "config", "version"}) {
    EXPECT_THAT(help.out, HasSubstr(std::string{"\n  "} + name + " "));
  }
}

TEST_F(CliTest, HelpOfServeShowsEverySettingWithItsDefault) {
  const auto help = um({"serve", "--help"});
  EXPECT_EQ(help.code, 0);
  const std::string text = std::regex_replace(help.out, std::regex{"\\s+"}, " ");
  for (const Setting& setting : make_setting_table()) {
    EXPECT_THAT(text, HasSubstr(setting.flag() + " "));
    EXPECT_THAT(text, HasSubstr("[default: " + setting.default_text + ";"));
    EXPECT_THAT(text, HasSubstr(setting.variable()));
  }
}

TEST_F(CliTest, EveryCommandHasHelpAndTakesDatabaseAndConfig) {
  const std::vector<std::vector<std::string>> commands{
      {"migrate"},          {"user", "create"},  {"user", "show"},
      {"user", "list"},     {"user", "update"},  {"user", "set-password"},
      {"user", "set-role"}, {"user", "disable"}, {"user", "enable"},
      {"user", "delete"},   {"import"},          {"export"},
      {"token", "create"},  {"token", "list"},   {"token", "revoke"},
      {"keys", "list"},     {"keys", "rotate"},  {"keys", "revoke"},
      {"backup"},           {"config"},          {"serve"}};
  for (auto command : commands) {
    command.push_back("--help");
    const auto help = um(command);
    EXPECT_EQ(help.code, 0) << command[0];
    EXPECT_THAT(help.out, HasSubstr("--database URL"));
    EXPECT_THAT(help.out, HasSubstr("--config FILE"));
    std::istringstream lines{help.out};
    for (std::string line; std::getline(lines, line);) EXPECT_LE(display_width(line), 100U) << line;
    EXPECT_EQ(help.out.find("--json") != std::string::npos, command[0] != "serve") << command[0];
    EXPECT_THAT(help.out, Not(HasSubstr("--password ")));
  }
}

TEST_F(CliTest, WrongUseIsOneLineAndExitCodeTwo) {
  const std::vector<std::vector<std::string>> wrong{
      {},
      {"sing"},
      {"user"},
      {"user", "creat"},
      {"user", "create"},
      {"user", "show"},
      {"user", "show", "1", "2"},
      {"serve", "--nonsense"},
      {"serve", "--json"},
      {"serve", "--threads"},
      {"serve", "--threads", "1", "--threads", "2"},
      {"serve", "--threads", "0"},
      {"serve", "--threads="},
      {"serve", "--database="},
      {"serve", "extra"},
      {"user", "show", "neither"},
      {"user", "show", "0"},
      {"user", "set-role", "1", "boss"},
      {"export", "--json", "--format", "csv"},
      {"user", "show", "1", "--threads", "2"},
  };
  for (const auto& arguments : wrong) {
    const auto ran = um(arguments);
    EXPECT_EQ(ran.code, 2) << testing::PrintToString(arguments);
    EXPECT_THAT(ran.err, StartsWith("user-manager: "));
    EXPECT_EQ(std::ranges::count(ran.err, '\n'), 1) << ran.err;
    EXPECT_EQ(ran.out, "");
  }
}

TEST_F(CliTest, VersionIsAlsoAFlag) {
  const auto ran = um({"--version"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(ran.out, "user-manager " UM_VERSION "\n");
}

TEST_F(CliTest, AnUnknownCommandOrFlagIsNamed) {
  EXPECT_EQ(um({"frob"}).err,
            "user-manager: unknown command \"frob\"; see `user-manager --help`\n");
  EXPECT_EQ(um({"user", "creat", "--email", "ann@x"}).err,
            "user-manager: unknown command \"creat\"; see `user-manager user --help`\n");
  EXPECT_THAT(um({"--frob"}).err, HasSubstr("--frob"));
  EXPECT_THAT(um({}).err, HasSubstr("subcommand is required"));
}

TEST_F(CliTest, AKeyIdThatBeginsWithADashIsExplained) {
  EXPECT_THAT(um({"keys", "revoke", "--help"}).out, HasSubstr("keys revoke -- -KID"));
  const auto without = um({"keys", "revoke", "-abc"});
  EXPECT_EQ(without.code, 2);
  EXPECT_THAT(without.err, HasSubstr("as in `user-manager keys revoke -- -abc`"));
  const auto ran = um({"keys", "revoke", "--", "-abc"});
  EXPECT_EQ(ran.code, 1);
  EXPECT_EQ(ran.err, "user-manager: no key -abc\n");
}

TEST_F(CliTest, WhatWasTypedCannotForgeLinesOrMoveTheCursor) {
  const auto ran = um({"sing\nuser-manager: done\x1b[2J"});
  EXPECT_EQ(ran.code, 2);
  EXPECT_EQ(std::ranges::count(ran.err, '\n'), 1) << ran.err;
  EXPECT_EQ(ran.err.find('\x1b'), std::string::npos);
}

TEST_F(CliTest, ServeGetsTheEffectiveSettings) {
  environment_["USER_MANAGER_CACHE_TTL"] = "1min";
  const auto config = write_file("um.toml", "cache-ttl = \"2min\"\nthreads = 3\n");
  EXPECT_EQ(um({"serve", "--config", config, "--listen=[::1]:0", "--access", "public"}).code, 0);
  ASSERT_TRUE(served_);
  EXPECT_EQ(served_->cache_ttl, std::chrono::minutes{1});
  EXPECT_EQ(served_->threads, 3U);
  EXPECT_EQ(served_->listen.text(), "[::1]:0");
  EXPECT_EQ(served_->access, AccessPolicy::public_access);
}

TEST_F(CliTest, TheExitCodeOfServeIsTheProgramsOwn) {
  backend_.serve = [](const Config&, ServeRequest, CliIo&) { return 2; };
  EXPECT_EQ(um({"serve"}).code, 2);
}

TEST_F(CliTest, ABadSettingStopsEveryCommandWithOneLine) {
  environment_["USER_MANAGER_ACESS"] = "public";
  for (const auto& arguments : {std::vector<std::string>{"serve"}, {"user", "list"}, {"config"}}) {
    const auto ran = um(arguments);
    EXPECT_EQ(ran.code, 2);
    EXPECT_EQ(ran.err,
              "user-manager: USER_MANAGER_ACESS (environment): unknown setting; did you mean "
              "USER_MANAGER_ACCESS?; `user-manager config` lists them\n");
  }
  EXPECT_FALSE(served_);
}

TEST_F(CliTest, ConfigShowsValuesAndWhereTheyComeFrom) {
  const auto config = write_file("um.toml", "token-ttl = \"2d\"\n");
  const auto ran = um({"config", "--config", config, "--threads", "4"});
  EXPECT_EQ(ran.code, 0);
  EXPECT_THAT(ran.out, testing::ContainsRegex("threads +4 +flag --threads\n"));
  EXPECT_THAT(ran.out,
              testing::ContainsRegex("password-cost +4 +environment USER_MANAGER_PASSWORD_COST\n"));
  EXPECT_THAT(ran.out, testing::ContainsRegex("token-ttl +2d +.*um.toml:1\n"));
  EXPECT_THAT(ran.out, testing::ContainsRegex("tls-cert +none +default\n"));
}

TEST_F(CliTest, ConfigIsAlsoJson) {
  const auto ran = um({"config", "--json", "--threads", "4"});
  EXPECT_THAT(ran.out,
              StartsWith("[\n{\"setting\":\"listen\",\"value\":\"127.0.0.1:8080\",\"source\":"
                         "\"default\",\"origin\":\"default\"},\n"));
  EXPECT_THAT(ran.out,
              HasSubstr("{\"setting\":\"threads\",\"value\":\"4\",\"source\":\"flag\",\"origin\":"
                        "\"flag --threads\"}"));
  EXPECT_THAT(ran.out, HasSubstr("{\"setting\":\"redis\",\"value\":null,"));
}

TEST_F(CliTest, ADatabaseThatCannotBeOpenedIsAFailure) {
  backend_.open_storage = [](const Config&) -> Result<std::unique_ptr<Storage>> {
    return fail(ErrorCode::unavailable, "users.db: no such directory");
  };
  const auto ran = um({"user", "list"});
  EXPECT_EQ(ran.code, 1);
  EXPECT_EQ(ran.err, "user-manager: users.db: no such directory\n");
}

TEST_F(CliTest, AnExceptionIsAFailureWithOneLine) {
  backend_.open_storage = [](const Config&) -> Result<std::unique_ptr<Storage>> {
    throw std::runtime_error("out of\nluck");
  };
  const auto ran = um({"user", "list"});
  EXPECT_EQ(ran.code, 1);
  EXPECT_EQ(ran.err, "user-manager: out of\\nluck\n");
}

TEST_F(CliTest, WhatIsWrongWithAnArgumentIsSaidBeforeTheDatabaseIsOpened) {
  int opened = 0;
  backend_.open_storage = [&](const Config&) -> Result<std::unique_ptr<Storage>> {
    ++opened;
    return fail(ErrorCode::unavailable, "there is no database");
  };
  const auto ran = um({"user", "set-role", "1", "boss"});
  EXPECT_EQ(ran.code, 2);
  EXPECT_THAT(ran.err, HasSubstr("role: "));
  EXPECT_EQ(opened, 0);
}

TEST_F(CliTest, AUrlThatIsNotUnderstoodIsRepeatedWithoutItsPassword) {
  const std::string url = "postgresql://um:top secret@h/d?password=topsecret";
  const std::vector<std::vector<std::string>> wrong{{"config", "--databse", url},
                                                    {"config", "--databse=" + url},
                                                    {"config", url},
                                                    {"user", "show", "1", url},
                                                    {url},
                                                    {"user", url},
                                                    {"config", "-x" + url, "-" + url},
                                                    {"config", "--json=" + url}};
  for (const auto& arguments : wrong) {
    const auto ran = um(arguments);
    EXPECT_EQ(ran.code, 2) << testing::PrintToString(arguments);
    EXPECT_THAT(ran.err, Not(HasSubstr("secret"))) << testing::PrintToString(arguments);
    EXPECT_EQ(std::ranges::count(ran.err, '\n'), 1) << ran.err;
  }
  EXPECT_THAT(um({"config", "--databse", "postgresql://um:x@h/d"}).err,
              HasSubstr(" postgresql://um:***@h/d "));
}

TEST_F(CliTest, MigrateReportsWhatItDid) {
  MigrateRequest asked;
  backend_.migrate = [&](const Config&, MigrateRequest request) -> Result<MigrateReport> {
    asked = request;
    return MigrateReport{.migrations = {"0001_initial"}, .adopted_users = 2};
  };
  EXPECT_EQ(um({"migrate", "--dry-run"}).out, "pending: 0001_initial\n2 users to adopt\n");
  EXPECT_TRUE(asked.dry_run);
  EXPECT_FALSE(asked.quarantine);
  EXPECT_EQ(um({"migrate"}).out, "applied: 0001_initial\n2 users adopted\n");
}

TEST_F(CliTest, MigrateListsTheRowsThatDoNotFitAndFails) {
  backend_.migrate = [](const Config&, MigrateRequest) -> Result<MigrateReport> {
    return MigrateReport{.refused = {{.row = "7", .email = "a\nb", .reason = "has white space"}}};
  };
  const auto stopped = um({"migrate"});
  EXPECT_EQ(stopped.code, 1);
  EXPECT_EQ(stopped.out, "row 7 \"a\\nb\": has white space\n");
  EXPECT_THAT(stopped.err, HasSubstr("nothing was changed: 1 row does not fit"));
  const auto moved = um({"migrate", "--quarantine"});
  EXPECT_EQ(moved.code, 0);
  EXPECT_THAT(moved.out, HasSubstr("1 row was moved to "));
}

TEST_F(CliTest, MigrateTellsWhatIsPendingFromWhatWasAppliedAlsoInJson) {
  MigrateReport report{.migrations = {"0001_initial"},
                       .settings = {"staleness-bound: 500 ms -> 1000 ms"},
                       .adopted_users = 2};
  backend_.migrate = [&](const Config&, MigrateRequest) -> Result<MigrateReport> { return report; };
  const auto words = [](std::string text) {
    std::erase(text, '\n');
    return text;
  };
  EXPECT_EQ(words(um({"migrate", "--json"}).out),
            "{\"dry_run\":false,\"applied\":[\"0001_initial\"],\"pending\":[],"
            "\"changed_settings\":[\"staleness-bound: 500 ms -> 1000 ms\"],"
            "\"pending_settings\":[],\"adopted_users\":2,\"users_to_adopt\":0,"
            "\"quarantined\":0,\"refused\":[]}");
  const std::string pending =
      "\"applied\":[],\"pending\":[\"0001_initial\"],\"changed_settings\":[],"
      "\"pending_settings\":[\"staleness-bound: 500 ms -> 1000 ms\"],"
      "\"adopted_users\":0,\"users_to_adopt\":2,\"quarantined\":0,\"refused\":[";
  EXPECT_EQ(words(um({"migrate", "--json", "--dry-run"}).out),
            "{\"dry_run\":true," + pending + "]}");
  report.refused = {{.row = "-7", .email = "a\n\"b\"", .reason = "has white space"},
                    {.row = "007", .reason = "r"},
                    {.row = "9007199254740993", .email = "null", .reason = "r"},
                    {.reason = "r"}};
  const auto stopped = um({"migrate", "--json"});
  EXPECT_EQ(stopped.code, 1);
  EXPECT_EQ(words(stopped.out),
            "{\"dry_run\":false," + pending +
                "{\"row\":-7,\"email\":\"a\\n\\\"b\\\"\",\"reason\":\"has white space\"},"
                "{\"row\":\"007\",\"email\":null,\"reason\":\"r\"},"
                "{\"row\":\"9007199254740993\",\"email\":\"null\",\"reason\":\"r\"},"
                "{\"row\":null,\"email\":null,\"reason\":\"r\"}]}");
  EXPECT_THAT(words(um({"migrate", "--json", "--quarantine"}).out),
              HasSubstr("\"adopted_users\":2,\"users_to_adopt\":0,\"quarantined\":4,"));
  EXPECT_THAT(um({"migrate"}).out, HasSubstr("\nrow null null: r\n"));
}

TEST_F(CliTest, MigrateStoresNoSettingsInSqliteAndSaysSo) {
  int migrated = 0;
  backend_.migrate = [&](const Config&, MigrateRequest) -> Result<MigrateReport> {
    ++migrated;
    return MigrateReport{};
  };
  EXPECT_THAT(um({"migrate", "--change-retention", "20min"}).err, HasSubstr("in PostgreSQL only"));
  const auto ran = um({"migrate", "--staleness-bound", "600ms"});
  EXPECT_EQ(ran.code, 2);
  EXPECT_EQ(
      ran.err,
      "user-manager: --staleness-bound: migrate stores it in PostgreSQL only; on SQLite give it "
      "to `serve`\n");
  EXPECT_EQ(migrated, 0);
  EXPECT_EQ(um({"migrate", "--staleness-bound", "600ms", "--database", "postgresql://h/d"}).code,
            0);
  // The environment is shared with serve, for which the setting is meant.
  environment_["USER_MANAGER_STALENESS_BOUND"] = "600ms";
  EXPECT_EQ(um({"migrate"}).code, 0);
  EXPECT_EQ(migrated, 2);
}

TEST_F(CliTest, BackupSaysWhatItCopiedWhere) {
  std::string asked;
  backend_.backup = [&](const Config&, const std::string& target) -> Result<void> {
    asked = target;
    return {};
  };
  const auto ran = um({"backup", "/tmp/copy.db"});
  EXPECT_EQ(ran.code, 0);
  EXPECT_EQ(asked, "/tmp/copy.db");
  EXPECT_THAT(ran.out, HasSubstr(" to /tmp/copy.db\n"));
}

}  // namespace
}  // namespace um
