// Who gets what from every route: no token, a forged one, the user, another user, a service, an
// administrator. A route without a line here fails the test.
#include <gtest/gtest.h>

#include "support/api_stage.hpp"

namespace um::api::test {
namespace {

struct Expected {
  std::string_view route;
  std::string_view target;  // of a request that concerns ada
  std::string body{};
  // nobody, forged, ada, bob, robot, root: '2' a success or another answer of the handler, '1' 401,
  // '3' 403
  std::string_view private_reading;
  std::string_view public_reading;
};

const std::string kNewUser =
    R"({"first_name":"n","last_name":"n","email":"new@example.org","password":"a long password"})";
const std::string kAda = R"({"first_name":"A","last_name":"L","email":"ada@example.org"})";

const std::vector<Expected>& table() {
  static const std::vector<Expected> rows{
      {"user_get", "/user/1", "", "112322", "212222"},
      {"user_by_email", "/users/by-email/ADA%40example.org", "", "112322", "212222"},
      {"auth_me", "/auth/me", "", "112222", "112222"},
      {"user_usage", "/user/1/usage", R"({"usd":"0.5"})", "113322", "113322"},
      {"user_create", "/user/", kNewUser, "212222", "212222"},
      {"user_replace", "/user/1", kAda, "112332", "112332"},
      {"user_patch", "/user/1", R"({"first_name":"A"})", "112332", "112332"},
      {"user_delete", "/user/1", "", "112332", "112332"},
      {"user_list", "/users", "", "113322", "212222"},
      {"user_search", "/users/search?keyword=a", "", "113322", "212222"},
      {"cache_drop", "/cache/user/1", "", "113332", "113332"},
      {"cache_stats", "/cache/stats", "", "113322", "113322"},
      {"auth_login", "/auth/login", R"({"email":"ada@example.org","password":"correct horse"})",
       "222222", "222222"},
      {"auth_logout", "/auth/logout", "", "112222", "112222"},
      {"auth_logout_all", "/auth/logout-all", "", "112222", "112222"},
      {"auth_sessions", "/auth/sessions", "", "112222", "112222"},
      {"auth_session_end", "/auth/sessions/00000000000000000000000000000000", "", "112222",
       "112222"},
      {"jwks", "/.well-known/jwks.json", "", "222222", "222222"},
      {"healthz", "/healthz", "", "222222", "222222"},
      {"readyz", "/readyz", "", "222222", "222222"},
      {"metrics", "/metrics", "", "222222", "222222"},
      {"openapi", "/openapi.json", "", "222222", "222222"},
  };
  return rows;
}

char kind_of_answer(const Reply& reply) {
  if (reply.status == 401) return '1';
  if (reply.status == 403) return '3';
  // The handler was reached: it did what was asked, or somebody before had done it (too often).
  const bool done_before = reply.status == 404 || reply.status == 409 || reply.status == 429;
  return reply.status < 300 || done_before ? '2' : '?';
}

std::string ask_everybody(const Route& route, const Expected& row, ReadAccess reading,
                          bool cached) {
  std::string answers;
  ApiStage stage{{.reading = reading}};
  stage.cache(cached);
  for (const std::string_view who : {"", "forged", "ada", "bob", "robot", "root"}) {
    const std::string line =
        std::string{http::to_string(route.method)}.append(" ").append(row.target);
    answers += kind_of_answer(stage.ask({.line = line, .who = who, .body = row.body}));
  }
  return answers;
}

TEST(ApiAccess, EveryRouteAnswersEverybodyAsTheTableSays) {
  for (const Route& route : routes()) {
    const auto row = std::ranges::find(table(), route.name, &Expected::route);
    ASSERT_NE(row, table().end()) << route.name << " has no line in the table";
    for (const bool cached : {false, true}) {
      EXPECT_EQ(ask_everybody(route, *row, ReadAccess::private_, cached), row->private_reading)
          << route.name << (cached ? " from memory" : "");
      EXPECT_EQ(ask_everybody(route, *row, ReadAccess::public_, cached), row->public_reading)
          << route.name << (cached ? " from memory" : "") << ", public";
    }
  }
}

TEST(ApiAccess, StrangersLearnNothingAboutWhoExists) {
  for (const bool cached : {false, true}) {
    ApiStage stage;
    stage.cache(cached);
    (void)stage.token_of("bob");
    const int finds = stage.users.calls.find;
    for (const std::string_view path :
         {"/user/1", "/user/999", "/user/abc", "/user/0", "/user/99999999999999999999",
          "/users/by-email/ada%40example.org", "/users/by-email/nobody%40example.org",
          "/users/by-email/nonsense", "/users/by-email/%FF"}) {
      const Reply reply = stage.ask({.line = "GET " + std::string{path}, .who = "bob"});
      EXPECT_EQ(reply.status, 403U) << path;
      EXPECT_EQ(reply.member("code"), "forbidden");
    }
    // Each request looked up the caller (and in no case anybody else).
    EXPECT_EQ(stage.users.calls.find - finds, cached ? 0 : 9);
  }
}

TEST(ApiAccess, MethodsOfTheUserAreRefusedBeforeTheBodyIsLookedAt) {
  ApiStage stage;
  for (const std::string_view method : {"PUT", "PATCH", "DELETE"}) {
    const std::string line = std::string{method} + " /user/1";
    EXPECT_EQ(stage.ask({.line = line, .who = "bob", .body = "not json"}).status, 403U);
    EXPECT_EQ(stage.ask({.line = line, .body = "not json"}).status, 401U);
  }
}

TEST(ApiAccess, AServiceChangesNobodyNotEvenItself) {
  for (const bool cached : {false, true}) {
    ApiStage stage;
    stage.cache(cached);
    for (const std::string_view method : {"PUT", "PATCH", "DELETE"}) {
      const Reply reply = stage.ask({.line = std::string{method} + " /user/3",
                                     .who = "robot",
                                     .body = method == "DELETE" ? std::string{} : kAda});
      EXPECT_EQ(reply.status, 403U) << method;
      EXPECT_EQ(reply.member("code"), "forbidden");
    }
    EXPECT_EQ(stage.ask({.line = "GET /user/3", .who = "robot"}).status, 200U);
  }
}

TEST(ApiAccess, TheBareTokenIsAccepted) {
  ApiStage stage;
  Headers headers{{{"Authorization", stage.token_of("ada")}}};
  EXPECT_EQ(stage.ask({.line = "GET /auth/me", .headers = headers}).status, 200U);
}

TEST(ApiAccess, ATokenIsAskedForInTheWaysOfRfc6750) {
  ApiStage stage;
  EXPECT_EQ(stage.ask({.line = "GET /user/1"}).header("WWW-Authenticate"),
            R"(Bearer realm="user-manager")");
  EXPECT_EQ(stage.ask({.line = "GET /user/1"}).member("error"), "token not found");
  EXPECT_EQ(stage.ask({.line = "GET /user/1", .who = "forged"}).header("WWW-Authenticate"),
            R"(Bearer realm="user-manager", error="invalid_token")");
}

}  // namespace
}  // namespace um::api::test
