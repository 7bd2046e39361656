// Scenarios of several requests, and effects that an answer does not show.
#include <gtest/gtest.h>

#include "api/schemas.hpp"
#include "support/api_stage.hpp"

namespace um::api::test {
namespace {

using namespace std::chrono_literals;

TEST(ApiConditions, WhatIsKnownIsNotSentAgain) {
  for (const bool cached : {false, true}) {
    ApiStage stage;
    stage.cache(cached);
    const std::string tag = stage.ask({.line = "GET /user/1", .who = "ada"}).header("ETag");
    for (const std::string& field : {tag, "W/" + tag, R"("other", )" + tag, std::string{"*"}}) {
      const Reply reply =
          stage.ask({.line = "GET /user/1", .who = "ada", .headers = with("If-None-Match", field)});
      EXPECT_EQ(reply.status, 304U) << field;
      EXPECT_EQ(reply.body, "");
      EXPECT_EQ(reply.header("ETag"), tag);
      EXPECT_EQ(reply.header("Cache-Control"), "private, no-cache");
      EXPECT_EQ(reply.header("Content-Type"), "");
      EXPECT_EQ(reply.at_once, cached);
    }
    for (const char* field : {"\"other\"", "junk", "\"", "W/"}) {
      EXPECT_EQ(
          stage.ask({.line = "GET /user/1", .who = "ada", .headers = with("If-None-Match", field)})
              .status,
          200U)
          << field;
    }
  }
}

TEST(ApiConditions, TheTagThatGetGaveGuardsAChange) {
  ApiStage stage;
  const std::string tag = stage.ask({.line = "GET /user/1", .who = "ada"}).header("ETag");
  const auto change = [&](const std::string& name) {
    return stage.ask({.line = "PATCH /user/1",
                      .who = "ada",
                      .body = R"({"first_name":")" + name + "\"}",
                      .headers = with("If-Match", R"("1-x-2", )" + tag)});
  };
  const Reply first = change("one");
  EXPECT_EQ(first.status, 200U) << first.body;
  EXPECT_NE(first.header("ETag"), tag);
  EXPECT_EQ(change("two").status, 412U);
}

TEST(ApiConditions, CountersDoNotInvalidateIfMatch) {
  ApiStage stage;
  const std::string tag = stage.ask({.line = "GET /user/1", .who = "ada"}).header("ETag");
  stage.users.rows.at(*UserId::from(1)).user.counters_version += 5;
  EXPECT_EQ(stage.ask({.line = "GET /user/1", .who = "ada", .headers = with("If-None-Match", tag)})
                .status,
            200U);
  EXPECT_EQ(stage
                .ask({.line = "PATCH /user/1",
                      .who = "ada",
                      .body = R"({"first_name":"x"})",
                      .headers = with("If-Match", tag)})
                .status,
            200U);
}

TEST(ApiSessions, AfterLogoutTheTokenIsRefused) {
  ApiStage stage;
  EXPECT_EQ(stage.ask({.line = "POST /auth/logout", .who = "ada"}).status, 200U);
  for (const bool cached : {false, true}) {
    stage.cache(cached);
    const Reply reply = stage.ask({.line = "GET /auth/me", .who = "ada"});
    EXPECT_EQ(reply.status, 401U);
    EXPECT_EQ(reply.member("code"), "token_invalid");
  }
}

TEST(ApiSessions, OneSessionOfSeveralCanBeEnded) {
  ApiStage stage;
  const Reply login =
      stage.ask({.line = "POST /auth/login",
                 .body = R"({"email":"ada@example.org","password":"correct horse"})",
                 .headers = with("User-Agent", "tele\"phone\xFF")});
  const auto sessions = stage.ask({.line = "GET /auth/sessions", .who = "ada"}).json();
  ASSERT_EQ(sessions.items.size(), 2U);
  for (const JsonValue& session : sessions.items) {
    if (session.find("current")->boolean) continue;
    EXPECT_EQ(session.find("address")->text, "192.0.2.1");
    EXPECT_EQ(stage.ask({.line = "DELETE /auth/sessions/" + session.find("id")->text, .who = "ada"})
                  .status,
              200U);
  }
  EXPECT_EQ(
      stage.ask({.line = "GET /auth/me", .headers = with("Authorization", login.member("token"))})
          .status,
      401U);
  EXPECT_EQ(stage.ask({.line = "GET /auth/me", .who = "ada"}).status, 200U);
}

TEST(ApiSessions, GuessingIsLimitedAndSaysWhenToTryAgain) {
  ApiStage stage;
  const auto guess = [&] {
    return stage.ask(
        {.line = "POST /auth/login", .body = R"({"email":"ada@example.org","password":"guess"})"});
  };
  for (int i = 0; i < 3; ++i) EXPECT_EQ(guess().status, 401U);
  const Reply reply = guess();
  EXPECT_EQ(reply.status, 429U);
  EXPECT_GT(std::stoi(reply.header("Retry-After")), 0);
}

TEST(ApiRegistration, AnAddressGetsAHundredAndHearsWhenToTryAgain) {
  ApiStage stage;
  auto register_one = [&, number = 0](std::string_view who) mutable {
    return stage.ask({.line = "POST /user/",
                      .who = who,
                      .body = R"({"email":"n)" + std::to_string(++number) +
                              R"(@example.org","password":"correct horse"})"});
  };
  for (int i = 0; i < 100; ++i) ASSERT_EQ(register_one(i % 2 == 0 ? "" : "ada").status, 201U) << i;
  const Reply refused = register_one("");
  EXPECT_EQ(refused.status, 429U);
  EXPECT_EQ(refused.member("detail"), "too many registrations");
  EXPECT_GT(std::stoi(refused.header("Retry-After")), 0);
  EXPECT_EQ(register_one("root").status, 201U);
  // Other users behind the same address can still sign in.
  const std::string body = R"({"email":"ada@example.org","password":"correct horse"})";
  EXPECT_EQ(stage.ask({.line = "POST /auth/login", .body = body}).status, 200U);
  stage.clock.advance(std::chrono::minutes{16});
  EXPECT_EQ(register_one("").status, 201U);
}

