#include <gtest/gtest.h>

#include "auth/tokens/jws.hpp"
#include "base/json_writer.hpp"

namespace um {
namespace {

std::optional<std::int64_t> integer(const JsonValue& object, std::string_view name) {
  const JsonValue* const value = object.find(name);
  return value == nullptr ? std::nullopt : value->integer();
}

TEST(FlatJson, StringsAndIntegersAreFoundByName) {
  const auto object = read_flat_json(R"( {"a":"x\u00e9\n","b":-7,"c":true,"d":1.5,"e":null} )");
  ASSERT_TRUE(object);
  EXPECT_EQ(*object->find_string("a"), "x\u00e9\n");
  EXPECT_EQ(integer(*object, "b"), -7);
  EXPECT_EQ(integer(*object, "a"), std::nullopt);
  EXPECT_EQ(object->find_string("b"), nullptr);
  EXPECT_EQ(integer(*object, "d"), std::nullopt);
  EXPECT_NE(object->find("e"), nullptr);
  EXPECT_EQ(object->find("f"), nullptr);
}

TEST(FlatJson, ANameThatAppearsTwiceIsRefused) {
  EXPECT_FALSE(read_flat_json(R"({"alg":"HS256","alg":"none"})"));
  EXPECT_FALSE(read_flat_json(R"({"alg":"HS256","\u0061lg":"HS256"})"));
  EXPECT_TRUE(read_flat_json(R"({"alg":"HS256","ALG":"HS256"})"));
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
    EXPECT_FALSE(read_flat_json(text)) << text;
  }
  EXPECT_FALSE(read_flat_json(std::string_view{"{}\0", 3}));
}

TEST(FlatJson, TheNumberOfMembersIsBounded) {
  std::string text = "{";
  for (std::size_t i = 0; i < kMaxFlatMembers; ++i) {
    text += (i == 0 ? "" : ",") + ("\"m" + std::to_string(i)) + "\":1";
  }
  EXPECT_TRUE(read_flat_json(text + "}"));
  EXPECT_FALSE(read_flat_json(text + ",\"more\":1}"));
}

TEST(FlatJson, NumbersBeyond64BitsAreNotIntegers) {
  const auto object = read_flat_json(R"({"big":18446744073709551616,"huge":9223372036854775808})");
  ASSERT_TRUE(object);
  EXPECT_EQ(integer(*object, "big"), std::nullopt);
  EXPECT_EQ(integer(*object, "huge"), std::nullopt);
}

TEST(JsonQuoted, WhatItWritesIsReadBackTheSame) {
  const std::string text = "a\"b\\c\n\x01\x1F/\u00e9";
  const auto object = read_flat_json(JsonWriter{}.open_object().member("t", text).close().text());
  ASSERT_TRUE(object);
  EXPECT_EQ(*object->find_string("t"), text);
}

}  // namespace
}  // namespace um
