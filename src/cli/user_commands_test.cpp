#include <gmock/gmock.h>

#include "async/run_task.hpp"
#include "auth/passwords/password_hasher.hpp"
#include "cli/testing/cli_harness.hpp"

namespace um {
namespace {

using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;

class UserCommands : public CliHarness {
 protected:
  std::string hash_of(const std::string& email) {
    const auto storage = open_sqlite({.file = file("users.db"), .clock = &clock_});
    EXPECT_TRUE(storage);
    const auto found =
        um::run((*storage)->users().credentials(*Email::parse(email), Deadline::never()));
    EXPECT_TRUE(found && *found);
    return std::string{(**found).password_hash.reveal()};
  }
};

TEST_F(UserCommands, CreateMakesAUserWhoCanBeShownByIdAndByAddress) {
  const auto made = um(
      {"user", "create", "--email", "Ann@example.org", "--first-name", "Ann", "--last-name", "志明",
       "--username", "ann", "--role", "admin", "--quota-usd", "12.50", "--password-stdin"},
      "correct horse\n");
  EXPECT_EQ(made.code, 0) << made.err;
  EXPECT_THAT(made.out, ContainsRegex("^created user [0-9]+ Ann@example.org \\(admin\\)\n$"));
  const auto shown = um({"user", "show", "ann@EXAMPLE.org"});
  EXPECT_EQ(shown.code, 0) << shown.err;
  for (const char* line :
       {"email          Ann@example.org\n", "username       ann\n", "first name     Ann\n",
        "last name      志明\n", "role           admin\n", "active         yes\n",
        "quota          12.5 USD\n", "last sign-in   never\n"}) {
    EXPECT_THAT(shown.out, HasSubstr(line));
  }
  EXPECT_THAT(shown.out, Not(HasSubstr("$2b$")));
}

TEST_F(UserCommands, TheCostOfTheHashIsTheSetting) {
  create("ann@x");
  EXPECT_THAT(hash_of("ann@x"), testing::StartsWith("$2b$04$"));
}

TEST_F(UserCommands, JsonIsTheRepresentationOfTheInterface) {
  const auto id = create("ann@x");
  const auto shown = um({"user", "show", id, "--json"});
  EXPECT_THAT(shown.out, testing::StartsWith("{\"id\":" + id + ",\"email\":\"ann@x\","));
  EXPECT_THAT(shown.out, Not(HasSubstr("password")));
}

TEST_F(UserCommands, APasswordIsNeverTakenFromTheCommandLine) {
  for (const auto& arguments :
       {std::vector<std::string>{"user", "create", "--email", "a@x", "--password", "correct horse"},
        {"user", "create", "--email", "a@x", "--password=correct horse"},
        {"user", "create", "--email", "a@x", "--password"},
        {"user", "set-password", "a@x", "--password", "correct horse"}}) {
    const auto ran = um(arguments);
    EXPECT_EQ(ran.code, 2);
    EXPECT_THAT(ran.err, HasSubstr("a password is never taken from the command line"));
    EXPECT_THAT(ran.err, Not(HasSubstr("horse")));
  }
}

TEST_F(UserCommands, WithoutATerminalThePasswordMustComeFromStandardInput) {
  const auto ran = um({"user", "create", "--email", "a@x"});
  EXPECT_EQ(ran.code, 2);
  EXPECT_THAT(ran.err, HasSubstr("use --password-stdin"));
}

TEST_F(UserCommands, OnATerminalThePasswordIsAskedForTwice) {
  std::vector<std::string> prompts;
  std::vector<std::string> typed{"correct horse", "correct horse", "correct horse", "correct hose"};
  ask_secret_ = [&](std::string_view prompt) -> std::optional<Secret> {
    prompts.emplace_back(prompt);
    return Secret{typed.at(prompts.size() - 1)};
  };
  EXPECT_EQ(um({"user", "create", "--email", "a@x"}).code, 0);
  EXPECT_EQ(prompts.size(), 2U);
  const auto differs = um({"user", "create", "--email", "b@x"});
  EXPECT_EQ(differs.code, 2);
  EXPECT_THAT(differs.err, HasSubstr("the two passwords are not the same"));
}

TEST_F(UserCommands, StandardInputGivesItsFirstLine) {
  for (const std::string input : {"correct horse", "correct horse\n", "correct horse\r\nmore\n"}) {
    const std::string email = "u" + std::to_string(input.size()) + "@x";
    EXPECT_EQ(um({"user", "create", "--email", email, "--password-stdin"}, input).code, 0);
    EXPECT_EQ(um::run([](const std::string& hash) -> Task<Result<bool>> {
                PasswordHasher hasher{{.cost = 4, .threads = 1}};
                const auto right = co_await hasher.verify(Secret{"correct horse"}, Secret{hash},
                                                          Deadline::never());
                co_return right;
              }(hash_of(email))),
              Result<bool>{true});
  }
  EXPECT_EQ(um({"user", "create", "--email", "z@x", "--password-stdin"}, "").code, 2);
  EXPECT_EQ(um({"user", "create", "--email", "z@x", "--password-stdin"}, "\n").code, 2);
  const auto huge =
      um({"user", "create", "--email", "z@x", "--password-stdin"}, std::string(5000, 'a'));
  EXPECT_THAT(huge.err, HasSubstr("longer than 4 KiB"));
}

TEST_F(UserCommands, EverythingThatIsWrongIsSaidAtOnce) {
  const auto ran = um({"user", "create", "--email", "nobody", "--role", "king", "--quota-usd", "-1",
                       "--username", "a b", "--password-stdin"},
                      "short\n");
  EXPECT_EQ(ran.code, 2);
  for (const char* field : {"email: ", "role: ", "quota_usd: ", "username: ", "password: "}) {
    EXPECT_THAT(ran.err, HasSubstr(field));
  }
  EXPECT_EQ(std::ranges::count(ran.err, '\n'), 1);
}

TEST_F(UserCommands, AnAddressThatIsTakenIsAFailure) {
  create("ann@x");
  const auto ran =
      um({"user", "create", "--email", "ANN@x", "--password-stdin"}, "correct horse\n");
  EXPECT_EQ(ran.code, 1);
  EXPECT_THAT(ran.err, HasSubstr("e-mail"));
}

TEST_F(UserCommands, WithoutAPasswordNobodyCanSignIn) {
  EXPECT_EQ(um({"user", "create", "--email", "bot@x", "--role", "service", "--no-password"}).code,
            0);
  EXPECT_EQ(hash_of("bot@x"), "");
}

TEST_F(UserCommands, APasswordAndNoPasswordExcludeEachOther) {
  const auto ran = um({"user", "create", "--email", "bot@x", "--no-password", "--password-stdin"},
                      "correct horse\n");
  EXPECT_EQ(ran.code, 2);
  EXPECT_THAT(ran.err, HasSubstr("--no-password and --password-stdin"));
  EXPECT_EQ(um({"user", "show", "bot@x"}).code, 1);
}

TEST_F(UserCommands, UpdateChangesWhatIsGiven) {
  const auto id = create("ann@x", {"--username", "ann", "--quota-usd", "1", "--last-name", "Old"});
  const auto ran = um({"user", "update", id, "--email", "ann@y", "--first-name", "Ann",
                       "--username", "", "--quota-usd", "", "--model-settings", R"({ "a": 1 })"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  const auto shown = um({"user", "show", "ann@y", "--json"}).out;
  for (const char* member : {R"("first_name":"Ann")", R"("last_name":"Old")", R"("username":null)",
                             R"("quota_usd":null)", R"("model_capability_settings":{"a":1})"}) {
    EXPECT_THAT(shown, HasSubstr(member));
  }
  EXPECT_EQ(um({"user", "show", "ann@x"}).code, 1);
}

TEST_F(UserCommands, UpdateNeedsSomethingToChangeAndKeepsTheRules) {
  const auto id = create("ann@x");
  EXPECT_EQ(um({"user", "update", id}).code, 2);
  EXPECT_EQ(um({"user", "update", id, "--email", ""}).code, 2);
  EXPECT_EQ(um({"user", "update", id, "--model-settings", "[]"}).code, 2);
  EXPECT_EQ(um({"user", "update", "99", "--first-name", "A"}).code, 1);
  create("bob@x");
  EXPECT_EQ(um({"user", "update", id, "--email", "bob@x"}).code, 1);
}

TEST_F(UserCommands, SetPasswordReplacesTheHash) {
  create("ann@x");
  const auto before = hash_of("ann@x");
  EXPECT_EQ(um({"user", "set-password", "ann@x", "--password-stdin"}, "battery staple\n").code, 0);
  EXPECT_NE(hash_of("ann@x"), before);
  EXPECT_EQ(um({"user", "set-password", "ann@x", "--password-stdin"}, "short\n").code, 2);
}

TEST_F(UserCommands, RolesAndActivityChange) {
  create("root@x", {"--role", "admin"});
  create("ann@x");
  EXPECT_EQ(um({"user", "set-role", "ann@x", "service"}).code, 0);
  EXPECT_THAT(um({"user", "show", "ann@x"}).out, HasSubstr("role           service\n"));
  EXPECT_EQ(um({"user", "set-role", "ann@x", "king"}).code, 2);
  EXPECT_EQ(um({"user", "disable", "ann@x"}).out, "ann@x is disabled; all sessions have ended\n");
  EXPECT_THAT(um({"user", "show", "ann@x"}).out, HasSubstr("active         no\n"));
  EXPECT_EQ(um({"user", "enable", "ann@x"}).out, "ann@x is enabled\n");
  EXPECT_THAT(um({"user", "show", "ann@x"}).out, HasSubstr("active         yes\n"));
}

TEST_F(UserCommands, TheLastAdministratorStays) {
  create("root@x", {"--role", "admin"});
  for (const auto& arguments : {std::vector<std::string>{"user", "set-role", "root@x", "user"},
                                {"user", "disable", "root@x"},
                                {"user", "delete", "root@x", "--yes"}}) {
    const auto ran = um(arguments);
    EXPECT_EQ(ran.code, 1);
    EXPECT_THAT(ran.err, HasSubstr("administrator"));
  }
}

TEST_F(UserCommands, DeleteAsksOnATerminalAndNeedsYesElsewhere) {
  create("ann@x");
  EXPECT_EQ(um({"user", "delete", "ann@x"}).code, 2);
  in_is_terminal_ = true;
  EXPECT_EQ(um({"user", "delete", "ann@x"}, "no\n").code, 1);
  EXPECT_EQ(um({"user", "show", "ann@x"}).code, 0);
  const auto asked = um({"user", "delete", "ann@x"}, "yes\n");
  EXPECT_EQ(asked.code, 0);
  EXPECT_THAT(asked.err, HasSubstr("ann@x? Type yes: "));
  EXPECT_EQ(um({"user", "show", "ann@x"}).code, 1);
  in_is_terminal_ = false;
  create("bob@x");
  EXPECT_EQ(um({"user", "delete", "bob@x", "--yes"}).code, 0);
}

TEST_F(UserCommands, ListShowsPagesAndWhereTheNextOneBegins) {
  std::vector<std::string> ids;
  for (const char* email : {"a@x", "b@x", "c@x"})
    ids.push_back(create(email, {"--first-name", "志明"}));
  const auto first = um({"user", "list", "--limit", "2"});
  EXPECT_EQ(first.code, 0) << first.err;
  EXPECT_THAT(
      first.out,
      ContainsRegex(" *ID  EMAIL  NAME  ROLE  ACTIVE  CREATED .UTC. +LAST SIGN-IN .UTC.\n"));
  EXPECT_THAT(first.out, ContainsRegex("a@x    志明  user  yes     20[0-9-]+ [0-9:]+  never\n"));
  EXPECT_THAT(first.out, Not(HasSubstr("c@x")));
  EXPECT_EQ(first.err, "There are more: --after " + ids[1] + "\n");
  const auto second = um({"user", "list", "--limit", "2", "--after", ids[1]});
  EXPECT_THAT(second.out, HasSubstr("c@x"));
  EXPECT_EQ(second.err, "");
}

TEST_F(UserCommands, ListSearchesAndSpeaksJson) {
  create("ann@x");
  create("bob@x");
  const auto found = um({"user", "list", "--search", "ANN", "--json"});
  EXPECT_THAT(found.out, testing::StartsWith("[\n{\"id\":"));
  EXPECT_THAT(found.out, HasSubstr("ann@x"));
  EXPECT_THAT(found.out, Not(HasSubstr("bob@x")));
  EXPECT_EQ(um({"user", "list", "--search", "zzz", "--json"}).out, "[]\n");
}

TEST_F(UserCommands, ListRefusesBadPages) {
  for (const auto& arguments : {std::vector<std::string>{"user", "list", "--limit", "0"},
                                {"user", "list", "--limit", "1001"},
                                {"user", "list", "--limit", "ten"},
                                {"user", "list", "--after", "-1"}}) {
    EXPECT_EQ(um(arguments).code, 2);
  }
}

}  // namespace
}  // namespace um
