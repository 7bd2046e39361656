// Health, readiness, documentation and the view of an administrator on the cache.
#include "support/json.hpp"
#include "support/stage_test.hpp"

namespace um::e2e {
namespace {

class Operations : public StageTest<Operations> {};

TEST_F(Operations, AnyoneMayAskForHealthKeysAndDocumentation) {
  stage().run({
      {.request = "GET /healthz", .json = R"({"status": "ok"})"},
      {.request = "GET /readyz", .json = R"({"status": "ready"})"},
      {.request = "GET /.well-known/jwks.json", .json = R"({"keys": "@any"})"},
      {.request = "GET /openapi.json",
       .json = R"({"openapi": "@match:^3[.]1[.]", "paths": "@any"})"},
      {.request = "GET /metrics",
       .has = {"Content-Type: text/plain; version=0.0.4; charset=utf-8"}},
  });
}

TEST_F(Operations, TokensAreNotLookedAtWhereNoneIsNeeded) {
  for (const auto* target :
       {"/healthz", "/readyz", "/metrics", "/openapi.json", "/.well-known/jwks.json"}) {
    stage().run(Step{.request = std::string{"GET "} + target,
                     .headers = {{"Authorization", "Bearer rubbish"}}});
  }
}

TEST_F(Operations, CacheStatsCountHitsAndMisses) {
  stage().add("ann");
  stage().add(Person{.name = "robot", .role = "service"});
  const auto hits = [&] {
    const auto stats = stage().get("admin", "/cache/stats");
    EXPECT_EQ(
        mismatch(
            parse_json(
                R"({"promise": {"consistency": "strict", "staleness_bound_ms": 500}, "hits": {"l1": {"user": "@number", "session": "@number"}},
        "misses": "@any", "refusals": "@any", "evictions": "@any", "bytes": "@number",
        "lease": {"valid": "@any", "age_seconds": "@any", "lapses": "@number"}, "holds": "@any",
        "database_reads": "@number"})"),
            stats.json()),
        "");
    return std::stoll(text_at(stats.json(), "/hits/l1/user"));
  };
  const auto before = hits();
  EXPECT_TRUE(eventually([&] {
    stage().get("ann", "/user/<ann>");
    return hits() > before;
  }));
  stage().run({
      {.who = "robot", .request = "GET /cache/stats"},
      {.who = "ann", .request = "GET /cache/stats", .status = 403},
      {.request = "GET /cache/stats", .status = 401},
  });
}

TEST_F(Operations, DroppingAUserFromTheCacheMakesTheNextReadAMiss) {
  stage().add("ann");
  const auto from_memory = [&] {
    return stage().get("admin", "/user/<ann>").header("Cache-Status") ==
           "user-manager; hit; detail=L1";
  };
  EXPECT_TRUE(eventually(from_memory));
  stage().run(Step{.who = "admin", .request = "DELETE /cache/user/<ann>"});
  EXPECT_FALSE(from_memory());
  EXPECT_TRUE(eventually(from_memory));
  stage().run({
      {.who = "ann", .request = "DELETE /cache/user/<ann>", .status = 403},
      {.request = "DELETE /cache/user/<ann>", .status = 401},
      {.who = "admin", .request = "DELETE /cache/user/999999999"},
      {.who = "admin", .request = "DELETE /cache/user/abc", .status = 404},
  });
}

TEST_F(Operations, AChangeByAnotherProgramIsSeen) {
  stage().add("ann");
  EXPECT_TRUE(eventually([&] {
    return stage().get("admin", "/user/<ann>").header("Cache-Status") ==
           "user-manager; hit; detail=L1";
  }));
  stage().server().storage().execute("UPDATE users SET first_name = 'By hand' WHERE id = " +
                                     stage().known("ann"));
  EXPECT_TRUE(eventually([&] {
    return text_at(stage().get("admin", "/user/<ann>").json(), "/first_name") == "By hand";
  }));
}

TEST_F(Operations, WhatTheCommandLineMakesIsSeenAndCanSignIn) {
  // Known to be absent, from memory.
  EXPECT_TRUE(eventually([&] {
    const auto answer = stage().get("admin", "/users/by-email/late@example.test");
    return answer.status == 404 &&
           answer.header("Cache-Status").value_or("").find("hit") != std::string::npos;
  }));
  const auto made = stage().server().cli(
      {"user", "create", "--email", "late@example.test", "--password-stdin"}, "open-Sesame-1\n");
  EXPECT_EQ(made.code, 0) << made.err;
  EXPECT_TRUE(eventually(
      [&] { return stage().get("admin", "/users/by-email/late@example.test").status == 200; }));
  stage().run(Step{.request = "POST /auth/login",
                   .body = R"({"email": "late@example.test", "password": "open-Sesame-1"})"});
}

TEST_F(Operations, WhatTheCommandLineEndsIsOver) {
  stage().add({"ann", "bob"});
  for (int i = 0; i < 3; ++i) {
    stage().get("ann", "/auth/me");
    stage().get("bob", "/auth/me");
  }
  auto& server = stage().server();
  EXPECT_EQ(server.cli({"user", "disable", stage().known("ann.email")}).code, 0);
  EXPECT_TRUE(eventually([&] { return stage().get("ann", "/auth/me").status == 401; }));
  const auto set = server.cli(
      {"user", "set-password", stage().known("bob.email"), "--password-stdin"}, "other-Sesame-9\n");
  EXPECT_EQ(set.code, 0) << set.err;
  EXPECT_TRUE(eventually([&] { return stage().get("bob", "/auth/me").status == 401; }));
}

}  // namespace
}  // namespace um::e2e
