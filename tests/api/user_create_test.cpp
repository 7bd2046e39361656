// POST /user/: the callers that may create users, and the members they may set.
#include "support/stage_test.hpp"

namespace um::e2e {
namespace {

class CreateUser : public StageTest<CreateUser> {};

constexpr const char* kWholeUser = R"({"id": "@number", "email": "@string", "username": null,
    "first_name": "@string", "last_name": "@string", "role": "user", "is_active": true,
    "quota_usd": null, "used_usd": 0, "model_capability_settings": null, "created_at": "@time",
    "updated_at": "@time", "last_login_at": null, "version": "@number"})";

TEST_F(CreateUser, AnyoneMayRegisterAndSignIn) {
  stage().run({
      {.request = "POST /user/",
       .body = R"({"first_name": "Grace", "last_name": "Hopper", "email": "grace@example.test",
                   "password": "open-Sesame-1"})",
       .status = 201,
       .json = kWholeUser,
       .has = {"ETag", "Location"},
       .save = {{"grace", "/id"}, {"location", "header:Location"}}},
      {.request = "POST /auth/login",
       .body = R"({"email": "GRACE@example.test", "password": "open-Sesame-1"})",
       .json = R"({"token": "@string", "token_type": "Bearer", "expires_in": 86400,
                   "user": {"id": <grace>, "first_name": "Grace", "last_login_at": "@time"}})",
       .save = {{"grace.token", "/token"}}},
      {.who = "grace", .request = "GET <location>", .json = R"({"id": <grace>})"},
  });
  EXPECT_TRUE(stage().known("location").ends_with("/user/" + stage().known("grace")));
}

TEST_F(CreateUser, NamesDefaultToEmptyAndTheSlashMayBeMissing) {
  stage().run({
      {.request = "POST /user/",
       .body = R"({"email": "nameless@example.test", "password": "open-Sesame-1"})",
       .status = 201,
       .json = R"({"first_name": "", "last_name": ""})"},
      {.request = "POST /user",
       .body = R"({"email": "slashless@example.test", "password": "open-Sesame-1"})",
       .status = 201},
  });
}

TEST_F(CreateUser, AnAddressCanBeTakenOnceWhateverItsCase) {
  stage().run({
      {.request = "POST /user/",
       .body = R"({"email": "Taken@example.test", "password": "open-Sesame-1"})",
       .status = 201,
       .json = R"({"email": "Taken@example.test"})"},
      {.request = "POST /user/",
       .body = R"({"email": "tAKEN@EXAMPLE.test", "password": "open-Sesame-1"})",
       .status = 409,
       .json = R"({"code": "email_taken"})"},
      {.request = "POST /user/",  // no folding beyond ASCII
       .body = R"({"email": "Ärger@example.test", "password": "open-Sesame-1"})",
       .status = 201},
      {.request = "POST /user/",
       .body = R"({"email": "ärger@example.test", "password": "open-Sesame-1"})",
       .status = 201},
  });
}

TEST_F(CreateUser, AnAdministratorSetsEverything) {
  stage().run({
      {.who = "admin",
       .request = "POST /user/",
       .body =
           R"({"email": "all@example.test", "password": "open-Sesame-1", "username": "all.of_it-1",
                   "role": "service", "quota_usd": "12.345678", "is_active": false,
                   "model_capability_settings": {"gpt": {"vision": true}, "list": [1, 2.5, "x"]}})",
       .status = 201,
       .json = R"({"username": "all.of_it-1", "role": "service", "quota_usd": 12.345678,
                   "is_active": false,
                   "model_capability_settings": {"gpt": {"vision": true}, "list": [1, 2.5, "x"]}})"},
      {.who = "admin",
       .request = "POST /user/",
       .body = R"({"email": "other@example.test", "password": "open-Sesame-1",
                   "username": "ALL.OF_IT-1"})",
       .status = 409,
       .json = R"({"code": "username_taken"})"},
  });
}

TEST_F(CreateUser, OnlyAnAdministratorGivesRolesQuotasAndStates) {
  stage().add("climber");
  stage().add(Person{.name = "robot", .role = "service"});
  const std::string rest = R"(, "email": "climb@example.test", "password": "open-Sesame-1"})";
  for (const auto* member : {R"({"role": "admin")", R"({"quota_usd": null)", R"({"quota_usd": "5")",
                             R"({"is_active": false)"}) {
    for (const auto* who : {"", "climber", "robot"}) {
      stage().run(Step{.who = who,
                       .request = "POST /user/",
                       .body = member + rest,
                       .status = 403,
                       .json = R"({"code": "forbidden"})"});
    }
  }
}

struct Refused {
  std::string members;  // of the body, after a valid address and password
  std::string field;    // that the answer names
};

