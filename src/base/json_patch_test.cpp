#include "base/json_patch.hpp"

#include <gtest/gtest.h>

namespace um {
namespace {

std::string merged(std::string_view target, std::string_view patch) {
  const auto result = merge_json({.target = target, .patch = patch});
  return result ? *result : std::string{describe(result.error())};
}

// The object cases of RFC 7396, appendix A.
TEST(MergePatch, DoesWhatTheRfcShows) {
  EXPECT_EQ(merged(R"({"a":"b"})", R"({"a":"c"})"), R"({"a":"c"})");
  EXPECT_EQ(merged(R"({"a":"b"})", R"({"b":"c"})"), R"({"a":"b","b":"c"})");
  EXPECT_EQ(merged(R"({"a":"b"})", R"({"a":null})"), "{}");
  EXPECT_EQ(merged(R"({"a":"b","b":"c"})", R"({"a":null})"), R"({"b":"c"})");
  EXPECT_EQ(merged(R"({"a":["b"]})", R"({"a":"c"})"), R"({"a":"c"})");
  EXPECT_EQ(merged(R"({"a":"c"})", R"({"a":["b"]})"), R"({"a":["b"]})");
  EXPECT_EQ(merged(R"({"a":{"b":"c"}})", R"({"a":{"b":"d","c":null}})"), R"({"a":{"b":"d"}})");
  EXPECT_EQ(merged(R"({"a":[{"b":"c"}]})", R"({"a":[1]})"), R"({"a":[1]})");
  EXPECT_EQ(merged(R"({"e":null})", R"({"a":1})"), R"({"e":null,"a":1})");
  EXPECT_EQ(merged(R"({"a":"foo"})", R"({"a":{"bb":{"ccc":null}}})"), R"({"a":{"bb":{}}})");
  EXPECT_EQ(merged("{}", R"({"a":{"bb":{"ccc":null}}})"), R"({"a":{"bb":{}}})");
}

TEST(MergePatch, KeepsNumbersTextAndNullsWithinArrays) {
  EXPECT_EQ(merged(R"({ "n" : 1.50, "t":"a\"\u00e9" })", R"({"m":1E+2,"l":[null,{"x":null}]})"),
            "{\"n\":1.50,\"t\":\"a\\\"\xC3\xA9\",\"m\":1E+2,\"l\":[null,{\"x\":null}]}");
}

TEST(MergePatch, RefusesWhatIsNoObject) {
  EXPECT_EQ(merged("{}", "[]"), "must be a JSON object");
  EXPECT_EQ(merged("1", "{}"), "must be a JSON object");
  EXPECT_EQ(merged("{}", "{"), "is not valid JSON");
  EXPECT_EQ(merged("{}", R"({"a":1,"a":2})"), "has the same member twice");
}

TEST(SameJson, MeaningCountsAndNotWriting) {
  EXPECT_TRUE(same_json(R"({"a":1,"b":[true,null]})", R"({ "b":[true,null], "a":1 })"));
  EXPECT_TRUE(same_json(R"({"a":"é"})", R"({"a":"\u00e9"})"));
  EXPECT_TRUE(same_json(R"({"a":[1.0,-0,1e2]})", R"({"a":[1,0,100]})"));
  EXPECT_TRUE(same_json("{}", " {} "));
  EXPECT_FALSE(same_json(R"({"a":1})", R"({"a":2})"));
  EXPECT_FALSE(same_json(R"({"a":1})", R"({"b":1})"));
  EXPECT_FALSE(same_json(R"({"a":1})", R"({"a":1,"b":null})"));
  EXPECT_FALSE(same_json(R"({"a":[1,2]})", R"({"a":[2,1]})"));
  EXPECT_FALSE(same_json(R"({"a":[]})", R"({"a":{}})"));
  EXPECT_FALSE(same_json(R"({"a":[[1],2]})", R"({"a":[[1,2]]})"));
  EXPECT_FALSE(same_json(R"({"a":"1"})", R"({"a":1})"));
  EXPECT_FALSE(same_json(R"({"a":"true"})", R"({"a":true})"));
}

TEST(SameJson, NumbersAreComparedExactly) {
  EXPECT_FALSE(same_json(R"({"a":1})", R"({"a":1.0000000000000001})"));
  EXPECT_FALSE(same_json(R"({"a":9007199254740992.0})", R"({"a":9007199254740993.0})"));
  EXPECT_FALSE(same_json(R"({"a":18446744073709551615})", R"({"a":18446744073709551615.5})"));
  EXPECT_FALSE(same_json(R"({"a":1})", R"({"a":-1})"));
}

TEST(SameJson, WhatIsNoJsonIsTheSameAsNothingElse) {
  for (const std::string text : {"{", "{}x", R"({"a":1,"a":1})", R"({"a":01})", ""}) {
    EXPECT_FALSE(same_json(text, R"({"a":1})")) << text;
    EXPECT_FALSE(same_json(R"({"a":1})", text)) << text;
  }
  const std::string deep = std::string(100'000, '[') + std::string(100'000, ']');
  EXPECT_FALSE(same_json(deep, " " + deep));
}

}  // namespace
}  // namespace um
