// Logout, logout-all, the list of sessions, and everything else that ends a session: at once, for
// good.
#include "support/json.hpp"
#include "support/jwt.hpp"
#include "support/stage_test.hpp"

namespace um::e2e {
namespace {

class Sessions : public StageTest<Sessions> {
 protected:
  void SetUp() override { stage().add({"ann", "bob"}); }
  // A second session of the same user, remembered as <name>.
  static void second_session(const std::string& name, const std::string& of) {
    auto client = stage().server().client();
    stage().remember(name + ".token", sign_in(client, stage().known(of + ".email")));
  }
  // Fills every cache from which a request with this token can be answered.
  static void warm_up(const std::string& who) {
    for (int i = 0; i < 5; ++i) {
      EXPECT_EQ(stage().get(who, "/auth/me").status, 200U);
      EXPECT_EQ(stage().get(who, "/user/<ann>").status, 200U);
    }
  }
  static void expect_over(const std::string& who) {
    for (int i = 0; i < 3; ++i) {
      stage().run({{.who = who, .request = "GET /auth/me", .status = 401},
                   {.who = who, .request = "GET /user/<ann>", .status = 401}});
      // Another connection may be another event loop.
      auto other = stage().server().client();
      const auto answer =
          other.send({.target = "/auth/me", .headers = {bearer(stage().token(who))}});
      EXPECT_EQ(answer.status, 401U);
    }
  }
};

TEST_F(Sessions, LogoutEndsTheTokenAtOnceAlsoRightAfterCachedReads) {
  second_session("ann2", "ann");
  for (int round = 0; round < 3; ++round) {
    warm_up("ann");
    stage().run(Step{
        .who = "ann", .request = "POST /auth/logout", .json = R"({"message": "logout success"})"});
    expect_over("ann");
    stage().run(Step{.who = "ann", .request = "POST /auth/logout", .status = 401});
    stage().run(Step{.who = "ann2", .request = "GET /auth/me", .json = R"({"id": <ann>})"});
    stage().sign_in_again("ann");
  }
  stage().run(Step{.request = "POST /auth/logout", .status = 401});
}

TEST_F(Sessions, LogoutAllEndsAllOfOneUser) {
  second_session("ann2", "ann");
  warm_up("ann");
  warm_up("ann2");
  stage().run(Step{.who = "ann2", .request = "POST /auth/logout-all"});
  expect_over("ann");
  expect_over("ann2");
  stage().run(Step{.who = "bob", .request = "GET /auth/me"});
  stage().run(Step{.request = "POST /auth/logout-all", .status = 401});
  stage().sign_in_again("ann");
  warm_up("ann");
}

TEST_F(Sessions, AreListedAndEndedOneByOne) {
  second_session("ann2", "ann");
  const auto sid = text_at(take_apart(stage().token("ann2")).claims, "/sid");
  stage().run({
      {.who = "ann",
       .request = "GET /auth/sessions",
       .json = R"([{"id": ")" + sid + R"(", "current": false, "created_at": "@time",
                    "expires_at": "@time", "address": "127.0.0.1"},
                   {"id": "@string", "current": true}])",
       .has = {"Cache-Control: no-store"},
       .save = {{"own", "/1/id"}}},
      {.who = "bob", .request = "GET /auth/sessions", .json = R"([{"current": true}])"},
      {.who = "bob", .request = "DELETE /auth/sessions/<own>", .status = 404},
      {.who = "ann", .request = "DELETE /auth/sessions/" + sid},
      {.who = "ann2", .request = "GET /auth/me", .status = 401},
      {.who = "ann",
       .request = "DELETE /auth/sessions/" + sid,
       .status = 404,
       .json = R"({"code": "session_not_found"})"},
      {.who = "ann", .request = "DELETE /auth/sessions/rubbish", .status = 404},
      {.who = "ann", .request = "GET /auth/sessions", .json = R"([{"id": "<own>"}])"},
      {.who = "ann", .request = "DELETE /auth/sessions/<own>"},
      {.who = "ann", .request = "GET /auth/me", .status = 401},
      {.request = "GET /auth/sessions", .status = 401},
      {.request = "DELETE /auth/sessions/<own>", .status = 401},
  });
}

