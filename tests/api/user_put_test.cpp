// PUT /user/{id}: replacing a user, as clients of the Go program do and as clients with If-Match
// do.
#include "support/stage_test.hpp"

namespace um::e2e {
namespace {

class PutUser : public StageTest<PutUser> {
 protected:
  void SetUp() override {
    stage().add({"ann", "bob"});
    stage().add(Person{.name = "robot", .role = "service"});
  }
};

constexpr const char* kAnn =
    R"({"first_name": "Anne", "last_name": "Example", "email": "<ann.email>"})";

TEST_F(PutUser, ReplacesAndAnswersAsTheGoProgramDid) {
  stage().run({
      {.who = "ann",
       .request = "PUT /user/<ann>",
       .body = R"({"first_name": "Anna", "last_name": "", "email": "anna@example.test"})",
       .json = R"({"message": "User updated successfully",
                   "user": {"id": <ann>, "first_name": "Anna", "last_name": "",
                            "email": "anna@example.test"}})"},
      {.who = "ann",
       .request = "GET /user/<ann>",
       .json = R"({"first_name": "Anna", "email": "anna@example.test"})"},
      {.who = "admin",
       .request = "GET /users/by-email/anna@example.test",
       .json = R"({"id": <ann>})"},
      {.who = "admin", .request = "GET /users/by-email/<ann.email>", .status = 404},
      {.who = "admin",
       .request = "PUT /user/<ann>",
       .body = kAnn,
       .json = R"({"user": {"first_name": "Anne"}})"},
  });
}

TEST_F(PutUser, IsForTheUserAndAdministratorsOnly) {
  stage().run({
      {.request = "PUT /user/<ann>", .body = kAnn, .status = 401},
      {.who = "bob", .request = "PUT /user/<ann>", .body = kAnn, .status = 403},
      {.who = "robot", .request = "PUT /user/<ann>", .body = kAnn, .status = 403},
      {.who = "bob", .request = "PUT /user/999999999", .body = kAnn, .status = 403},
      {.who = "admin",
       .request = "PUT /user/999999999",
       .body = R"({"first_name": "", "last_name": "", "email": "nobody@example.test"})",
       .status = 404,
       .json = R"({"code": "user_not_found"})"},
      {.who = "admin", .request = "GET /user/<ann>", .json = R"({"first_name": "ann"})"},
  });
}

TEST_F(PutUser, NeedsBothNamesAndTheAddress) {
  for (const auto& [body, field] : std::vector<std::pair<std::string, std::string>>{
           {R"({"last_name": "x", "email": "<ann.email>"})", "first_name"},
           {R"({"first_name": "x", "email": "<ann.email>"})", "last_name"},
           {R"({"first_name": "x", "last_name": "x"})", "email"},
           {R"({"first_name": null, "last_name": "x", "email": "<ann.email>"})", "first_name"},
           {R"({"first_name": "x", "last_name": "x", "email": "none"})", "email"}}) {
    stage().run(Step{.who = "ann",
                     .request = "PUT /user/<ann>",
                     .body = body,
                     .status = 422,
                     .json = R"({"errors": [{"field": ")" + field + R"("}]})"});
  }
}

TEST_F(PutUser, WhatGetGaveCanBeSentBack) {
  stage().run({
      {.who = "admin",
       .request = "PATCH /user/<ann>",
       .body = R"({"username": "ann-back-<ann>", "quota_usd": "0.100000",
                   "model_capability_settings": {"b": [1.50, 1e2], "a": "Ü"}})"},
      {.who = "robot", .request = "POST /user/<ann>/usage", .body = R"({"usd": "0.000001"})"},
  });
  const auto read = stage().run(
      Step{.who = "ann", .request = "GET /user/<ann>", .headers = {{"Cache-Control", "no-cache"}}});
  for (const auto* who : {"ann", "admin"}) {
    stage().run(Step{.who = who,
                     .request = "PUT /user/<ann>",
                     .body = read.body,
                     .json = R"({"user": {"id": <ann>, "quota_usd": 0.1, "used_usd": 0.000001}})"});
  }
}

TEST_F(PutUser, OutdatedCountersAreIgnored) {
  // Usage may have been recorded between reading the user and sending it back.
  const std::string body = kAnn;
  for (const auto* member : {R"("used_usd": 0)", R"("last_login_at": "2001-01-01T00:00:00Z")",
                             R"("last_login_at": null)"}) {
    stage().run(Step{.who = "ann",
                     .request = "PUT /user/<ann>",
                     .body = body.substr(0, body.size() - 1) + ", " + member + "}",
                     .json = R"({"user": {"used_usd": 0, "last_login_at": "@time"}})"});
  }
  for (const auto* member :
       {R"("used_usd": null)", R"("used_usd": "x")", R"("last_login_at": "yesterday")",
        R"("last_login_at": 5)", R"("used_usd": 0.000001)",
        R"("last_login_at": "2999-01-01T00:00:00Z")"}) {
    stage().run(Step{.who = "ann",
                     .request = "PUT /user/<ann>",
                     .body = body.substr(0, body.size() - 1) + ", " + member + "}",
                     .status = 422});
  }
}