TEST(ApiSchemas, AnswersHaveTheMembersThatAreDeclared) {
  ApiStage stage;
  const auto expect_members = [](const JsonValue& value, Schema schema) {
    const auto declared = members_of(schema);
    EXPECT_EQ(value.members.size(), declared.size()) << name_of(schema);
    for (const SchemaMember& member : declared) {
      EXPECT_TRUE(value.find(member.property.name)) << name_of(schema) << member.property.name;
    }
  };
  const auto body = [&](std::string_view line, std::string_view who, std::string text = {}) {
    return stage.ask({.line = line, .who = who, .body = std::move(text)}).json();
  };
  expect_members(body("GET /user/1", "ada"), Schema::user);
  expect_members(body("GET /users", "root").items.at(0), Schema::user_list);
  expect_members(body("PATCH /user/1", "ada", "{}"), Schema::user_change);
  expect_members(body("POST /user/1/usage", "robot", R"({"usd":1})"), Schema::usage_totals);
  expect_members(
      body("POST /auth/login", "", R"({"email":"ada@example.org","password":"correct horse"})"),
      Schema::signed_in);
  expect_members(body("GET /auth/sessions", "ada").items.at(0), Schema::session_list);
  expect_members(body("POST /auth/logout", "ada"), Schema::message);
  expect_members(body("GET /healthz", ""), Schema::status);
}

TEST(ApiUsage, TheQuotaIsToldExactly) {
  ApiStage stage;
  stage.users.rows.at(*UserId::from(1)).user.quota_usd = Usd::parse("0.3");
  const auto use = [&](std::string usd) {
    return stage
        .ask({.line = "POST /user/1/usage", .who = "robot", .body = R"({"usd":)" + usd + "}"})
        .body;
  };
  EXPECT_EQ(use("0.1"),
            R"({"used_usd":0.1,"quota_usd":0.3,"remaining_usd":0.2,"quota_exceeded":false})");
  EXPECT_EQ(use("0.2"),
            R"({"used_usd":0.3,"quota_usd":0.3,"remaining_usd":0,"quota_exceeded":false})");
  EXPECT_EQ(
      use("0.000001"),
      R"({"used_usd":0.300001,"quota_usd":0.3,"remaining_usd":-0.000001,"quota_exceeded":true})");
}

