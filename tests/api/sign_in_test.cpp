// POST /auth/login, GET /auth/me, and the forms in which a token is accepted.
#include "support/json.hpp"
#include "support/jwt.hpp"
#include "support/stage_test.hpp"

namespace um::e2e {
namespace {

class SigningIn : public StageTest<SigningIn> {
 protected:
  void SetUp() override { stage().add({"ann", "bob"}); }
  static Step login(std::string email, std::string password, unsigned status) {
    return {.request = "POST /auth/login",
            .body = R"({"email": ")" + email + R"(", "password": ")" + password + R"("})",
            .status = status};
  }
};

TEST_F(SigningIn, GivesATokenThatWorks) {
  auto step = login("<ann.email>", "open-Sesame-1", 200);
  step.json = R"({"token": "@string", "token_type": "Bearer", "expires_in": 86400,
                  "user": {"id": <ann>, "email": "<ann.email>", "last_login_at": "@time"}})";
  step.has = {"Cache-Control: no-store"};
  step.save = {{"ann.token", "/token"}};
  stage().run(step);
  stage().run(Step{.who = "ann",
                   .request = "GET /auth/me",
                   .json = R"({"id": <ann>, "role": "user", "last_login_at": "@time"})",
                   .has = {"Cache-Control: private, no-cache"}});
}

TEST_F(SigningIn, UnknownWrongAndDisabledLookTheSame) {
  stage().add("gone");
  stage().run(
      Step{.who = "admin", .request = "PATCH /user/<gone>", .body = R"({"is_active": false})"});
  const auto wrong = stage().run(login("<ann.email>", "wrong-Sesame", 401));
  const auto unknown = stage().run(login("nobody@example.test", "wrong-Sesame", 401));
  const auto disabled = stage().run(login("<gone.email>", "open-Sesame-1", 401));
  const auto no_address = stage().run(login("not an address", "open-Sesame-1", 401));
  EXPECT_EQ(text_at(wrong.json(), "/error"), "invalid email or password");
  const auto same_headers = [](const HttpResponse& response) {
    std::string names;
    for (const auto& [name, value] : response.headers) names += name + "\n";
    return names;
  };
  for (const auto* other : {&unknown, &disabled, &no_address}) {
    EXPECT_EQ(other->body, wrong.body);
    EXPECT_EQ(same_headers(*other), same_headers(wrong));
    EXPECT_EQ(other->header("WWW-Authenticate"), wrong.header("WWW-Authenticate"));
  }
}

TEST_F(SigningIn, LengthRulesAreForSettingAPasswordOnly) {
  stage().run(login("<ann.email>", "S", 401));
  stage().run(login("<ann.email>", "Sesame" + std::string(5000, 'x'), 401));
  stage().run(login("<ann.email>", "Sesame-1\\u0000", 422));
}

TEST_F(SigningIn, BothMembersAreNeeded) {
  for (const auto* body :
       {"{}", R"({"email": "a@example.test"})", R"({"password": "Sesame"})",
        R"({"email": null, "password": "Sesame"})", R"({"email": "a@example.test", "password": 5})",
        R"({"email": ["a@example.test"], "password": "Sesame"})",
        R"({"email": "a@example.test", "password": "Sesame", "otp": "1"})"}) {
    stage().run(Step{.request = "POST /auth/login",
                     .body = body,
                     .status = 422,
                     .json = R"({"errors": "@any"})"});
  }
  for (const auto* body : {"[]", "\"text\"", "5", "null"}) {
    const auto answer = stage().send({.method = "POST",
                                      .target = "/auth/login",
                                      .headers = {{"Content-Type", "application/json"}},
                                      .body = body});
    EXPECT_EQ(answer.status, 422U) << body;
  }
}

TEST_F(SigningIn, TheTokenIsAcceptedAsBearerOrBare) {
  const std::string token = stage().token("ann");
  const auto status = [&](const std::string& authorization) {
    return stage()
        .send({.target = "/auth/me", .headers = {{"Authorization", authorization}}})
        .status;
  };
  EXPECT_EQ(status("Bearer " + token), 200U);
  EXPECT_EQ(status("bearer " + token), 200U);
  EXPECT_EQ(status("BEARER   " + token), 200U);
  EXPECT_EQ(status(token), 200U);
  EXPECT_EQ(status("Basic " + token), 401U);
  EXPECT_EQ(status("Bearer"), 401U);
  EXPECT_EQ(status("Bearer " + token + " " + token), 401U);
  EXPECT_EQ(status("Bearer " + token + "x"), 401U);
  EXPECT_EQ(status("Bearer " + token.substr(0, token.size() - 1)), 401U);
  EXPECT_EQ(status("Bearer x" + token), 401U);
  EXPECT_EQ(status("Bearer ."), 401U);
  EXPECT_EQ(status("Bearer .."), 401U);
  EXPECT_EQ(status("Bearer " + std::string(4000, 'a')), 401U);
  EXPECT_EQ(status("Bearer " + token), 200U);
}