TEST_F(Sessions, TheListHoldsNoToken) {
  const auto list = stage().get("ann", "/auth/sessions");
  EXPECT_EQ(list.body.find(stage().token("ann")), std::string::npos);
  EXPECT_EQ(list.body.find("eyJ"), std::string::npos);
}

TEST_F(Sessions, DisablingEndsThemForGood) {
  warm_up("ann");
  stage().run({
      {.who = "admin",
       .request = "PATCH /user/<ann>",
       .body = R"({"is_active": false})",
       .json = R"({"user": {"is_active": false}})"},
      {.who = "ann", .request = "GET /auth/me", .status = 401},
      {.request = "POST /auth/login",
       .body = R"({"email": "<ann.email>", "password": "open-Sesame-1"})",
       .status = 401},
      {.who = "admin", .request = "PATCH /user/<ann>", .body = R"({"is_active": true})"},
  });
  expect_over("ann");
  stage().sign_in_again("ann");
  warm_up("ann");
}

TEST_F(Sessions, ANewAddressOrNameEndsNone) {
  stage().run({
      {.who = "ann",
       .request = "PATCH /user/<ann>",
       .body = R"({"first_name": "Other", "email": "other-<ann>@example.test"})"},
      {.who = "ann", .request = "GET /auth/me", .json = R"({"first_name": "Other"})"},
      {.request = "POST /auth/login",
       .body = R"({"email": "<ann.email>", "password": "open-Sesame-1"})",
       .status = 401},
      {.request = "POST /auth/login",
       .body = R"({"email": "other-<ann>@example.test", "password": "open-Sesame-1"})"},
  });
}

TEST_F(Sessions, WhoChangesTheirOwnPasswordKeepsThisOneOnly) {
  second_session("ann2", "ann");
  warm_up("ann");
  warm_up("ann2");
  stage().run({
      {.who = "ann",
       .request = "PATCH /user/<ann>",
       .body = R"({"password": "next-Sesame-2"})",
       .status = 422,
       .json = R"({"errors": [{"field": "current_password"}]})"},
      {.who = "ann",
       .request = "PATCH /user/<ann>",
       .body = R"({"password": "next-Sesame-2", "current_password": "wrong-Sesame"})",
       .status = 422,
       .json = R"({"errors": [{"field": "current_password"}]})"},
      {.who = "ann",
       .request = "PATCH /user/<ann>",
       .body = R"({"password": "short", "current_password": "open-Sesame-1"})",
       .status = 422,
       .json = R"({"errors": [{"field": "password"}]})"},
      {.who = "ann2", .request = "GET /auth/me"},
      {.who = "ann",
       .request = "PATCH /user/<ann>",
       .body = R"({"password": "next-Sesame-2", "current_password": "open-Sesame-1"})"},
      {.who = "ann", .request = "GET /auth/me"},
      {.request = "POST /auth/login",
       .body = R"({"email": "<ann.email>", "password": "open-Sesame-1"})",
       .status = 401},
      {.request = "POST /auth/login",
       .body = R"({"email": "<ann.email>", "password": "next-Sesame-2"})"},
  });
  expect_over("ann2");
  warm_up("ann");
}

TEST_F(Sessions, APasswordSetByAnAdministratorEndsAll) {
  second_session("ann2", "ann");
  stage().run(Step{.who = "admin",
                   .request = "PATCH /user/<ann>",
                   .body = R"({"password": "set-by-Sesame-3"})"});
  expect_over("ann");
  expect_over("ann2");
}

TEST_F(Sessions, AnAdministratorChangingTheirOwnPasswordNeedsTheCurrentOneToo) {
  stage().run(Step{.who = "admin",
                   .request = "PATCH /user/<admin>",
                   .body = R"({"password": "next-Sesame-2"})",
                   .status = 422,
                   .json = R"({"errors": [{"field": "current_password"}]})"});
}

TEST_F(Sessions, TheOldestMakesRoomAfterAHundred) {
  second_session("oldest", "bob");
  auto client = stage().server().client();
  for (int i = 0; i < 100; ++i) sign_in(client, stage().known("bob.email"));
  stage().run(Step{.who = "oldest", .request = "GET /auth/me", .status = 401});
  stage().sign_in_again("bob");
  const auto list = stage().get("bob", "/auth/sessions").json();
  EXPECT_EQ(list.as_array().size(), 100U);
}

}  // namespace
}  // namespace um::e2e