TEST(ApiAtOnce, WhatIsInMemoryIsAnsweredWithoutWaiting) {
  ApiStage stage;
  (void)stage.token_of("ada");
  stage.cache(true);
  for (const std::string_view line : {"GET /user/1", "HEAD /user/1", "GET /auth/me"}) {
    const Reply reply = stage.ask({.line = line, .who = "ada"});
    EXPECT_TRUE(reply.at_once) << line;
    EXPECT_EQ(reply.status, 200U);
    EXPECT_EQ(reply.header("Cache-Status"), "user-manager; hit; detail=L1");
  }
  for (const std::string_view line :
       {"GET /healthz", "GET /openapi.json", "GET /nothing", "OPTIONS /user/1"}) {
    EXPECT_TRUE(stage.ask({.line = line}).at_once) << line;
  }
  EXPECT_TRUE(stage.ask({.line = "GET /user/1"}).at_once);  // 401
  stage.cache(false);
  EXPECT_FALSE(stage.ask({.line = "GET /user/1", .who = "ada"}).at_once);
}

TEST(ApiAtOnce, BothWaysGiveTheSameAnswer) {
  for (const std::string_view who : {"", "forged", "ada", "bob", "root"}) {
    for (const std::string_view line :
         {"GET /user/1", "GET /user/77", "GET /user/x", "GET /auth/me"}) {
      ApiStage stage;
      const auto headers = with("X-Request-Id", "same");
      const Reply waited = stage.ask({.line = line, .who = who, .headers = headers});
      stage.cache(true);
      const Reply at_once = stage.ask({.line = line, .who = who, .headers = headers});
      EXPECT_EQ(waited.status, at_once.status) << who << " " << line;
      EXPECT_EQ(waited.body, at_once.body);
      EXPECT_EQ(waited.header("ETag"), at_once.header("ETag"));
    }
  }
}

TEST(ApiStats, EveryRequestCountsOnce) {
  ApiStage stage;
  (void)stage.ask({.line = "GET /user/1", .who = "ada"});
  stage.cache(true);
  (void)stage.ask({.line = "GET /user/1", .who = "ada"});
  (void)stage.ask({.line = "GET /user/1"});
  (void)stage.ask({.line = "GET /nothing"});
  const RequestStats stats = stage.api.stats();
  EXPECT_EQ(stats.routes.front().by_status,
            (std::map<unsigned, std::uint64_t>{{200, 2}, {401, 1}}));
  EXPECT_EQ(stats.routes.back().by_status, (std::map<unsigned, std::uint64_t>{{404, 1}}));
  EXPECT_EQ(stats.answered_at_once, 3U);
}

TEST(ApiFailures, TheDatabaseAwayIsA503WithRetryAfterAndTheReasonInTheLogOnly) {
  std::vector<std::string> lines;
  ApiStage stage{{.log = [&](const RequestLogLine& line) {
    lines.push_back(std::string{line.route} + " " + std::to_string(line.status) + " " +
                    std::string{line.detail});
  }}};
  (void)stage.token_of("ada");
  stage.users.failure = stage.sessions.failure = Error{
      .code = ErrorCode::unavailable, .detail = "disk of users.db is full", .retry_after = 7s};
  const Reply reply = stage.ask({.line = "GET /user/1", .who = "ada"});
  EXPECT_EQ(reply.status, 503U);
  EXPECT_EQ(reply.header("Retry-After"), "7");
  EXPECT_EQ(reply.member("code"), "unavailable");
  EXPECT_EQ(reply.body.find("disk"), std::string::npos);
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_EQ(lines[0], "user_get 503 disk of users.db is full");
}

