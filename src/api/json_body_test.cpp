#include "api/json_body.hpp"

#include <gtest/gtest.h>

namespace um::api {
namespace {

ProblemCode refused(std::string_view text) {
  const auto value = parse_json(text);
  if (value) ADD_FAILURE() << "accepted: " << text;
  return value ? ProblemCode::not_ready : value.error().code;
}
std::string canonical(std::string_view text) {
  const auto value = parse_json(text);
  return value ? canonical_json(*value) : "refused: " + value.error().detail;
}
std::string nested(std::size_t depth) {
  return std::string(depth, '[') + std::string(depth, ']');
}

TEST(JsonBody, EveryKindOfValueIsRead) {
  EXPECT_EQ(canonical(R"( {"b": [1, -2.50, 1e3, true, null], "a": {"x": "y"}} )"),
            R"({"a":{"x":"y"},"b":[1,-2.50,1e3,true,null]})");
}

TEST(JsonBody, NumbersKeepTheirText) {
  for (const std::string number :
       {"0", "-0", "0.1", "0.10", "123456789.123456", "1.5e2", "1E+2", "18446744073709551615",
        "-9223372036854775808", "0.000000000000000000000000000001",
        "3.14159265358979323846264338327950288419716939937510582097494459"}) {
    EXPECT_EQ(canonical(number), number);
    EXPECT_EQ(canonical("[" + number + "]"), "[" + number + "]");
  }
}

TEST(JsonBody, TextIsDecodedAndWrittenAgain) {
  EXPECT_EQ(canonical(R"("\u00e9\ud83d\ude00\n\"\\\/")"),
            "\"\xC3\xA9\xF0\x9F\x98\x80\\n\\\"\\\\/\"");
}

TEST(JsonBody, WhatIsNotJsonIsRefused) {
  for (const std::string_view text :
       {"",    " ",   "{",      "}",     "[1,]", "{\"a\":1,}", "{a:1}",     "'a'",
        "nul", "01",  "+1",     ".5",    "1.",   "1e",         "NaN",       "Infinity",
        "-",   "\"a", "\"\t\"", "{} {}", "1 2",  "/**/1",      "{\"a\" 1}", "\xEF\xBB\xBF{}"}) {
    EXPECT_EQ(refused(text), ProblemCode::malformed_json) << text;
  }
}

TEST(JsonBody, TheSameNameTwiceIsRefusedAtAnyDepth) {
  EXPECT_EQ(refused(R"({"a":1,"a":2})"), ProblemCode::malformed_json);
  EXPECT_EQ(refused(R"({"a":1,"\u0061":2})"), ProblemCode::malformed_json);
  EXPECT_EQ(refused(R"({"x":[{"a":1,"b":2,"a":3}]})"), ProblemCode::malformed_json);
  EXPECT_EQ(canonical(R"({"a":{"a":1}})"), R"({"a":{"a":1}})");
}

TEST(JsonBody, InvalidUtf8IsRefused) {
  for (const std::string_view text : {"\"\xFF\"", "\"\xC0\x80\"", "\"\xED\xA0\x80\"",
                                      "\"\xF4\x90\x80\x80\"", "\"\xE2\x82\"", "{\"\xFF\":1}"}) {
    EXPECT_EQ(refused(text), ProblemCode::malformed_json);
  }
}

TEST(JsonBody, LoneSurrogatesAreRefused) {
  for (const std::string_view text : {R"("\ud800")", R"("\ud800x")", R"("\ud800\u0041")",
                                      R"("\udc00")", R"("\udc00\ud800")", R"({"\ud800":1})"}) {
    EXPECT_EQ(refused(text), ProblemCode::malformed_json) << text;
  }
}

TEST(JsonBody, DepthIsLimited) {
  EXPECT_EQ(canonical(nested(kMaxJsonDepth)), nested(kMaxJsonDepth));
  EXPECT_EQ(refused(nested(kMaxJsonDepth + 1)), ProblemCode::malformed_json);
  EXPECT_EQ(refused(std::string(60'000, '[')), ProblemCode::malformed_json);
}

TEST(JsonBody, TheNumberOfValuesIsLimited) {
  const auto array_of = [](std::size_t values) {
    std::string text = "[";
    for (std::size_t i = 0; i < values; ++i) text += i > 0 ? ",1" : "1";
    return text + "]";
  };
  EXPECT_TRUE(parse_json(array_of(kMaxJsonValues - 1)));
  EXPECT_EQ(refused(array_of(kMaxJsonValues)), ProblemCode::validation_failed);
}

TEST(JsonBody, NulIsRefusedNamingTheMember) {
  const auto value = parse_json(R"({"first_name":"a\u0000b","s":{"\u0000":1}})");
  ASSERT_FALSE(value);
  EXPECT_EQ(value.error().code, ProblemCode::validation_failed);
  ASSERT_EQ(value.error().fields.size(), 2U);
  EXPECT_EQ(value.error().fields[0].field, "first_name");
  EXPECT_EQ(value.error().fields[0].code, "nul_character");
  EXPECT_EQ(value.error().fields[1].field, "s");
}

TEST(JsonBody, NumbersOutOfRangeAreRefusedNamingTheMember) {
  for (const std::string number :
       {"1e400", "-1e400", "18446744073709551616", "-9223372036854775809", "1e99999999999",
        "1e-400", "123456789012345678901234567890"}) {
    const auto value = parse_json(R"({"quota_usd":)" + number + "}");
    ASSERT_FALSE(value) << number;
    EXPECT_EQ(value.error().code, ProblemCode::validation_failed) << number;
    ASSERT_EQ(value.error().fields.size(), 1U);
    EXPECT_EQ(value.error().fields[0].field, "quota_usd");
    EXPECT_EQ(value.error().fields[0].code, "number_out_of_range");
  }
}

}  // namespace
}  // namespace um::api
