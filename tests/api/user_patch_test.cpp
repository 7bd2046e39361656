// PATCH /user/{id}: a JSON merge patch (RFC 7396) of a user; the rules around roles and states.
#include <thread>

#include "support/json.hpp"
#include "support/stage_test.hpp"

namespace um::e2e {
namespace {

class PatchUser : public StageTest<PatchUser> {
 protected:
  void SetUp() override {
    stage().add({"ann", "bob"});
    stage().add(Person{.name = "robot", .role = "service"});
  }
};

TEST_F(PatchUser, ChangesWhatIsThereAndNothingElse) {
  stage().run({
      {.who = "ann",
       .request = "PATCH /user/<ann>",
       .body = R"({"first_name": "Ann-Marie"})",
       .json = R"({"message": "User updated successfully",
                   "user": {"id": <ann>, "first_name": "Ann-Marie", "last_name": "Example",
                            "email": "<ann.email>"}})"},
      {.who = "ann",
       .request = "PATCH /user/<ann>",
       .body = "{}",
       .json = R"({"user": {"first_name": "Ann-Marie"}})"},
      {.who = "ann",
       .request = "PATCH /user/<ann>",
       .body = R"({"email": "am@example.test"})",
       .json = R"({"user": {"email": "am@example.test"}})"},
      {.who = "admin", .request = "GET /users/by-email/<ann.email>", .status = 404},
      {.who = "admin",
       .request = "GET /users/by-email/am@example.test",
       .json = R"({"id": <ann>})"},
  });
}

TEST_F(PatchUser, NullRemovesWhatMayBeMissing) {
  stage().run({
      {.who = "admin",
       .request = "PATCH /user/<ann>",
       .body =
           R"({"username": "null-<ann>", "quota_usd": 3, "model_capability_settings": {"a": 1}})",
       .json = R"({"user": {"username": "null-<ann>", "quota_usd": 3}})"},
      {.who = "admin",
       .request = "PATCH /user/<ann>",
       .body = R"({"username": null, "quota_usd": null, "model_capability_settings": null})",
       .json = R"({"user": {"username": null, "quota_usd": null,
                            "model_capability_settings": null}})"},
      {.who = "ann",
       .request = "PATCH /user/<ann>",
       .body = R"({"email": null})",
       .status = 422,
       .json = R"({"errors": [{"field": "email"}]})"},
      {.who = "admin",
       .request = "PATCH /user/<ann>",
       .body = R"({"role": null})",
       .status = 422,
       .json = R"({"errors": [{"field": "role"}]})"},
  });
}

TEST_F(PatchUser, MergesIntoTheSettings) {
  stage().run({
      {.who = "admin",
       .request = "PATCH /user/<ann>",
       .body =
           R"({"model_capability_settings": {"keep": 1, "drop": 2, "deep": {"x": 1, "y": 2}}})"},
      {.who = "admin",
       .request = "PATCH /user/<ann>",
       .body = R"({"model_capability_settings": {"drop": null, "deep": {"x": null, "z": 3},
                                                 "list": [null, {"n": null}]}})",
       .json = R"({"user": {"model_capability_settings":
                    {"keep": 1, "drop": "@absent", "deep": {"x": "@absent", "y": 2, "z": 3},
                     "list": [null, {"n": null}]}}})"},
      {.who = "ann",
       .request = "GET /user/<ann>",
       .json = R"({"model_capability_settings": {"keep": 1, "deep": {"y": 2, "z": 3}}})"},
  });
}

TEST_F(PatchUser, IsForTheUserAndAdministratorsOnly) {
  const std::string body = R"({"first_name": "Mallory"})";
  stage().run({
      {.request = "PATCH /user/<ann>", .body = body, .status = 401},
      {.who = "bob", .request = "PATCH /user/<ann>", .body = body, .status = 403},
      {.who = "robot", .request = "PATCH /user/<ann>", .body = body, .status = 403},
      {.who = "bob", .request = "PATCH /user/999999999", .body = body, .status = 403},
      {.who = "admin", .request = "PATCH /user/999999999", .body = body, .status = 404},
      {.who = "admin", .request = "GET /user/<ann>", .json = R"({"first_name": "ann"})"},
  });
  for (const auto* member :
       {R"({"role": "admin"})", R"({"is_active": false})", R"({"quota_usd": "1"})",
        R"({"username": "own-choice"})", R"({"model_capability_settings": {"x": 1}})"}) {
    stage().run(Step{.who = "ann", .request = "PATCH /user/<ann>", .body = member, .status = 403});
    stage().run(
        Step{.who = "robot", .request = "PATCH /user/<robot>", .body = member, .status = 403});
  }
}

TEST_F(PatchUser, AServiceChangesNotEvenItself) {
  stage().run(Step{.who = "robot",
                   .request = "PATCH /user/<robot>",
                   .body = R"({"first_name": "Robby"})",
                   .status = 403});
}

