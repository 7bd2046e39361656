// `user-manager token`, `keys` and `backup`, beside a running server.
#include <thread>

#include <boost/json/serialize.hpp>

#include "support/database_probe.hpp"
#include "support/json.hpp"
#include "support/jwt.hpp"
#include "support/stage_test.hpp"

namespace um::e2e {
namespace {

class CliToken : public StageTest<CliToken> {
 protected:
  void SetUp() override { stage().add(Person{.name = "robot", .role = "service"}); }

  static boost::json::value json_of(std::vector<std::string> arguments) {
    arguments.emplace_back("--json");
    const auto result = stage().server().cli(std::move(arguments));
    EXPECT_EQ(result.code, 0) << result.err;
    return parse_json(result.out);
  }
  static void expect_failure(std::vector<std::string> arguments, int code) {
    const auto result = stage().server().cli(std::move(arguments));
    EXPECT_EQ(result.code, code) << result.out << result.err;
    EXPECT_EQ(std::ranges::count(result.err, '\n'), 1) << result.err;
  }
  static unsigned me_with(const std::string& token) {
    return stage().send({.target = "/auth/me", .headers = {bearer(token)}}).status;
  }
  static std::string fresh_login(const std::string& name) {
    stage().sign_in_again(name);
    return stage().token(name);
  }
};

TEST_F(CliToken, AServiceTokenWorksAndEnds) {
  const auto made = json_of({"token", "create", "--email", stage().known("robot.email"), "--ttl",
                             "30d", "--label", "nightly job"});
  EXPECT_EQ(mismatch(parse_json(R"({"token": "@string", "id": "@match:^[0-9a-f]{32}$",
                                    "expires_at": "@time"})"),
                     made),
            "");
  const auto token = text_at(made, "/token");
  const auto claims = take_apart(token).claims;
  EXPECT_EQ(claims.at("exp").to_number<std::int64_t>() - claims.at("iat").to_number<std::int64_t>(),
            30 * 86'400);
  EXPECT_EQ(me_with(token), 200U);
  stage().remember("job.token", token);
  stage().run({{.who = "job", .request = "GET /users"},
               {.who = "job", .request = "POST /user/<robot>/usage", .body = R"({"usd": 1})"},
               {.who = "job", .request = "PATCH /user/<robot>", .body = "{}", .status = 403}});

  const auto listed = json_of({"token", "list", "--email", stage().known("robot.email")});
  EXPECT_EQ(
      mismatch(
          parse_json(stage().fill_in(R"([{"id": ")" + text_at(made, "/id") +
                                     R"(", "email": "<robot.email>", "label": "nightly job"}])")),
          listed),
      "");
  EXPECT_EQ(boost::json::serialize(listed).find("eyJ"), std::string::npos);

  EXPECT_EQ(json_of({"token", "revoke", text_at(made, "/id")}).is_object(), true);
  EXPECT_TRUE(eventually([&] { return me_with(token) == 401; }));
  EXPECT_EQ(json_of({"token", "list", "--email", stage().known("robot.email")}).as_array().size(),
            0U);
  expect_failure({"token", "revoke", text_at(made, "/id")}, 1);
}