TEST_F(PutUser, MembersThatCannotBeWrittenMustEqualWhatIs) {
  for (const auto* member : {R"("id": 999999999)", R"("created_at": "2001-01-01T00:00:00Z")",
                             R"("updated_at": "2001-01-01T00:00:00Z")", R"("version": 1)"}) {
    const std::string body = kAnn;
    stage().run(Step{.who = "admin",
                     .request = "PUT /user/<ann>",
                     .body = body.substr(0, body.size() - 1) + ", " + member + "}",
                     .status = 422,
                     .json = R"({"errors": [{"field": "@string"}]})"});
  }
  for (const auto* member : {R"("role": "admin")", R"("is_active": false)", R"("quota_usd": "1")",
                             R"("username": "ann-put")", R"("model_capability_settings": {})"}) {
    const std::string body = kAnn;
    stage().run(Step{.who = "ann",
                     .request = "PUT /user/<ann>",
                     .body = body.substr(0, body.size() - 1) + ", " + member + "}",
                     .status = 403});
  }
}

TEST_F(PutUser, AnAddressOfSomebodyElseIsAConflict) {
  stage().run({
      {.who = "ann",
       .request = "PUT /user/<ann>",
       .body = R"({"first_name": "a", "last_name": "b", "email": "<bob.email>"})",
       .status = 409,
       .json = R"({"code": "email_taken"})"},
      {.who = "ann",
       .request = "GET /user/<ann>",
       .json = R"({"first_name": "ann", "email": "<ann.email>"})"},
      {.who = "admin", .request = "GET /users/by-email/<bob.email>", .json = R"({"id": <bob>})"},
  });
}

TEST_F(PutUser, IfMatchSavesFromLostUpdates) {
  stage().run({
      {.who = "ann", .request = "GET /user/<ann>", .save = {{"old", "header:ETag"}}},
      {.who = "ann",
       .request = "PUT /user/<ann>",
       .body = kAnn,
       .headers = {{"If-Match", "<old>"}}},
      {.who = "ann",
       .request = "PUT /user/<ann>",
       .body = R"({"first_name": "Lost", "last_name": "Update", "email": "<ann.email>"})",
       .headers = {{"If-Match", "<old>"}},
       .status = 412,
       .json = R"({"code": "precondition_failed"})"},
      {.who = "ann",
       .request = "GET /user/<ann>",
       .json = R"({"first_name": "Anne"})",
       .save = {{"new", "header:ETag"}}},
      {.who = "ann",
       .request = "PUT /user/<ann>",
       .body = kAnn,
       .headers = {{"If-Match", "W/<new>"}},
       .status = 412},
      {.who = "ann",
       .request = "PUT /user/<ann>",
       .body = kAnn,
       .headers = {{"If-Match", R"("made-up")"}},
       .status = 412},
      {.who = "ann",
       .request = "PUT /user/<ann>",
       .body = kAnn,
       .headers = {{"If-Match", R"("x", <new>)"}}},
      {.who = "ann", .request = "PUT /user/<ann>", .body = kAnn, .headers = {{"If-Match", "*"}}},
      {.who = "admin",
       .request = "PUT /user/999999999",
       .body = R"({"first_name": "", "last_name": "", "email": "nobody@example.test"})",
       .headers = {{"If-Match", "*"}},
       .status = 404},
  });
}

TEST_F(PutUser, CountersDoNotMakeATagStaleForWriting) {
  stage().run({
      {.who = "ann", .request = "GET /user/<ann>", .save = {{"tag", "header:ETag"}}},
      {.who = "robot", .request = "POST /user/<ann>/usage", .body = R"({"usd": "2"})"},
      {.who = "ann",
       .request = "PUT /user/<ann>",
       .body = kAnn,
       .headers = {{"If-Match", "<tag>"}}},
  });
}

TEST_F(PutUser, AlsoChangesThePassword) {
  stage().run({
      {.who = "admin",
       .request = "PUT /user/<ann>",
       .body = R"({"first_name": "Anne", "last_name": "", "email": "<ann.email>",
                   "password": "new-Sesame-22"})"},
      {.who = "ann", .request = "GET /auth/me", .status = 401},
      {.request = "POST /auth/login",
       .body = R"({"email": "<ann.email>", "password": "open-Sesame-1"})",
       .status = 401},
      {.request = "POST /auth/login",
       .body = R"({"email": "<ann.email>", "password": "new-Sesame-22"})"},
  });
}

}  // namespace
}  // namespace um::e2e
