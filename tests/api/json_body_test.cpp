// Bodies: media types, well-formedness, depth, duplicates, text and numbers that cannot be stored.
#include "support/json.hpp"
#include "support/stage_test.hpp"

namespace um::e2e {
namespace {

class JsonBody : public StageTest<JsonBody> {
 protected:
  void SetUp() override { stage().add("ann"); }

  static HttpResponse patch(const std::string& body,
                            const std::string& media_type = "application/json") {
    HttpRequest request{.method = "PATCH",
                        .target = stage().fill_in("/user/<ann>"),
                        .headers = {bearer(stage().token("admin"))},
                        .body = body};
    request.headers.emplace_back("Content-Type", media_type);
    return stage().send(request);
  }
  static void expect_unchanged() {
    stage().run(Step{.who = "ann",
                     .request = "GET /user/<ann>",
                     .json = R"({"first_name": "ann", "model_capability_settings": null})"});
  }
};

TEST_F(JsonBody, OnlyJsonInUtf8IsTaken) {
  const std::string body = R"({"last_name": "Typed"})";
  for (const auto* type :
       {"application/json", "application/json; charset=utf-8", "application/json;charset=UTF-8",
        "APPLICATION/JSON", "application/json ; charset=\"utf-8\""}) {
    EXPECT_EQ(patch(body, type).status, 200U) << type;
  }
  for (const auto* type :
       {"text/plain", "application/x-www-form-urlencoded", "application/json; charset=latin1",
        "application/json; charset=utf-16", "application/jsonx", "application/problem+json",
        "multipart/form-data; boundary=x", "application", "json", "application/json, text/plain",
        "application/json; charset=utf-8; charset=latin1", "*/*"}) {
    EXPECT_EQ(patch(body, type).status, 415U) << type;
  }
  HttpConnection connection{stage().server().endpoint()};
  connection.write(
      stage().fill_in("PATCH /user/<ann> HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer "
                      "<admin.token>\r\nContent-Length: 2\r\n\r\n{}"));
  EXPECT_EQ(connection.read_response()->status, 415U);
}

TEST_F(JsonBody, WhatIsNotJsonIsMalformed) {
  for (const std::string& body : std::vector<std::string>{"",
                                                          " ",
                                                          "{",
                                                          "}",
                                                          "{]",
                                                          R"({"first_name": "x")",
                                                          R"({"first_name": })",
                                                          R"({"first_name": "x",})",
                                                          R"({first_name: "x"})",
                                                          R"({'first_name': 'x'})",
                                                          R"({"first_name": "x"} {})",
                                                          R"({"first_name": "x"}x)",
                                                          R"({"first_name": "x"},)",
                                                          R"({"first_name": undefined})",
                                                          R"({"quota_usd": NaN})",
                                                          R"({"quota_usd": Infinity})",
                                                          R"({"quota_usd": 01})",
                                                          R"({"quota_usd": +1})",
                                                          R"({"quota_usd": .5})",
                                                          R"({"quota_usd": 1.})",
                                                          R"({"quota_usd": 0x10})",
                                                          R"({"quota_usd": 1e})",
                                                          R"({"quota_usd": -})",
                                                          "{\"first_name\": \"raw\nnewline\"}",
                                                          "{\"first_name\": \"tab\t\"}",
                                                          R"({"first_name": "\x41"})",
                                                          R"({"first_name": "\u12"})",
                                                          "/* c */ {}",
                                                          "{} // c",
                                                          "\xEF\xBB\xBF{}",
                                                          R"({"first_name": tru})",
                                                          "nul"}) {
    const auto answer = patch(body);
    EXPECT_EQ(answer.status, 400U) << body << "\n" << answer.text();
  }
  expect_unchanged();
}

TEST_F(JsonBody, TextThatIsNoTextIsMalformed) {
  for (const std::string& bytes :
       {std::string{"\xFF"}, std::string{"\xC0\xAF"}, std::string{"\xED\xA0\x80"},
        std::string{"\xF5\x80\x80\x80"}, std::string{"\xE2\x82"}, std::string{"\x80"},
        std::string{"\\ud800"}, std::string{"\\udc00"}, std::string{"\\ud800\\u0041"},
        std::string{"\\udc00\\ud800"}, std::string{"\\ud800x"}}) {
    EXPECT_EQ(patch(R"({"first_name": ")" + bytes + R"("})").status, 400U) << bytes;
    EXPECT_EQ(patch(R"({"model_capability_settings": {")" + bytes + R"(": 1}})").status, 400U)
        << bytes;
  }
  expect_unchanged();
}

TEST_F(JsonBody, EscapesAndEveryPlaneArriveAsTheyAre) {
  const auto answer = patch(R"({"first_name": "\u00e9\ud83d\ude02\"\\\/ 志"})");
  EXPECT_EQ(text_at(answer.json(), "/user/first_name"), "é😂\"\\/ 志");
}

TEST_F(JsonBody, ANameTwiceIsMalformed) {
  for (const auto* body :
       {R"({"first_name": "a", "first_name": "b"})", R"({"first_name": "a", "first_name": "a"})",
        R"({"first_name": "a", "first\u005fname": "b"})",
        R"({"model_capability_settings": {"x": 1, "x": 2}})",
        R"({"model_capability_settings": {"l": [{"x": 1, "x": 2}]}})",
        R"({"unknown": 1, "unknown": 2})"}) {
    EXPECT_EQ(patch(body).status, 400U) << body;
  }
  expect_unchanged();
}

TEST_F(JsonBody, DepthIsBounded) {
  const auto nested = [](int depth) {
    // The body and the settings are two of them.
    std::string body = R"({"model_capability_settings": {"x": )";
    for (int i = 2; i < depth; ++i) body += "[";
    for (int i = 2; i < depth; ++i) body += "]";
    if (depth == 2) body += "1";
    return body + "}}";
  };
  EXPECT_EQ(patch(nested(2)).status, 200U);
  EXPECT_EQ(patch(nested(32)).status, 200U);
  EXPECT_EQ(patch(nested(33)).status, 400U);
  EXPECT_EQ(patch(nested(2000)).status, 400U);
  EXPECT_EQ(patch(std::string(60'000, '[')).status, 400U);
}

TEST_F(JsonBody, NulAndNumbersOutOfRangeAreNamed) {
  for (const auto& [body, field] : std::vector<std::pair<std::string, std::string>>{
           {R"({"first_name": "a\u0000b"})", "first_name"},
           {R"({"model_capability_settings": {"a": "\u0000"}})", "model_capability_settings"},
           {R"({"model_capability_settings": {"\u0000": 1}})", "model_capability_settings"},
           {R"({"model_capability_settings": {"a": 1e400}})", "model_capability_settings"},
           {R"({"model_capability_settings": {"a": -1e400}})", "model_capability_settings"},
           {R"({"model_capability_settings": {"a": [18446744073709551616]}})",
            "model_capability_settings"},
           {R"({"quota_usd": 1e400})", "quota_usd"},
           {R"({"quota_usd": 1e99999999999})", "quota_usd"},
           {R"({"quota_usd": 99999999999999999999})", "quota_usd"}}) {
    const auto answer = patch(body);
    EXPECT_EQ(answer.status, 422U) << body << "\n" << answer.text();
    EXPECT_EQ(text_at(answer.json(), "/errors/0/field"), field) << body;
  }
  expect_unchanged();
}

TEST_F(JsonBody, NumbersInSettingsKeepTheirValue) {
  const auto answer = patch(R"({"model_capability_settings":
      {"big": 9223372036854775807, "unsigned": 18446744073709551615, "fraction": 0.1,
       "negative": -9223372036854775808}})");
  EXPECT_EQ(answer.status, 200U);
  for (const auto* text : {"9223372036854775807", "18446744073709551615", "-9223372036854775808"}) {
    EXPECT_NE(answer.body.find(text), std::string::npos) << text;
  }
  EXPECT_EQ(patch(R"({"model_capability_settings": null})").status, 200U);
}

TEST_F(JsonBody, WrongTypesAreNamedEachByItself) {
  const auto answer = patch(
      R"({"first_name": 5, "last_name": {}, "email": [], "is_active": "true", "role": false})");
  EXPECT_EQ(answer.status, 422U);
  for (const auto* field : {"first_name", "last_name", "email", "is_active", "role"}) {
    EXPECT_NE(answer.body.find(std::string{"\"field\":\""} + field + "\""), std::string::npos)
        << field << answer.body;
  }
  for (const auto* body : {"[]", "5", "\"x\"", "null", "true"}) {
    EXPECT_EQ(patch(body).status, 422U) << body;
  }
  expect_unchanged();
}

TEST_F(JsonBody, SixtyFourKilobytesAreTakenAndNotOneMore) {
  const auto padded = [](std::size_t size) {
    std::string body = R"({"last_name": "Padded")";
    body.resize(size - 1, ' ');
    return body + "}";
  };
  EXPECT_EQ(patch(padded(64 * 1024)).status, 200U);
  EXPECT_EQ(patch(padded(64 * 1024 + 1)).status, 413U);
}

TEST_F(JsonBody, IsNotLookedAtWhereNoneIsExpected) {
  // A body on GET and DELETE is read and ignored, and the next request is found behind it.
  for (int i = 0; i < 3; ++i) {
    stage().run({
        {.who = "ann", .request = "GET /user/<ann>", .body = "{}"},
        {.who = "ann", .request = "POST /auth/logout-all", .body = "not json at all"},
    });
    stage().sign_in_again("ann");
  }
}

}  // namespace
}  // namespace um::e2e
