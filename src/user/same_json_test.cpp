#include "user/same_json.hpp"

#include <string>

#include <gtest/gtest.h>

namespace um {
namespace {

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
