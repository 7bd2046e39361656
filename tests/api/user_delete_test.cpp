// DELETE /user/{id}, and the last administrator, which cannot be removed, demoted or disabled.
#include <thread>

#include "support/stage_test.hpp"

namespace um::e2e {
namespace {

class DeleteUser : public StageTest<DeleteUser> {
 protected:
  void SetUp() override { stage().add({"ann", "bob"}); }
};

TEST_F(DeleteUser, EndsTheUserForEveryReadAndEverySession) {
  stage().run({
      {.who = "ann", .request = "GET /user/<ann>"},
      {.who = "admin", .request = "GET /user/<ann>"},
      {.who = "admin", .request = "GET /users/by-email/<ann.email>"},
      {.who = "ann",
       .request = "DELETE /user/<ann>",
       .json = R"({"message": "User deleted successfully"})"},
      {.who = "admin", .request = "GET /user/<ann>", .status = 404},
      {.who = "admin", .request = "GET /users/by-email/<ann.email>", .status = 404},
      {.who = "ann", .request = "GET /auth/me", .status = 401},
      {.who = "ann", .request = "GET /user/<ann>", .status = 401},
      {.request = "POST /auth/login",
       .body = R"({"email": "<ann.email>", "password": "open-Sesame-1"})",
       .status = 401},
      {.who = "admin",
       .request = "DELETE /user/<ann>",
       .status = 404,
       .json = R"({"code": "user_not_found"})"},
      {.who = "admin", .request = "GET /users/search?keyword=<ann.email>", .json = "[]"},
  });
}

TEST_F(DeleteUser, AnAddressIsFreeAgainAndTheNewUserIsAnotherOne) {
  stage().run({
      {.who = "admin", .request = "DELETE /user/<ann>"},
      {.request = "POST /user/",
       .body = R"({"email": "<ann.email>", "password": "open-Sesame-1"})",
       .status = 201,
       .save = {{"second", "/id"}}},
      {.who = "ann", .request = "GET /user/<second>", .status = 401},
      {.who = "admin", .request = "GET /users/by-email/<ann.email>", .json = R"({"id": <second>})"},
  });
  EXPECT_NE(stage().known("second"), stage().known("ann"));
}

TEST_F(DeleteUser, IsForTheUserAndAdministratorsOnly) {
  stage().add(Person{.name = "robot", .role = "service"});
  stage().run({
      {.request = "DELETE /user/<ann>", .status = 401},
      {.who = "bob", .request = "DELETE /user/<ann>", .status = 403},
      {.who = "robot", .request = "DELETE /user/<ann>", .status = 403},
      {.who = "bob", .request = "DELETE /user/999999999", .status = 403},
      {.who = "admin", .request = "DELETE /user/999999999", .status = 404},
      {.who = "admin", .request = "GET /user/<ann>"},
  });
}

TEST_F(DeleteUser, IfMatchIsHonoured) {
  stage().run({
      {.who = "ann", .request = "GET /user/<ann>", .save = {{"old", "header:ETag"}}},
      {.who = "ann", .request = "PATCH /user/<ann>", .body = R"({"last_name": "New"})"},
      {.who = "ann",
       .request = "DELETE /user/<ann>",
       .headers = {{"If-Match", "<old>"}},
       .status = 412},
      {.who = "ann", .request = "GET /user/<ann>", .save = {{"new", "header:ETag"}}},
      {.who = "ann", .request = "DELETE /user/<ann>", .headers = {{"If-Match", "<new>"}}},
  });
}

class LastAdministrator : public StageTest<LastAdministrator> {};

TEST_F(LastAdministrator, CannotBeRemovedDemotedOrDisabled) {
  const std::string refusal = R"({"code": "last_admin"})";
  stage().run({
      {.who = "admin", .request = "DELETE /user/<admin>", .status = 409, .json = refusal},
      {.who = "admin",
       .request = "PATCH /user/<admin>",
       .body = R"({"role": "user"})",
       .status = 409,
       .json = refusal},
      {.who = "admin",
       .request = "PATCH /user/<admin>",
       .body = R"({"role": "service"})",
       .status = 409,
       .json = refusal},
      {.who = "admin",
       .request = "PATCH /user/<admin>",
       .body = R"({"is_active": false})",
       .status = 409,
       .json = refusal},
      {.who = "admin",
       .request = "GET /auth/me",
       .json = R"({"role": "admin", "is_active": true})"},
  });
  // The same rule holds for the command line.
  const auto& server = stage().server();
  EXPECT_EQ(server.cli({"user", "delete", std::string{kAdminEmail}, "--yes"}).code, 1);
  EXPECT_EQ(server.cli({"user", "disable", std::string{kAdminEmail}}).code, 1);
  EXPECT_EQ(server.cli({"user", "set-role", std::string{kAdminEmail}, "user"}).code, 1);
}

TEST_F(LastAdministrator, OneWhoIsDisabledDoesNotCount) {
  stage().add(Person{.name = "disabled", .role = "admin"});
  stage().run({
      {.who = "admin", .request = "PATCH /user/<disabled>", .body = R"({"is_active": false})"},
      {.who = "admin", .request = "DELETE /user/<admin>", .status = 409},
      {.who = "admin", .request = "DELETE /user/<disabled>"},
  });
}

TEST_F(LastAdministrator, OfTwoWhoDisableEachOtherOneStays) {
  for (int round = 0; round < 5; ++round) {
    stage().add(Person{.name = "rival", .role = "admin"});
    std::array<unsigned, 2> statuses{};
    {
      std::vector<std::jthread> rivals;
      for (std::size_t i = 0; i < 2; ++i) {
        rivals.emplace_back([&, i] {
          auto client = stage().server().client();
          const std::string own = i == 0 ? "admin" : "rival";
          const std::string other = i == 0 ? "rival" : "admin";
          statuses[i] = client
                            .send({.method = "PATCH",
                                   .target = "/user/" + stage().known(other),
                                   .headers = {bearer(stage().token(own))},
                                   .body = R"({"role": "user"})"})
                            .status;
        });
      }
    }
    EXPECT_EQ(std::ranges::count(statuses, 200U), 1) << statuses[0] << " " << statuses[1];
    // The remaining administrator restores the role of "admin" and removes the other one, so that
    // "admin" is alone again in the next round.
    const std::string ruler = statuses[0] == 200 ? "admin" : "rival";
    stage().run(
        Step{.who = ruler, .request = "PATCH /user/<admin>", .body = R"({"role": "admin"})"});
    stage().run(Step{.who = "admin", .request = "DELETE /user/<rival>"});
  }
}

}  // namespace
}  // namespace um::e2e
