// GET /user/{id} and GET /users/by-email/{email}: access, conditional reads and fresh reads.
#include "support/stage_test.hpp"

namespace um::e2e {
namespace {

class ReadUser : public StageTest<ReadUser> {
 protected:
  void SetUp() override {
    stage().add({"ann", "bob"});
    stage().add(Person{.name = "robot", .role = "service"});
  }
  // Reads until the answer comes from memory; writes of other tests may empty the cache in between.
  static HttpResponse read_from_memory(const std::string& target) {
    HttpResponse answer;
    EXPECT_TRUE(eventually([&] {
      answer = stage().get("admin", target);
      return answer.header("Cache-Status") == "user-manager; hit; detail=L1";
    })) << answer.text();
    return answer;
  }
};

TEST_F(ReadUser, TheUserTheirAdministratorsAndServicesRead) {
  for (const auto* target : {"GET /user/<ann>", "GET /users/by-email/<ann.email>"}) {
    for (const auto* who : {"ann", "admin", "robot"}) {
      stage().run(Step{.who = who,
                       .request = target,
                       .json = R"({"id": <ann>, "email": "<ann.email>", "first_name": "ann"})",
                       .has = {"ETag", "Cache-Status", "Cache-Control: private, no-cache",
                               "Content-Type: application/json"}});
    }
    stage().run({{.who = "bob", .request = target, .status = 403, .lacks = {"<ann.email>"}},
                 {.request = target, .status = 401, .lacks = {"<ann.email>"}}});
  }
}

TEST_F(ReadUser, StrangersLearnNothingAboutWhoExists) {
  stage().run({
      {.who = "bob", .request = "GET /user/999999999", .status = 403},
      {.who = "bob", .request = "GET /users/by-email/nobody@example.test", .status = 403},
      {.request = "GET /user/999999999", .status = 401},
      {.request = "GET /users/by-email/nobody@example.test", .status = 401},
  });
}

TEST_F(ReadUser, WhoIsNotThereIsNotFound) {
  for (const auto* target :
       {"/user/999999999", "/user/9223372036854775807", "/users/by-email/nobody@example.test"}) {
    for (const auto* who : {"admin", "robot"}) {
      stage().run(Step{.who = who,
                       .request = std::string{"GET "} + target,
                       .status = 404,
                       .json = R"({"code": "user_not_found", "error": "User not found"})"});
    }
  }
}

TEST_F(ReadUser, WhatIsNoIdIsNotFound) {
  for (const auto* id : {"0", "-1", "01", "+1", "1.0", "1e3", "abc", "9223372036854775808", "%31x",
                         "18446744073709551617", "1%00", "1%2F2"}) {
    stage().run(Step{.who = "admin", .request = std::string{"GET /user/"} + id, .status = 404});
  }
}

TEST_F(ReadUser, EscapesOfCharactersThatNeedNoneNameTheSamePath) {
  stage().run({
      {.who = "admin", .request = "GET /%75ser/<admin>", .json = R"({"id": <admin>})"},
      {.who = "admin",
       .request = "GET /users/by%2Demail/nobody%40example.test",
       .status = 404,
       .json = R"({"code": "user_not_found"})"},
      {.who = "admin",
       .request = "GET /user%2F<admin>",
       .status = 404,
       .json = R"({"code": "path_not_found"})"},
      {.who = "admin",
       .request = "GET /%55ser/<admin>",
       .status = 404,
       .json = R"({"code": "path_not_found"})"},
  });
}

TEST_F(ReadUser, TheAddressInThePathIsDecodedAndComparedWithoutCase) {
  stage().run({
      {.who = "admin",
       .request = "POST /user/",
       .body = R"({"email": "o'brien+Ü tag%41@example.test", "password": "open-Sesame-1"})",
       .status = 422},
      {.who = "admin",
       .request = "POST /user/",
       .body = R"({"email": "o'brien+Ü/%41@example.test", "password": "open-Sesame-1"})",
       .status = 201,
       .save = {{"odd", "/id"}}},
      {.who = "admin",
       .request = "GET /users/by-email/" + url_encode("O'BRIEN+Ü/%41@example.TEST"),
       .json = R"({"id": <odd>})"},
      {.who = "admin",
       .request = "GET /users/by-email/" + url_encode("not an address"),
       .status = 404},
  });
}

TEST_F(ReadUser, ASecondReadComesFromMemoryAndNoCacheDoesNot) {
  for (const auto* target : {"/user/<ann>", "/users/by-email/<ann.email>"}) {
    read_from_memory(target);
    const auto fresh = stage().run(Step{.who = "admin",
                                        .request = std::string{"GET "} + target,
                                        .headers = {{"Cache-Control", "no-cache"}},
                                        .json = R"({"id": <ann>})"});
    const auto status = fresh.header("Cache-Status").value_or("");
    EXPECT_TRUE(status.starts_with("user-manager; fwd=")) << status;
    EXPECT_EQ(status.find("hit"), std::string::npos) << status;
  }
}

TEST_F(ReadUser, AbsenceIsRememberedUntilItEnds) {
  const std::string absent = "/users/by-email/soon@example.test";
  EXPECT_TRUE(eventually([&] {
    const auto answer = stage().get("admin", absent);
    return answer.status == 404 &&
           answer.header("Cache-Status").value_or("").find("hit") != std::string::npos;
  }));
  stage().run({{.request = "POST /user/",
                .body = R"({"email": "soon@example.test", "password": "open-Sesame-1"})",
                .status = 201},
               {.who = "admin", .request = "GET " + absent, .status = 200}});
}

TEST_F(ReadUser, MaxStaleAndOtherCacheDirectivesDoNoHarm) {
  for (const auto* directive :
       {"max-stale=60", "max-stale", "max-stale=abc", "max-age=0", "no-cache, max-stale=1",
        "something=else", "max-stale=-1", "max-stale=99999999999999999999"}) {
    stage().run(Step{.who = "admin",
                     .request = "GET /user/<ann>",
                     .headers = {{"Cache-Control", directive}},
                     .json = R"({"id": <ann>})"});
  }
}

TEST_F(ReadUser, HeadGivesTheHeadersOfGet) {
  for (const auto* target : {"/user/<ann>", "/users/by-email/<ann.email>", "/users", "/healthz",
                             "/auth/me", "/openapi.json", "/.well-known/jwks.json"}) {
    const auto get = stage().get("admin", target);
    const auto head = stage().run(Step{.who = "admin", .request = std::string{"HEAD "} + target});
    EXPECT_EQ(head.body, "");
    EXPECT_EQ(head.header("Content-Length"), get.header("Content-Length")) << target;
    EXPECT_EQ(head.header("ETag"), get.header("ETag")) << target;
    EXPECT_EQ(head.header("Content-Type"), get.header("Content-Type")) << target;
  }
  stage().run({{.who = "admin", .request = "HEAD /user/999999999", .status = 404},
               {.request = "HEAD /user/<ann>", .status = 401}});
}

TEST_F(ReadUser, IfNoneMatchSavesTheBody) {
  for (const auto* target : {"GET /user/<ann>", "GET /users/by-email/<ann.email>"}) {
    stage().run(Step{.who = "ann", .request = target, .save = {{"tag", "header:ETag"}}});
    for (const auto* condition :
         {"<tag>", "W/<tag>", "*", R"("other", <tag>)", R"(W/"other" ,<tag>, "more,with,comma")"}) {
      const auto answer = stage().run(Step{.who = "ann",
                                           .request = target,
                                           .headers = {{"If-None-Match", condition}},
                                           .status = 304,
                                           .has = {"ETag: <tag>", "Cache-Control"},
                                           .lacks = {"header:Content-Type"}});
      EXPECT_EQ(answer.body, "");
    }
    for (const auto* condition : {R"("other")", R"("")", R"(W/"other")"}) {
      stage().run(Step{.who = "ann",
                       .request = target,
                       .headers = {{"If-None-Match", condition}},
                       .json = R"({"id": <ann>})"});
    }
  }
}

TEST_F(ReadUser, EveryChangeAndEveryCounterMakesANewTag) {
  stage().run({
      {.who = "ann", .request = "GET /user/<ann>", .save = {{"first", "header:ETag"}}},
      {.who = "ann", .request = "PATCH /user/<ann>", .body = R"({"last_name": "Changed"})"},
      {.who = "ann",
       .request = "GET /user/<ann>",
       .headers = {{"If-None-Match", "<first>"}},
       .json = R"({"last_name": "Changed"})",
       .save = {{"second", "header:ETag"}}},
      {.who = "robot", .request = "POST /user/<ann>/usage", .body = R"({"usd": "1"})"},
      {.who = "ann",
       .request = "GET /user/<ann>",
       .headers = {{"If-None-Match", "<second>"}, {"Cache-Control", "no-cache"}},
       .json = R"({"used_usd": 1})"},
  });
}

TEST_F(ReadUser, UnknownParametersAndOtherFormatsAreIgnored) {
  stage().run({
      {.who = "ann",
       .request = "GET /user/<ann>",
       .headers = {{"Accept", "text/html"}},
       .has = {"Content-Type: application/json"}},
      {.who = "ann", .request = "GET /user/<ann>?unknown=parameter", .json = R"({"id": <ann>})"},
  });
}

}  // namespace
}  // namespace um::e2e
