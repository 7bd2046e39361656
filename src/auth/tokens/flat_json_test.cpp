#include "auth/tokens/flat_json.hpp"

#include <gtest/gtest.h>

namespace um {
namespace {

TEST(FlatJson, StringsAndIntegersAreFoundByName) {
  const auto object = FlatJson::parse(R"( {"a":"x\u00e9\n","b":-7,"c":true,"d":1.5,"e":null} )");
  ASSERT_TRUE(object);
  EXPECT_EQ(*object->string("a"), "x\u00e9\n");
  EXPECT_EQ(*object->integer("b"), -7);
  EXPECT_EQ(object->integer("a"), nullptr);
  EXPECT_EQ(object->string("b"), nullptr);
  EXPECT_EQ(object->integer("d"), nullptr);
  EXPECT_NE(object->find("e"), nullptr);
  EXPECT_EQ(object->find("f"), nullptr);
}

TEST(FlatJson, ANameThatAppearsTwiceIsRefused) {
  EXPECT_FALSE(FlatJson::parse(R"({"alg":"HS256","alg":"none"})"));
  EXPECT_FALSE(FlatJson::parse(R"({"alg":"HS256","\u0061lg":"HS256"})"));
  EXPECT_TRUE(FlatJson::parse(R"({"alg":"HS256","ALG":"HS256"})"));
}

TEST(FlatJson, WhatIsNotOneFlatObjectIsRefused) {
  for (const std::string_view text : {"",
                                      " ",
                                      "null",
                                      "\"a\"",
                                      "7",
                                      "[]",
                                      "[1]",
                                      "{",
                                      "}",
                                      "{\"a\"}",
                                      "{\"a\":}",
                                      "{\"a\":1,}",
                                      "{a:1}",
                                      "{'a':1}",
                                      "{\"a\":{}}",
                                      "{\"a\":[]}",
                                      "{\"a\":[1]}",
                                      "{}{}",
                                      "{} x",
                                      "{\"a\":01}",
                                      "{\"a\":NaN}",
                                      "/**/{}",
                                      "{\"a\":\"\x80\"}",
                                      "{\"a\":\"\\ud800\"}",
                                      "{\"a\":\"\n\"}",
                                      "\xEF\xBB\xBF{}"}) {
    EXPECT_FALSE(FlatJson::parse(text)) << text;
  }
  EXPECT_FALSE(FlatJson::parse(std::string_view{"{}\0", 3}));
}

TEST(FlatJson, TheNumberOfMembersIsBounded) {
  std::string text = "{";
  for (std::size_t i = 0; i < FlatJson::kMaxMembers; ++i) {
    text += (i == 0 ? "" : ",") + ("\"m" + std::to_string(i)) + "\":1";
  }
  EXPECT_TRUE(FlatJson::parse(text + "}"));
  EXPECT_FALSE(FlatJson::parse(text + ",\"more\":1}"));
}

TEST(FlatJson, NumbersBeyond64BitsAreNotIntegers) {
  const auto object = FlatJson::parse(R"({"big":18446744073709551616,"huge":9223372036854775808})");
  ASSERT_TRUE(object);
  EXPECT_EQ(object->integer("big"), nullptr);
  EXPECT_EQ(object->integer("huge"), nullptr);
}

TEST(JsonQuoted, WhatItWritesIsReadBackTheSame) {
  const std::string text = "a\"b\\c\n\x01\x1F/\u00e9";
  const auto object = FlatJson::parse("{\"t\":" + json_quoted(text) + "}");
  ASSERT_TRUE(object);
  EXPECT_EQ(*object->string("t"), text);
}

}  // namespace
}  // namespace um
