#include <gmock/gmock.h>

#include "cli/testing/cli_harness.hpp"

namespace um {
namespace {

using testing::ContainsRegex;
using testing::HasSubstr;
using TokenCommands = CliHarness;

std::string id_in(const std::string& json) {
  const auto at = json.find("\"id\":\"") + 6;
  return json.substr(at, json.find('"', at) - at);
}

TEST_F(TokenCommands, ATokenIsMadeListedAndRevoked) {
  create("bot@x", {"--role", "service"});
  const auto made = um({"token", "create", "--email", "bot@x", "--ttl", "30d", "--label", "ci"});
  EXPECT_EQ(made.code, 0) << made.err;
  EXPECT_THAT(made.out, ContainsRegex("^[A-Za-z0-9_-]+[.][A-Za-z0-9_-]+[.][A-Za-z0-9_-]+\n$"));
  EXPECT_THAT(made.err, HasSubstr("it is not shown again"));

  for (const auto& arguments : {std::vector<std::string>{"token", "list", "--json"},
                                {"token", "list", "--email", "bot@x", "--json"}}) {
    const auto listed = um(arguments);
    EXPECT_THAT(listed.out, HasSubstr("\"email\":\"bot@x\""));
    EXPECT_THAT(listed.out, HasSubstr("\"label\":\"ci\""));
    EXPECT_EQ(listed.out.find(made.out.substr(0, 30)), std::string::npos);
  }
  const auto id = id_in(um({"token", "list", "--json"}).out);
  EXPECT_THAT(um({"token", "list"}).out, HasSubstr(id));
  EXPECT_EQ(um({"token", "revoke", id}).out, "revoked token " + id + "\n");
  EXPECT_EQ(um({"token", "list", "--json"}).out, "[]\n");
  EXPECT_EQ(um({"token", "revoke", id}).code, 1);
}

TEST_F(TokenCommands, JsonGivesTheTokenWithItsIdAndExpiry) {
  create("bot@x", {"--role", "service"});
  EXPECT_THAT(
      um({"token", "create", "--email", "bot@x", "--json"}).out,
      ContainsRegex(
          "^[{]\"token\":\"[^\"]+\",\"id\":\"[0-9a-f]{32}\",\"expires_at\":\"20[^\"]+Z\"[}]\n$"));
}

TEST_F(TokenCommands, OnlyServicesHaveTokens) {
  create("ann@x");
  EXPECT_EQ(um({"token", "create", "--email", "ann@x"}).code, 1);
  EXPECT_EQ(um({"token", "create", "--email", "nobody@x"}).code, 1);
}

TEST_F(TokenCommands, BadRequestsAreMisuse) {
  create("bot@x", {"--role", "service"});
  for (const auto& arguments : {std::vector<std::string>{"token", "create"},
                                {"token", "create", "--email", "nobody"},
                                {"token", "create", "--email", "bot@x", "--ttl", "366d"},
                                {"token", "create", "--email", "bot@x", "--ttl", "0s"},
                                {"token", "create", "--email", "bot@x", "--ttl", "90"},
                                {"token", "revoke", "xyz"}}) {
    EXPECT_EQ(um(arguments).code, 2) << testing::PrintToString(arguments);
  }
}

TEST_F(TokenCommands, KeysRotateAndAreRevoked) {
  EXPECT_EQ(um({"keys", "list", "--json"}).out, "[]\n");
  const auto first = um({"keys", "rotate"});
  EXPECT_THAT(first.out, ContainsRegex("^signing with [A-Za-z0-9_-]{43}\n$"));
  const auto second = um({"keys", "rotate"});
  const std::string old_kid = first.out.substr(13, 43);
  const std::string new_kid = second.out.substr(13, 43);
  EXPECT_THAT(um({"keys", "list"}).out,
              ContainsRegex(new_kid + "  signs .*\n" + old_kid + "  verifies "));
  EXPECT_EQ(um({"keys", "revoke", old_kid}).code, 0);
  EXPECT_THAT(um({"keys", "list", "--json"}).out,
              HasSubstr("\"kid\":\"" + old_kid + "\",\"state\":\"revoked\""));
  const auto unknown = um({"keys", "revoke", "nonsense"});
  EXPECT_EQ(unknown.code, 1);
  EXPECT_EQ(unknown.err, "user-manager: no key nonsense\n");
}

TEST_F(TokenCommands, AWeakOrMissingSecretFileIsMisuseAndNotShown) {
  create("bot@x", {"--role", "service"});
  environment_["USER_MANAGER_JWT_HS256_SECRET_FILE"] = write_file("secret", "secret-key");
  const auto weak = um({"token", "create", "--email", "bot@x"});
  EXPECT_EQ(weak.code, 2);
  EXPECT_THAT(weak.err, HasSubstr("jwt-hs256-secret-file: "));
  EXPECT_EQ(weak.err.find("secret-key"), std::string::npos);
  environment_["USER_MANAGER_JWT_HS256_SECRET_FILE"] = file("");
  const auto folder = um({"token", "create", "--email", "bot@x"});
  EXPECT_EQ(folder.code, 2);
  EXPECT_THAT(folder.err, HasSubstr("is a directory"));
  environment_["USER_MANAGER_JWT_HS256_SECRET_FILE"] = file("missing");
  EXPECT_EQ(um({"token", "create", "--email", "bot@x"}).code, 2);
}

}  // namespace
}  // namespace um