TEST_F(SigningIn, NoTokenAndABadOneAreToldApart) {
  const auto none = stage().send({.target = "/auth/me"});
  EXPECT_EQ(none.status, 401U);
  EXPECT_EQ(text_at(none.json(), "/error"), "token not found");
  EXPECT_EQ(none.header("WWW-Authenticate").value_or("").find("invalid_token"), std::string::npos);
  const auto bad = stage().send({.target = "/auth/me", .headers = {bearer("rubbish")}});
  EXPECT_NE(bad.header("WWW-Authenticate").value_or("").find("invalid_token"), std::string::npos);
}

TEST_F(SigningIn, TokensAreSignedByAPublishedKey) {
  const auto token = take_apart(stage().token("ann"));
  const auto keys = stage().send({.target = "/.well-known/jwks.json"}).json();
  EXPECT_EQ(mismatch(parse_json(R"({"keys": [{"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA",
                                              "use": "sig", "kid": "@string", "x": "@string",
                                              "d": "@absent"}]})"),
                     keys),
            "");
  EXPECT_TRUE(verifies(token, keys));
  EXPECT_EQ(mismatch(parse_json(stage().fill_in(R"({"iss": "user-manager", "sub": "<ann>",
      "sid": "@match:^[0-9a-f]{32}$", "iat": "@number", "exp": "@number", "jti": "@string"})")),
                     token.claims),
            "");
  EXPECT_EQ(token.claims.at("exp").to_number<std::int64_t>() -
                token.claims.at("iat").to_number<std::int64_t>(),
            86400);
  // One bit of the claims or of the signature: the published key and the server agree.
  Jwt forged = token;
  forged.signature[0] = static_cast<char>(forged.signature[0] ^ 1);
  EXPECT_FALSE(verifies(forged, keys));
  const auto text = forged.signed_part + "." + base64url(forged.signature);
  EXPECT_EQ(stage().send({.target = "/auth/me", .headers = {bearer(text)}}).status, 401U);
}

TEST_F(SigningIn, TheAlgorithmIsTheKeysAndNotTheTokens) {
  const auto token = stage().token("ann");
  const auto parts = take_apart(token);
  const auto payload = token.substr(token.find('.') + 1, token.rfind('.') - token.find('.') - 1);
  const auto claims = from_base64url(payload);
  const auto kid = text_at(parts.header, "/kid");
  const auto keys = stage().send({.target = "/.well-known/jwks.json"}).json();
  const auto public_key = from_base64url(text_at(keys, "/keys/0/x"));
  const std::vector<std::string> forged = {
      base64url(R"({"alg":"none"})") + "." + payload + ".",
      base64url(R"({"alg":"none","kid":")" + kid + R"("})") + "." + payload + ".",
      base64url(R"({"alg":"None","kid":")" + kid + R"("})") + "." + payload + "." + "AA",
      sign_hs256({.header = R"({"alg":"HS256","kid":")" + kid + R"("})",
                  .claims = claims,
                  .secret = public_key}),
      sign_hs256({.claims = claims, .secret = "secret-key"}),
      sign_hs256({.claims = claims, .secret = text_at(keys, "/keys/0/x")}),
      base64url(R"({"alg":"EdDSA","kid":"unheard-of"})") + token.substr(token.find('.')),
  };
  for (const auto& text : forged) {
    EXPECT_EQ(stage().send({.target = "/auth/me", .headers = {bearer(text)}}).status, 401U) << text;
  }
}

TEST_F(SigningIn, TheRoleIsReadFromTheUserAndNotFromTheToken) {
  stage().run({
      {.who = "admin", .request = "PATCH /user/<bob>", .body = R"({"role": "service"})"},
      {.who = "bob", .request = "GET /auth/me", .json = R"({"role": "service"})"},
      {.who = "bob", .request = "GET /user/<ann>"},
      {.who = "admin", .request = "PATCH /user/<bob>", .body = R"({"role": "user"})"},
      {.who = "bob", .request = "GET /user/<ann>", .status = 403},
  });
}

}  // namespace
}  // namespace um::e2e