TEST_F(PatchUser, BadMembersAreNamed) {
  for (const auto& [body, field] : std::vector<std::pair<std::string, std::string>>{
           {R"({"email": "nothing"})", "email"},
           {R"({"first_name": "\u0001"})", "first_name"},
           {R"({"username": "x"})", "username"},
           {R"({"role": "king"})", "role"},
           {R"({"quota_usd": "0.0000001"})", "quota_usd"},
           {R"({"version": 1})", "version"},
           {R"({"id": 1})", "id"},
           {R"({"used_usd": "-9"})", "used_usd"},
           {R"({"unheard_of": 1})", "unheard_of"}}) {
    stage().run(Step{.who = "admin",
                     .request = "PATCH /user/<ann>",
                     .body = body,
                     .status = 422,
                     .json = R"({"errors": [{"field": ")" + field + R"("}]})"});
  }
}

TEST_F(PatchUser, ConflictsLeaveEverythingAsItWas) {
  stage().run({
      {.who = "admin", .request = "PATCH /user/<bob>", .body = R"({"username": "bob-<bob>"})"},
      {.who = "admin",
       .request = "PATCH /user/<ann>",
       .body = R"({"username": "BOB-<bob>"})",
       .status = 409,
       .json = R"({"code": "username_taken"})"},
      {.who = "ann",
       .request = "PATCH /user/<ann>",
       .body = R"({"first_name": "Changed?", "email": "<bob.email>"})",
       .status = 409,
       .json = R"({"code": "email_taken"})"},
      {.who = "ann",
       .request = "GET /user/<ann>",
       .json = R"({"first_name": "ann", "username": null, "email": "<ann.email>"})"},
  });
}

TEST_F(PatchUser, IfMatchIsHonoured) {
  stage().run({
      {.who = "ann", .request = "GET /user/<ann>", .save = {{"old", "header:ETag"}}},
      {.who = "ann",
       .request = "PATCH /user/<ann>",
       .body = R"({"last_name": "One"})",
       .headers = {{"If-Match", "<old>"}}},
      {.who = "ann",
       .request = "PATCH /user/<ann>",
       .body = R"({"last_name": "Two"})",
       .headers = {{"If-Match", "<old>"}},
       .status = 412},
      {.who = "ann", .request = "GET /user/<ann>", .json = R"({"last_name": "One"})"},
  });
}

TEST_F(PatchUser, ARoleTakesEffectOnTheNextRequestOfAnOldToken) {
  stage().run({
      {.who = "ann", .request = "GET /users", .status = 403},
      {.who = "admin", .request = "PATCH /user/<ann>", .body = R"({"role": "admin"})"},
      {.who = "ann", .request = "GET /users"},
      {.who = "admin", .request = "PATCH /user/<ann>", .body = R"({"role": "user"})"},
      {.who = "ann", .request = "GET /users", .status = 403},
  });
}

TEST_F(PatchUser, OfManyAtOnceWithTheSameIfMatchOneWins) {
  stage().run(Step{.who = "ann", .request = "GET /user/<ann>", .save = {{"tag", "header:ETag"}}});
  constexpr int kWriters = 8;
  std::array<unsigned, kWriters> statuses{};
  std::vector<std::jthread> writers;
  for (std::size_t i = 0; i < kWriters; ++i) {
    writers.emplace_back([&, i] {
      auto client = stage().server().client();
      const HttpRequest request{
          .method = "PATCH",
          .target = stage().fill_in("/user/<ann>"),
          .headers = {bearer(stage().token("ann")), {"If-Match", stage().known("tag")}},
          .body = R"({"last_name": "Writer )" + std::to_string(i) + R"("})"};
      statuses[i] = client.send(request).status;
    });
  }
  writers.clear();
  EXPECT_EQ(std::ranges::count(statuses, 200U), 1);
  EXPECT_EQ(std::ranges::count(statuses, 412U), kWriters - 1);
  const auto winner = std::ranges::find(statuses, 200U) - statuses.begin();
  stage().run(Step{.who = "ann",
                   .request = "GET /user/<ann>",
                   .json = R"({"last_name": "Writer )" + std::to_string(winner) + R"("})"});
}

TEST_F(PatchUser, OfManyAtOnceWithoutIfMatchNoneIsLost) {
  constexpr int kWriters = 8;
  std::array<unsigned, kWriters> statuses{};
  std::vector<std::jthread> writers;
  for (std::size_t i = 0; i < kWriters; ++i) {
    writers.emplace_back([&, i] {
      auto client = stage().server().client();
      // Each adds a member of its own to the settings: a lost update would lose a member.
      const HttpRequest request{
          .method = "PATCH",
          .target = stage().fill_in("/user/<ann>"),
          .headers = {bearer(stage().token("admin"))},
          .body = R"({"model_capability_settings": {"m)" + std::to_string(i) + R"(": true}})"};
      statuses[i] = client.send(request).status;
    });
  }
  writers.clear();
  const auto user = stage().get("admin", "/user/<ann>").json();
  for (std::size_t i = 0; i < kWriters; ++i) {
    const bool there = text_at(user, "/model_capability_settings/m" + std::to_string(i)) == "true";
    EXPECT_TRUE(statuses[i] == 200 || statuses[i] == 409) << statuses[i];
    EXPECT_EQ(there, statuses[i] == 200) << i;
  }
}

}  // namespace
}  // namespace um::e2e
