// Settings of `serve` that change what the HTTP interface does.
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "support/json.hpp"
#include "support/jwt.hpp"
#include "support/self_signed.hpp"
#include "support/stage_test.hpp"

namespace um::e2e {
namespace {

class PublicAccess : public StageTest<PublicAccess> {
 public:
  static ServeOptions options() { return {.arguments = {"--access", "public"}}; }
};

TEST_F(PublicAccess, ReadingListingAndSearchingNeedNoToken) {
  stage().add({"ann", "bob"});
  stage().run({
      {.request = "GET /user/<ann>", .json = R"({"id": <ann>})", .has = {"ETag"}},
      {.request = "GET /users/by-email/<ann.email>", .json = R"({"id": <ann>})"},
      {.request = "GET /users"},
      {.request = "GET /users/search?keyword=ann", .json = R"([{"id": <ann>}])"},
      {.request = "GET /user/999999999", .status = 404},
      {.who = "bob", .request = "GET /user/<ann>", .json = R"({"id": <ann>})"},
      {.request = "GET /user/<ann>",
       .headers = {{"Authorization", "Bearer rubbish"}},
       .status = 401,
       .json = R"({"code": "token_invalid"})"},
  });
}

TEST_F(PublicAccess, EverythingElseStillNeedsOne) {
  stage().add("ann");
  stage().run({
      {.request = "PUT /user/<ann>", .body = "{}", .status = 401},
      {.request = "PATCH /user/<ann>", .body = "{}", .status = 401},
      {.request = "DELETE /user/<ann>", .status = 401},
      {.request = "POST /user/<ann>/usage", .body = R"({"usd": 1})", .status = 401},
      {.request = "GET /auth/me", .status = 401},
      {.request = "GET /auth/sessions", .status = 401},
      {.request = "GET /cache/stats", .status = 401},
      {.request = "DELETE /cache/user/<ann>", .status = 401},
  });
}

class ClosedRegistration : public StageTest<ClosedRegistration> {
 public:
  static ServeOptions options() {
    return {.environment = {{"USER_MANAGER_REGISTRATION", "admin"}}};
  }
};

TEST_F(ClosedRegistration, OnlyAnAdministratorCreatesUsers) {
  stage().add("ann");
  const std::string body = R"({"email": "new@example.test", "password": "open-Sesame-1"})";
  const auto nobody = stage().send({.method = "POST", .target = "/user/", .body = body});
  EXPECT_EQ(nobody.status, 401U) << nobody.text();
  EXPECT_EQ(nobody.header("WWW-Authenticate"), R"(Bearer realm="user-manager")");
  EXPECT_EQ(text_at(nobody.json(), "/code"), "token_missing");
  stage().run({
      {.who = "ann", .request = "POST /user/", .body = body, .status = 403},
      {.who = "admin", .request = "POST /user/", .body = body, .status = 201},
      // A caller that may not create users learns nothing about addresses either.
      {.who = "ann", .request = "POST /user/", .body = body, .status = 403},
  });
}

class SharedSecret : public StageTest<SharedSecret> {
 public:
  static constexpr const char* kSecret = "0123456789abcdef0123456789abcdef-not-for-production";
  static ServeOptions options() {
    static const test::TempDirectory directory;
    return {.arguments = {"--jwt-hs256-secret-file", directory.write("secret", kSecret), "--issuer",
                          "https://users.example.test", "--token-ttl", "1h"}};
  }
};

TEST_F(SharedSecret, TokensAreSignedWithItAndNamedByTheIssuer) {
  stage().add("ann");
  const auto token = stage().token("ann");
  const auto parts = take_apart(token);
  EXPECT_EQ(text_at(parts.header, "/alg"), "HS256");
  EXPECT_EQ(text_at(parts.claims, "/iss"), "https://users.example.test");
  EXPECT_EQ(parts.claims.at("exp").to_number<std::int64_t>() -
                parts.claims.at("iat").to_number<std::int64_t>(),
            3600);
  const auto header = from_base64url(token.substr(0, token.find('.')));
  const auto claims = from_base64url(parts.signed_part.substr(token.find('.') + 1));
  EXPECT_EQ(sign_hs256({.header = header, .claims = claims, .secret = kSecret}), token);
  stage().run(Step{.who = "ann", .request = "GET /auth/me", .json = R"({"id": <ann>})"});

  const auto expect_refused = [&](const std::string& text) {
    EXPECT_EQ(stage().send({.target = "/auth/me", .headers = {bearer(text)}}).status, 401U) << text;
  };
  expect_refused(sign_hs256(
      {.header = header, .claims = claims, .secret = "another-secret-of-32-bytes-length"}));
  expect_refused(sign_hs256({.header = R"({"alg":"HS512"})", .claims = claims, .secret = kSecret}));
  expect_refused(sign_hs256({.header = header, .claims = "{}", .secret = kSecret}));
  // Validly signed, but for a session that does not exist: a forgery made with a leaked secret.
  boost::json::object made_up = parts.claims.as_object();
  made_up["sid"] = std::string(32, '0');
  expect_refused(
      sign_hs256({.header = header, .claims = boost::json::serialize(made_up), .secret = kSecret}));
  made_up = parts.claims.as_object();
  made_up["exp"] = parts.claims.at("iat").to_number<std::int64_t>() - 1;
  expect_refused(
      sign_hs256({.header = header, .claims = boost::json::serialize(made_up), .secret = kSecret}));
  made_up = parts.claims.as_object();
  made_up["sub"] = stage().known("admin");
  expect_refused(
      sign_hs256({.header = header, .claims = boost::json::serialize(made_up), .secret = kSecret}));
  made_up = parts.claims.as_object();
  made_up["iss"] = "somebody-else";
  expect_refused(
      sign_hs256({.header = header, .claims = boost::json::serialize(made_up), .secret = kSecret}));
  // The secret is not published.
  EXPECT_EQ(stage().send({.target = "/.well-known/jwks.json"}).body.find("oct"), std::string::npos);
}

class Https : public StageTest<Https> {
 public:
  static ServeOptions options() {
    static const test::TempDirectory directory;
    const auto pair = make_self_signed();
    return {.arguments = {"--tls-cert", directory.write("cert.pem", pair.certificate_pem),
                          "--tls-key", directory.write("key.pem", pair.key_pem)},
            .tls = true};
  }
};

TEST_F(Https, IsTheSameInterface) {
  stage().add("ann");
  stage().run({
      {.who = "ann", .request = "GET /user/<ann>", .json = R"({"id": <ann>})"},
      {.who = "ann", .request = "PATCH /user/<ann>", .body = R"({"first_name": "Secure"})"},
      {.request = "GET /healthz"},
  });
}

TEST_F(Https, PlainTextOnItsPortIsNotAnswered) {
  Endpoint plain = stage().server().endpoint();
  plain.tls = false;
  HttpConnection connection{plain};
  connection.write("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_EQ(connection.read_to_end().find("HTTP/1.1 200"), std::string::npos);
  stage().run(Step{.request = "GET /healthz"});
}

TEST_F(Https, ConnectionsThatNeverShakeHandsStopNobody) {
  Endpoint plain = stage().server().endpoint();
  plain.tls = false;
  std::vector<HttpConnection> silent;
  for (int i = 0; i < 50; ++i) silent.emplace_back(plain);
  auto client = stage().server().client();
  EXPECT_EQ(client.send({.target = "/healthz"}).status, 200U);
}

}  // namespace
}  // namespace um::e2e