TEST_F(CliToken, OnlyTheTokenGoesToStandardOutput) {
  const auto made =
      stage().server().cli({"token", "create", "--email", stage().known("robot.email")});
  EXPECT_EQ(made.code, 0) << made.err;
  EXPECT_EQ(std::ranges::count(made.out, '\n'), 1);
  const auto token = made.out.substr(0, made.out.size() - 1);
  EXPECT_EQ(me_with(token), 200U);
  EXPECT_EQ(made.err.find(token), std::string::npos);
  const auto claims = take_apart(token).claims;
  EXPECT_EQ(claims.at("exp").to_number<std::int64_t>() - claims.at("iat").to_number<std::int64_t>(),
            90 * 86'400);
}

TEST_F(CliToken, TokensAreForServicesThatAreThere) {
  stage().add("ann");
  expect_failure({"token", "create", "--email", stage().known("ann.email")}, 1);
  expect_failure({"token", "create", "--email", std::string{kAdminEmail}}, 1);
  expect_failure({"token", "create", "--email", "nobody@example.test"}, 1);
  expect_failure({"token", "create", "--email", "none"}, 2);
  expect_failure({"token", "create"}, 2);
  for (const auto* ttl : {"0", "0s", "-1d", "366d", "soon", "", "1e9d"}) {
    expect_failure({"token", "create", "--email", stage().known("robot.email"), "--ttl", ttl}, 2);
  }
  expect_failure({"token", "revoke", "rubbish"}, 2);
  // A session of a person is no token.
  const auto sid = text_at(take_apart(stage().token("ann")).claims, "/sid");
  expect_failure({"token", "revoke", sid}, 1);
  EXPECT_EQ(me_with(stage().token("ann")), 200U);
}

TEST_F(CliToken, WhoStopsBeingAServiceHasNoTokens) {
  const auto token =
      text_at(json_of({"token", "create", "--email", stage().known("robot.email")}), "/token");
  EXPECT_EQ(me_with(token), 200U);
  stage().run(
      Step{.who = "admin", .request = "PATCH /user/<robot>", .body = R"({"is_active": false})"});
  EXPECT_EQ(me_with(token), 401U);
  stage().run(
      Step{.who = "admin", .request = "PATCH /user/<robot>", .body = R"({"is_active": true})"});
  EXPECT_EQ(me_with(token), 401U);
}

TEST_F(CliToken, ARotatedKeySignsAndTheOldOneStillVerifies) {
  stage().add("poller");  // signs in again and again, which ends the oldest of too many sessions
  const auto old_token = fresh_login("robot");
  const auto old_kid = text_at(take_apart(old_token).header, "/kid");
  const auto new_kid = text_at(json_of({"keys", "rotate"}), "/kid");
  EXPECT_NE(new_kid, old_kid);
  EXPECT_TRUE(eventually(
      [&] { return text_at(take_apart(fresh_login("poller")).header, "/kid") == new_kid; }));
  const auto new_token = stage().token("poller");
  EXPECT_EQ(me_with(old_token), 200U);
  EXPECT_EQ(me_with(new_token), 200U);
  const auto keys = stage().send({.target = "/.well-known/jwks.json"}).json();
  EXPECT_TRUE(verifies(take_apart(old_token), keys));
  EXPECT_TRUE(verifies(take_apart(new_token), keys));
  const auto states = json_of({"keys", "list"});
  EXPECT_EQ(text_at(states, "/0/kid"), new_kid);
  EXPECT_EQ(text_at(states, "/0/state"), "signs");

  // Revoked: every token of that key is refused, the others are not.
  EXPECT_EQ(text_at(json_of({"keys", "revoke", old_kid}), "/revoked"), old_kid);
  EXPECT_TRUE(eventually([&] { return me_with(old_token) == 401; }));
  EXPECT_EQ(me_with(new_token), 200U);
  EXPECT_TRUE(eventually([&] {
    return !verifies(take_apart(old_token),
                     stage().send({.target = "/.well-known/jwks.json"}).json());
  }));
  stage().sign_in_again("admin");
}

TEST_F(CliToken, RevokingTheKeyThatSignsLeavesOneThatDoes) {
  const auto token = fresh_login("robot");
  const auto kid = text_at(take_apart(token).header, "/kid");
  EXPECT_EQ(stage().server().cli({"keys", "revoke", kid}).code, 0);
  EXPECT_TRUE(eventually([&] { return me_with(token) == 401; }));
  EXPECT_TRUE(eventually([&] {
    auto client = stage().server().client();
    const auto answer = client.send(
        {.method = "POST",
         .target = "/auth/login",
         .body = stage().fill_in(R"({"email": "<robot.email>", "password": "open-Sesame-1"})")});
    return answer.status == 200 && me_with(text_at(answer.json(), "/token")) == 200;
  }));
  stage().sign_in_again("admin");
  expect_failure({"keys", "revoke", "no-such-key"}, 1);
  expect_failure({"keys", "revoke"}, 2);
}

TEST_F(CliToken, ABackupOfARunningSqliteServerIsAWholeDatabase) {
  stage().add("ann");
  const auto file = stage().server().directory() + "/backup.db";
  std::atomic<bool> stop{false};
  int written = 0;
  std::jthread writer{[&] {
    auto client = stage().server().client();
    while (!stop) {
      const auto answer =
          client.send({.method = "PATCH",
                       .target = stage().fill_in("/user/<ann>"),
                       .headers = {bearer(stage().token("ann"))},
                       .body = R"({"last_name": "n)" + std::to_string(written) + R"("})"});
      if (answer.status == 200) ++written;
    }
  }};
  const auto made = stage().server().cli({"backup", file});
  stop = true;
  writer.join();
  EXPECT_EQ(made.code, 0) << made.err;
  EXPECT_GT(written, 0);
  {
    DatabaseProbe probe{file};
    EXPECT_EQ(probe.integrity(), "ok");
    EXPECT_EQ(probe.value("SELECT email FROM users WHERE id = " + stage().known("ann")),
              stage().known("ann.email"));
  }
  expect_failure({"backup", file}, 1);  // never over a file that is there
  expect_failure({"backup", "/proc/no/such/place.db"}, 1);
  expect_failure({"backup"}, 2);
  // It starts, and the same people can sign in.
  ServerUnderTest copy{{.database = file}};
  auto client = copy.client();
  sign_in(client, stage().known("ann.email"));
}

}  // namespace
}  // namespace um::e2e
