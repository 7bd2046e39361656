// The answers of every route to every kind of caller (support/access_matrix.hpp), in memory. A
// route without a row in the matrix fails the test.
#include <algorithm>

#include <gtest/gtest.h>

#include "drivers/http/characters.hpp"
#include "support/access_matrix.hpp"
#include "support/api_stage.hpp"

namespace um::api::test {
namespace {

using um::testing::AccessRow;
using um::testing::kAccessMatrix;

const std::string kAda = R"({"first_name":"A","last_name":"L","email":"ada@example.org"})";

std::string fill_in(std::string_view text, std::string_view subject_email) {
  std::string filled{text};
  const auto replace = [&](std::string_view what, std::string_view with) {
    const std::size_t at = filled.find(what);
    if (at != std::string::npos) filled.replace(at, what.size(), with);
  };
  replace("<subject>", "1");
  replace("<subject.email>", subject_email);
  replace("<password>", ApiStage::kPassword);
  replace("<fresh>", "new@example.org");
  return filled;
}

std::string operation_of(const Route& route) {
  std::string operation;
  for (const char c : http::to_string(route.method)) operation += http::to_lower(c);
  return operation.append(" ").append(route.pattern.text);
}

char kind_of_answer(const Reply& reply) {
  if (reply.status == 401) return '1';
  if (reply.status == 403) return '3';
  // The handler ran: it carried out the request, or an earlier caller had done it already (or too
  // often).
  const bool done_before = reply.status == 404 || reply.status == 409 || reply.status == 429;
  return reply.status < 300 || done_before ? '2' : '?';
}

std::string ask_everybody(const AccessRow& row, ReadAccess reading, bool cached) {
  std::string answers;
  ApiStage stage{{.reading = reading}};
  stage.cache(cached);
  const std::string line =
      method_of(row).append(" ").append(fill_in(row.target, "ADA%40example.org"));
  // In the order of kAccessCallers; ada is the subject.
  for (const std::string_view caller : {"", "forged", "bob", "ada", "robot", "root"}) {
    const std::string body = fill_in(row.body, "ada@example.org");
    answers += kind_of_answer(stage.ask({.line = line, .who = caller, .body = body}));
  }
  return answers;
}

TEST(ApiAccess, EveryRouteAnswersEverybodyAsTheTableSays) {
  for (const Route& route : routes()) {
    const auto* const row =
        std::ranges::find(kAccessMatrix, operation_of(route), &AccessRow::operation);
    ASSERT_NE(row, kAccessMatrix.end()) << route.name << " has no line in the table";
    for (const bool cached : {false, true}) {
      EXPECT_EQ(ask_everybody(*row, ReadAccess::private_, cached), row->private_reading)
          << route.name << (cached ? " from memory" : "");
      EXPECT_EQ(ask_everybody(*row, ReadAccess::public_, cached), row->public_reading)
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
    // Each request looked up the caller and no other user.
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