TEST(ApiFailures, AClientThatLeftIsNoFailureOfTheService) {
  std::vector<std::string> lines;
  ApiStage stage{{.log = [&](const RequestLogLine& line) { lines.emplace_back(line.route); }}};
  stage.users.failure = Error{.code = ErrorCode::cancelled, .detail = "the client has gone"};
  const Reply reply = stage.ask(
      {.line = "POST /auth/login", .body = R"({"email":"ada@example.org","password":"guess"})"});
  // A client that only ended its sending still reads this answer.
  EXPECT_EQ(reply.status, 503U);
  EXPECT_EQ(reply.member("code"), "cancelled");
  EXPECT_TRUE(lines.empty());
  const RequestStats stats = stage.api.stats();
  const auto login =
      std::ranges::find(stats.routes, "auth_login", &RequestStats::RouteCounts::route);
  EXPECT_EQ(login->by_status, (std::map<unsigned, std::uint64_t>{{499, 1}}));
  EXPECT_EQ(stage.sign_in.stats().cancelled, 1U);
  EXPECT_EQ(stage.sign_in.stats().unavailable, 0U);
}

TEST(ApiFailures, ReadyzSaysWhatIsMissing) {
  ApiStage stage;
  stage.process.missing = {{"database", "cannot be opened"}, {"lease", "has lapsed"}};
  const Reply reply = stage.ask({.line = "GET /readyz"});
  EXPECT_EQ(reply.status, 503U);
  EXPECT_EQ(reply.header("Retry-After"), "1");
  EXPECT_EQ(reply.member("detail"), "database: cannot be opened; lease: has lapsed");
  EXPECT_EQ(reply.json().find("errors")->items.size(), 2U);
}

TEST(ApiFailures, RefusalsOfTheServerLookLikeOurs) {
  using enum http::Refusal::Reason;
  ApiStage stage;
  for (const http::Refusal::Reason reason :
       {bad_request, request_timeout, content_too_large, uri_too_long, expectation_failed,
        header_too_large, not_implemented, method_not_allowed, version_not_supported, overloaded,
        internal}) {
    http::Response response;
    response.status = http::status_of(reason);
    response.close = true;
    stage.api.refuse({.reason = reason, .detail = "Two Host fields."}, {}, response);
    EXPECT_EQ(response.status, http::status_of(reason));
    EXPECT_TRUE(response.close);
    const Reply reply{.headers = response.headers, .body = response.body};
    EXPECT_EQ(reply.member("status"), std::to_string(response.status));
    EXPECT_TRUE(RequestId::is_sane(reply.header("X-Request-Id")));
    EXPECT_EQ(reply.header("Retry-After").empty(), reason != overloaded);
    EXPECT_EQ(reply.header("Allow").empty(), reason != method_not_allowed);
  }
}

TEST(ApiFailures, ARefusalKeepsTheRequestIdIfThereIsOneThatIsSane) {
  ApiStage stage;
  const std::string bytes = "X-Request-Idabc-1x y";
  const http::Field sane{.name = {0, 12}, .value = {12, 5}};
  const http::Field odd{.name = {0, 12}, .value = {17, 3}};
  const auto id_for = [&](const std::vector<http::Field>& fields) {
    http::Response response;
    stage.api.refuse({}, {bytes.data(), fields}, response);
    return Reply{.headers = response.headers}.header("X-Request-Id");
  };
  EXPECT_EQ(id_for({sane}), "abc-1");
  for (const auto& fields :
       {std::vector{sane, sane}, std::vector{odd}, std::vector<http::Field>{}}) {
    EXPECT_NE(id_for(fields), "abc-1");
    EXPECT_TRUE(RequestId::is_sane(id_for(fields)));
  }
}

TEST(ApiLog, EverythingIsToldIfAskedFor) {
  std::vector<std::string> lines;
  ApiStage stage{{.log_requests = LogRequests::all, .log = [&](const RequestLogLine& line) {
                    lines.push_back(std::string{line.method} + " " + std::string{line.route} + " " +
                                    std::string{line.problem} + " " +
                                    (line.user ? line.user->text() : "-"));
                  }}};
  (void)stage.ask({.line = "GET /user/77", .who = "root"});
  (void)stage.ask({.line = "GET /users/by-email/secret%40example.org"});
  (void)stage.ask({.line = "PUT /nowhere"});
  EXPECT_EQ(lines, (std::vector<std::string>{"GET user_get user_not_found 4",
                                             "GET user_by_email token_missing -",
                                             "PUT unmatched path_not_found -"}));
}

}  // namespace
}  // namespace um::api::test
