// The interface request by request: status, headers, body. No answer has a password in it.
#include <gtest/gtest.h>

#include "api/json_body.hpp"
#include "api/openapi.hpp"
#include "api/routes.hpp"
#include "api/schemas.hpp"
#include "support/api_stage.hpp"

namespace um::api::test {
namespace {

struct Scenario {
  std::string name;  // of the test
  std::string line;
  std::string who{};
  std::string body{};
  Headers headers{};
  unsigned status = 200;
  std::string code{};        // of the problem
  std::string contains{};    // in the body
  std::string header{};      // "Name: value", whole
  std::string other_than{};  // must not be in the body
};

void PrintTo(const Scenario& scenario, std::ostream* out) {
  *out << scenario.line;
}

const std::string kSearchPage = "GET /users/search?keyword=example&per_page=2";
// clang-format off: a table, a line for each request
std::vector<Scenario> reading() {
  return {
      {"GetAnswersTheUser", "GET /user/1", "ada", "", {}, 200, "", R"("email":"ada@example.org")", "Cache-Status: user-manager; fwd=miss", "hash"},
      {"HeadIsServed", "HEAD /user/1", "ada", "", {}, 200, "", "", "Cache-Control: private, no-cache"},
      {"AnswersVaryByToken", "GET /user/1", "ada", "", {}, 200, "", "", "Vary: Authorization"},
      {"AnswersAreNotSniffed", "GET /user/1", "ada", "", {}, 200, "", "", "X-Content-Type-Options: nosniff"},
      {"NoCacheAsksThePrimary", "GET /user/1", "ada", "", with("Cache-Control", "max-age=5, No-Cache"), 200, "", "", "Cache-Status: user-manager; fwd=request"},
      {"UnknownUser", "GET /user/77", "root", "", {}, 404, "user_not_found", R"("error":"User not found")"},
      {"UnknownUserTellsTheCacheToo", "GET /user/77", "root", "", {}, 404, "user_not_found", "", "Cache-Status: user-manager; fwd=miss"},
      {"IdOfLetters", "GET /user/abc", "root", "", {}, 404, "user_not_found"},
      {"IdZero", "GET /user/0", "root", "", {}, 404, "user_not_found"},
      {"NegativeId", "GET /user/-1", "root", "", {}, 404, "user_not_found"},
      {"IdTooLarge", "GET /user/9223372036854775808", "root", "", {}, 404, "user_not_found"},
      {"LargestId", "GET /user/9223372036854775807", "root", "", {}, 404, "user_not_found"},
      {"IdWithLeadingZero", "GET /user/01", "root", "", {}, 404, "user_not_found"},
      {"ByEmailWithoutCase", "GET /users/by-email/ADA@Example.org", "root", "", {}, 200, "", R"("id":1,)"},
      {"ByEmailEscaped", "GET /users/by-email/ada%40example%2Eorg", "ada", "", {}, 200, "", R"("id":1,)"},
      {"ByUnknownEmail", "GET /users/by-email/nobody@example.org", "root", "", {}, 404, "user_not_found"},
      {"ByWhatIsNoEmail", "GET /users/by-email/%FF%00", "root", "", {}, 404, "user_not_found"},
      {"Me", "GET /auth/me", "bob", "", {}, 200, "", R"("id":2,)"},
      {"ListOfUsers", "GET /users", "root", "", {}, 200, "", R"([{"id":1,)", R"(Link: </users?page=1>; rel="first")"},
      {"ListIsNoCacheHit", "GET /users", "root", "", {}, 200, "", "", "Cache-Status: user-manager; fwd=bypass"},
      {"PageOfUsers", "GET /users?per_page=1&page=2", "root", "", {}, 200, "", R"([{"id":2,)", R"(Link: </users?per_page=1&page=1>; rel="first", </users?per_page=1&page=1>; rel="prev", </users?per_page=1&page=3>; rel="next")", R"("id":3)"},
      {"KeysetPage", "GET /users?per_page=1&after=2", "root", "", {}, 200, "", R"([{"id":3,)", R"(Link: </users?per_page=1&after=0>; rel="first", </users?per_page=1&after=3>; rel="next")"},
      {"Total", "GET /users?count=true", "robot", "", {}, 200, "", "", "X-Total-Count: 4"},
      {"SearchByKeyword", "GET /users/search?keyword=BOB", "root", "", {}, 200, "", R"([{"id":2,)", "", R"("id":1)"},
      {"SearchForNothingLists", "GET /users/search?keyword=", "root", "", {}, 200, "", R"([{"id":1,)"},
      {"SearchPagesKeepTheKeyword", kSearchPage, "root", "", {}, 200, "", "", R"(Link: </users/search?keyword=example&per_page=2&page=1>; rel="first", </users/search?keyword=example&per_page=2&page=2>; rel="next")"},
      {"EmptyPage", "GET /users?page=1000", "root", "", {}, 200, "", "[]"},
      {"PageZero", "GET /users?page=0", "root", "", {}, 422, "validation_failed", R"("field":"page")"},
      {"PerPageTooLarge", "GET /users?per_page=101", "root", "", {}, 422, "validation_failed", R"("field":"per_page")"},
      {"PageAndAfter", "GET /users?page=1&after=1", "root", "", {}, 422, "validation_failed", R"("field":"after")"},
  };
}

std::vector<Scenario> writing() {
  const std::string person = R"("first_name":"N","last_name":"N","password":"a long password")";
  return {
      {"Create", "POST /user/", "", R"({"email":"new@example.org",)" + person + "}", {}, 201, "", R"("email":"new@example.org")", "Location: /user/5"},
      {"CreateWithoutSlash", "POST /user", "", R"({"email":"new@example.org",)" + person + "}", {}, 201, "", "", "Content-Type: application/json"},
      {"CreateTwice", "POST /user/", "", R"({"email":"Ada@example.org",)" + person + "}", {}, 409, "email_taken"},
      {"CreateAdminAsNobody", "POST /user/", "", R"({"email":"new@example.org","role":"admin",)" + person + "}", {}, 403, "forbidden"},
      {"CreateAdminAsAdmin", "POST /user/", "root", R"({"email":"new@example.org","role":"admin",)" + person + "}", {}, 201, "", R"("role":"admin")"},
      {"CreateWithNothing", "POST /user/", "", "{}", {}, 422, "validation_failed", R"("field":"email")"},
      {"CreateWithShortSecret", "POST /user/", "", R"({"email":"n@example.org","password":"short"})", {}, 422, "validation_failed", R"("field":"password")"},
      {"CreateWithoutJson", "POST /user/", "", "email=x", {}, 400, "malformed_json"},
      {"CreateWithoutBody", "POST /user/", "", "", with("Content-Type", "application/json"), 400, "malformed_json"},
      {"CreateAsForm", "POST /user/", "", "", with("Content-Type", "application/x-www-form-urlencoded"), 415, "unsupported_media_type"},
      {"CreateWithoutType", "POST /user/", "", "", {}, 415, "unsupported_media_type"},
      {"CreateWithUnknownMember", "POST /user/", "", R"({"e-mail":"x"})", {}, 422, "validation_failed", R"("field":"e-mail","code":"unknown_field")"},
      {"Replace", "PUT /user/1", "ada", R"({"first_name":"A","last_name":"L","email":"ada@example.org"})", {}, 200, "", R"({"message":"User updated successfully","user":{"id":1,)"},
      {"ReplaceNeedsEverything", "PUT /user/1", "ada", R"({"first_name":"A"})", {}, 422, "validation_failed", R"("field":"last_name")"},
      {"ReplaceNobody", "PUT /user/77", "root", R"({"first_name":"A","last_name":"L","email":"a@example.org"})", {}, 404, "user_not_found"},
      {"ReplaceNoId", "PUT /user/abc", "root", "{}", {}, 404, "user_not_found"},
      {"Patch", "PATCH /user/1", "ada", R"({"last_name":"L"})", {}, 200, "", R"("last_name":"L")"},
      {"PatchAsMergePatch", "PATCH /user/1", "ada", R"({"last_name":"L"})", with("Content-Type", "application/merge-patch+json"), 200},
      {"PutIsNoMergePatch", "PUT /user/1", "ada", R"({"last_name":"L"})", with("Content-Type", "application/merge-patch+json"), 415, "unsupported_media_type"},
      {"PatchRoleAsUser", "PATCH /user/1", "ada", R"({"role":"admin"})", {}, 403, "forbidden"},
      {"PatchQuota", "PATCH /user/1", "root", R"({"quota_usd":"12.000001"})", {}, 200, "", R"("quota_usd":12.000001)"},
      {"PatchQuotaTooFine", "PATCH /user/1", "root", R"({"quota_usd":0.0000001})", {}, 422, "validation_failed", R"("field":"quota_usd")"},
      {"PatchQuotaInfinite", "PATCH /user/1", "root", R"({"quota_usd":1e400})", {}, 422, "validation_failed", R"("code":"number_out_of_range")"},
      {"PatchSettings", "PATCH /user/1", "root", R"({"model_capability_settings":{"b":1.10,"a":null}})", {}, 200, "", R"("model_capability_settings":{"b":1.10})"},
      {"PatchNul", "PATCH /user/1", "ada", R"({"first_name":"a\u0000"})", {}, 422, "validation_failed", R"("code":"nul_character")"},
      {"PatchWithOldTag", "PATCH /user/1", "ada", R"({"first_name":"x"})", with("If-Match", R"("1-0123456789abcdef-0")"), 412, "precondition_failed"},
      {"PatchWithWeakTag", "PATCH /user/1", "ada", R"({"first_name":"x"})", with("If-Match", R"(W/"1-0123456789abcdef-0")"), 412, "precondition_failed"},
      {"PatchWithForeignTag", "PATCH /user/1", "ada", R"({"first_name":"x"})", with("If-Match", R"("xyz", "")"), 412, "precondition_failed"},
      {"PatchWithStar", "PATCH /user/1", "ada", R"({"first_name":"x"})", with("If-Match", "*"), 200},
      {"PatchWithEmptyTag", "PATCH /user/1", "ada", R"({"first_name":"x"})", with("If-Match", ""), 400, "malformed_request"},
      {"PatchWithBrokenTag", "PATCH /user/1", "ada", R"({"first_name":"x"})", with("If-Match", "1-2-3"), 400, "malformed_request"},
      {"Delete", "DELETE /user/1", "ada", "", {}, 200, "", R"({"message":"User deleted successfully"})"},
      {"DeleteWithEmptyTag", "DELETE /user/1", "ada", "", with("If-Match", ""), 400, "malformed_request"},
      {"DeleteNobody", "DELETE /user/77", "root", "", {}, 404, "user_not_found"},
      {"DeleteWithOldTag", "DELETE /user/1", "ada", "", with("If-Match", R"("1-0123456789abcdef-0")"), 412, "precondition_failed"},
      {"Usage", "POST /user/1/usage", "robot", R"({"usd":"0.0123"})", {}, 200, "", R"({"used_usd":0.0123,"quota_usd":null,"remaining_usd":null,"quota_exceeded":false})"},
      {"UsageAsNumber", "POST /user/1/usage", "robot", R"({"usd":0.1})", {}, 200, "", R"("used_usd":0.1,)"},
      {"UsageNegative", "POST /user/1/usage", "robot", R"({"usd":"-1"})", {}, 422, "validation_failed", R"("field":"usd")"},
      {"UsageTooLarge", "POST /user/1/usage", "robot", R"({"usd":"9000000001"})", {}, 422, "validation_failed", R"("error":"usd: must be a plain decimal from 0 to 9000000000 with at most 6 decimals")"},
      {"UsageTooFine", "POST /user/1/usage", "robot", R"({"usd":"0.0000001"})", {}, 422, "validation_failed", R"("field":"usd")"},
      {"UsageMissing", "POST /user/1/usage", "robot", "{}", {}, 422, "validation_failed", R"("field":"usd","code":"required")"},
      {"UsageOfNobody", "POST /user/77/usage", "robot", R"({"usd":1})", {}, 404, "user_not_found"},
      {"UsageWithExponent", "POST /user/1/usage", "robot", R"({"usd":1e-05})", {}, 200, "", R"("used_usd":0.00001,)"},
      {"UsageWithExponentTooFine", "POST /user/1/usage", "robot", R"({"usd":1e-07})", {}, 422, "validation_failed", R"("field":"usd")"},
      {"UsageWithExponentTooLarge", "POST /user/1/usage", "robot", R"({"usd":1e300})", {}, 422, "validation_failed", R"("field":"usd")"},
      {"UsageWithExponentAsText", "POST /user/1/usage", "robot", R"({"usd":"1e-05"})", {}, 422, "validation_failed", R"("field":"usd")"},
      {"UsageWithEmptyKey", "POST /user/1/usage", "robot", R"({"usd":1})", with("Idempotency-Key", ""), 422, "validation_failed", R"("field":"Idempotency-Key")"},
      {"UsageWithLongKey", "POST /user/1/usage", "robot", R"({"usd":1})", with("Idempotency-Key", std::string(256, 'k')), 422, "validation_failed", R"("field":"Idempotency-Key")"},
      {"UsageWithBinaryKey", "POST /user/1/usage", "robot", R"({"usd":1})", with("Idempotency-Key", "\xFF"), 422, "validation_failed", R"("field":"Idempotency-Key")"},
      {"DropFromCaches", "DELETE /cache/user/1", "root", "", {}, 200, "", "message"},
      {"DropNobodyFromCaches", "DELETE /cache/user/x", "root", "", {}, 404, "user_not_found"},
  };
}

std::vector<Scenario> signing_in() {
  return {
      {"Login", "POST /auth/login", "", R"({"email":"ADA@example.org","password":"correct horse"})", {}, 200, "", R"("token_type":"Bearer","expires_in":86400,"user":{"id":1,)", "Cache-Control: no-store"},
      {"LoginWrong", "POST /auth/login", "", R"({"email":"ada@example.org","password":"wrong"})", {}, 401, "invalid_credentials", R"("error":"invalid email or password")", R"(WWW-Authenticate: Bearer realm="user-manager")"},
      {"LoginUnknown", "POST /auth/login", "", R"({"email":"nobody@example.org","password":"wrong"})", {}, 401, "invalid_credentials", R"("error":"invalid email or password")"},
      {"LoginWithoutMembers", "POST /auth/login", "", "{}", {}, 422, "validation_failed", R"("field":"email","code":"required")"},
      {"LoginWithNull", "POST /auth/login", "", R"({"email":"a@b.c","password":null})", {}, 422, "validation_failed", R"("code":"required")"},
      {"LoginWithMore", "POST /auth/login", "", R"({"email":"a@b.c","password":"x","remember":true})", {}, 422, "validation_failed", R"("field":"remember")"},
      {"LoginWithAnOldTokenInTheHeader", "POST /auth/login", "forged", R"({"email":"ada@example.org","password":"correct horse"})"},
      {"Logout", "POST /auth/logout", "ada", "", {}, 200, "", R"({"message":"logout success"})"},
      {"LogoutWithoutToken", "POST /auth/logout", "", "", {}, 401, "token_missing", R"("error":"token not found")"},
      {"LogoutAll", "POST /auth/logout-all", "ada", "", {}, 200, "", R"({"message":"logout success"})"},
      {"Sessions", "GET /auth/sessions", "ada", "", {}, 200, "", R"("kind":"login","current":true)", "Cache-Control: no-store"},
      {"SessionWithBadId", "DELETE /auth/sessions/XYZ", "ada", "", {}, 404, "session_not_found"},
      {"SessionUnknown", "DELETE /auth/sessions/00000000000000000000000000000000", "ada", "", {}, 404, "session_not_found"},
  };
}

std::vector<Scenario> everything_else() {
  return {
      {"Alive", "GET /healthz", "", "", {}, 200, "", R"({"status":"ok"})", "Cache-Control: no-store"},
      {"Ready", "GET /readyz", "", "", {}, 200, "", R"({"status":"ready"})"},
      {"Metrics", "GET /metrics", "", "", {}, 200, "", "um_up 1", "Content-Type: text/plain; version=0.0.4; charset=utf-8"},
      {"Keys", "GET /.well-known/jwks.json", "", "", {}, 200, "", R"({"keys":[]})"},
      {"CacheStats", "GET /cache/stats", "root", "", {}, 200, "", R"({"hits":0})"},
      {"OpenApi", "GET /openapi.json", "", "", {}, 200, "", R"("openapi":"3.1.0")", "Content-Type: application/json"},
      {"NoSuchPath", "GET /nothing", "", "", {}, 404, "path_not_found"},
      {"NoSuchMethod", "POST /user/1", "", "", {}, 405, "method_not_allowed", "", "Allow: GET, HEAD, PUT, PATCH, DELETE, OPTIONS"},
      {"Options", "OPTIONS /user/1", "", "", {}, 204, "", "", "Allow: GET, HEAD, PUT, PATCH, DELETE, OPTIONS"},
      {"OptionsOfAPatch", "OPTIONS /user/1", "", "", {}, 204, "", "", "Accept-Patch: application/json, application/merge-patch+json"},
      {"OptionsOfTheServer", "OPTIONS *", "", "", {}, 204, "", "", "Allow: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"},
      {"OptionsOfNothing", "OPTIONS /nothing", "", "", {}, 404, "path_not_found"},
      {"RequestIdIsTakenOver", "GET /healthz", "", "", with("X-Request-Id", "abc.DEF-1_2"), 200, "", "", "X-Request-Id: abc.DEF-1_2"},
      {"RequestIdIsTakenOverByProblems", "GET /nothing", "", "", with("X-Request-Id", "abc"), 404, "path_not_found", "", "X-Request-Id: abc"},
  };
}

// clang-format on

// The OpenAPI document describes every answer that is given here.
void expect_described(const Scenario& scenario, unsigned status) {
  const std::size_t space = scenario.line.find(' ');
  const std::string path = scenario.line.substr(space + 1, scenario.line.find('?') - space - 1);
  std::string method = scenario.line.substr(0, space);
  for (const Route& route : routes()) {
    if (http::to_string(route.method) != method) continue;
    if (match_route(route.method, path).route != &route) continue;
    for (char& c : method) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    static const JsonValue document = *parse_json(openapi_document(ReadAccess::private_));
    const JsonValue* const responses =
        document.find("paths")->find(route.pattern.text)->find(method)->find("responses");
    EXPECT_NE(responses->find(std::to_string(status)), nullptr) << route.name << ' ' << status;
    return;
  }
}

class Api : public ::testing::TestWithParam<Scenario> {};

TEST_P(Api, Answers) {
  const Scenario& scenario = GetParam();
  ApiStage stage;
  const Reply reply = stage.ask({.line = scenario.line,
                                 .who = scenario.who,
                                 .body = scenario.body,
                                 .headers = scenario.headers});
  EXPECT_EQ(reply.status, scenario.status) << reply.body;
  EXPECT_NE(reply.body.find(scenario.contains), std::string::npos) << reply.body;
  if (!scenario.other_than.empty()) {
    EXPECT_EQ(reply.body.find(scenario.other_than), std::string::npos) << reply.body;
  }
  if (!scenario.header.empty()) {
    EXPECT_EQ(reply.header(scenario.header.substr(0, scenario.header.find(": "))),
              scenario.header.substr(scenario.header.find(": ") + 2));
  }
  EXPECT_FALSE(reply.header("X-Request-Id").empty());
  expect_described(scenario, reply.status);
  if (reply.status >= 400) {
    EXPECT_EQ(reply.header("Content-Type"), "application/problem+json");
    EXPECT_EQ(reply.member("code"), scenario.code);
    EXPECT_EQ(reply.member("status"), std::to_string(reply.status));
  } else if (scenario.line != "GET /openapi.json") {
    EXPECT_EQ(reply.body.find("password"), std::string::npos) << reply.body;
  }
  EXPECT_EQ(reply.body.find("$2b$"), std::string::npos) << reply.body;
  EXPECT_EQ(reply.body.find("auth_epoch"), std::string::npos) << reply.body;
}

std::string name_of(const ::testing::TestParamInfo<Scenario>& info) {
  return info.param.name;
}
INSTANTIATE_TEST_SUITE_P(Reading, Api, ::testing::ValuesIn(reading()), name_of);
INSTANTIATE_TEST_SUITE_P(Writing, Api, ::testing::ValuesIn(writing()), name_of);
INSTANTIATE_TEST_SUITE_P(SigningIn, Api, ::testing::ValuesIn(signing_in()), name_of);
INSTANTIATE_TEST_SUITE_P(EverythingElse, Api, ::testing::ValuesIn(everything_else()), name_of);

}  // namespace
}  // namespace um::api::test