TEST_F(CreateUser, EveryMemberIsCheckedAndNamed) {
  const std::vector<Refused> table = {
      {R"("first_name": ")" + repeated("志", 201) + '"', "first_name"},
      {R"("last_name": ")" + repeated("x", 201) + '"', "last_name"},
      {R"("first_name": "bell\u0007")", "first_name"},
      {R"("first_name": "nul\u0000")", "first_name"},
      {R"("last_name": "line\nbreak")", "last_name"},
      {R"("first_name": 7)", "first_name"},
      {R"("last_name": ["x"])", "last_name"},
      {R"("username": "ab")", "username"},
      {R"("username": ")" + repeated("u", 65) + '"', "username"},
      {R"("username": "with space")", "username"},
      {R"("username": "ünlaut")", "username"},
      {R"("role": "root")", "role"},
      {R"("role": "Admin")", "role"},
      {R"("is_active": "yes")", "is_active"},
      {R"("is_active": 1)", "is_active"},
      {R"("quota_usd": "1.2345678")", "quota_usd"},
      {R"("quota_usd": 0.0000001)", "quota_usd"},
      {R"("quota_usd": "12 dollars")", "quota_usd"},
      {R"("quota_usd": "")", "quota_usd"},
      {R"("quota_usd": 1e400)", "quota_usd"},
      {R"("quota_usd": 18446744073709551616)", "quota_usd"},
      {R"("quota_usd": "NaN")", "quota_usd"},
      {R"("quota_usd": true)", "quota_usd"},
      {R"("model_capability_settings": [])", "model_capability_settings"},
      {R"("model_capability_settings": "{}")", "model_capability_settings"},
      {R"("model_capability_settings": {"x": ")" + repeated("y", 16 * 1024) + R"("})",
       "model_capability_settings"},
      {R"("nickname": "x")", "nickname"},
      {R"("password_hash": "x")", "password_hash"},
      {R"("First_Name": "x")", "First_Name"},
  };
  for (const auto& [members, field] : table) {
    stage().run(Step{.who = "admin",
                     .request = "POST /user/",
                     .body = R"({"email": "refused@example.test", "password": "open-Sesame-1", )" +
                             members + "}",
                     .status = 422,
                     .json = R"({"errors": [{"field": ")" + field + R"("}]})"});
  }
}

TEST_F(CreateUser, BoundsThemselvesAreAllowed) {
  stage().run({
      {.who = "admin",
       .request = "POST /user/",
       .body = R"({"email": "bounds@example.test", "password": "open-Sesame-1", "first_name": ")" +
               repeated("志", 200) + R"(", "username": ")" + repeated("u", 64) +
               R"(", "quota_usd": 0.000001})",
       .status = 201,
       .json = R"({"quota_usd": 0.000001})"},
      {.who = "admin",
       .request = "POST /user/",
       .body =
           R"({"email": "bounds2@example.test", "password": "open-Sesame-1", "username": "abc"})",
       .status = 201},
      {.request = "POST /user/",
       .body =
           R"({"email": ")" + repeated("e", 254 - 8) + R"(@ab.test", "password": "open-Sesame-1"})",
       .status = 201},
  });
}

TEST_F(CreateUser, AddressesThatAreNoneAreRefused) {
  for (const std::string& email :
       {std::string{}, std::string{"plain"}, std::string{"two@at@signs"}, std::string{"@nothing"},
        std::string{"nothing@"}, std::string{"white space@example.test"},
        std::string{"tab\\t@example.test"}, std::string{"nul\\u0000@example.test"},
        std::string{" lead@example.test"}, repeated("e", 255 - 8) + "@ab.test"}) {
    stage().run(Step{.request = "POST /user/",
                     .body = R"({"email": ")" + email + R"(", "password": "open-Sesame-1"})",
                     .status = 422,
                     .json = R"({"errors": [{"field": "email"}]})"});
  }
}

TEST_F(CreateUser, PasswordsAreEightToSeventyTwoBytesAndNotKnownToEveryone) {
  const auto attempt = [&](const std::string& password, unsigned status) {
    static int number = 0;
    const std::string email = "pw" + std::to_string(++number) + "@example.test";
    stage().run(Step{
        .request = "POST /user/",
        .body = R"({"email": ")" + email + R"(", "password": ")" + password + R"("})",
        .status = status,
        .json = status == 422 ? R"({"errors": [{"field": "password"}]})" : R"({"id": "@number"})"});
  };
  attempt("Sesame1", 422);
  attempt("qSesameq", 201);
  attempt("Sesame" + repeated("x", 66), 201);
  attempt("Sesame" + repeated("x", 67), 422);
  attempt("Sesame" + repeated("é", 33), 201);  // bytes, not characters
  attempt("Sesame" + repeated("é", 34), 422);
  attempt("Sesame\\u0000more", 422);
  attempt("", 422);
  attempt("12345678", 422);
  attempt("password", 422);
  attempt("password123", 422);
  stage().run(Step{.request = "POST /user/",
                   .body = R"({"email": "Sesame@example.test", "password": "sesame@example.test"})",
                   .status = 422,
                   .json = R"({"errors": [{"field": "password"}]})"});
}

TEST_F(CreateUser, WhatIsNeededIsNamedAllAtOnce) {
  const auto answer = stage().run(Step{.request = "POST /user/", .body = "{}", .status = 422});
  EXPECT_NE(answer.body.find("\"email\""), std::string::npos);
  EXPECT_NE(answer.body.find("\"password\""), std::string::npos);
}

}  // namespace
}  // namespace um::e2e
