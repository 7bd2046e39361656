#include "base/json.hpp"

#include <gtest/gtest.h>

#include "base/json_writer.hpp"

namespace um {
namespace {

using namespace std::string_literals;

TEST(JsonObject, MembersKeepTheirOrderAndWhatWasWritten) {
  const auto object = read_json_object(
      " { \"s\" : \"a\\n\\u00e9\\\"\" , \"n\":1.10, \"big\":18446744073709551615,\"e\":-1E-2,\r\n"
      "\t\"t\":true,\"f\":false,\"z\":null,\"o\":{ \"x\":[1 , {} , \"\\/\"] },\"a\":[ ]} \n");
  ASSERT_TRUE(object);
  struct Expected {
    const char* name;
    JsonValue::Kind kind;
    const char* text;
  };
  const std::vector<Expected> expected{{"s", JsonValue::Kind::string, "a\né\""},
                                       {"n", JsonValue::Kind::number, "1.10"},
                                       {"big", JsonValue::Kind::number, "18446744073709551615"},
                                       {"e", JsonValue::Kind::number, "-1E-2"},
                                       {"t", JsonValue::Kind::boolean, "true"},
                                       {"f", JsonValue::Kind::boolean, "false"},
                                       {"z", JsonValue::Kind::null, "null"},
                                       {"o", JsonValue::Kind::object, R"({"x":[1,{},"/"]})"},
                                       {"a", JsonValue::Kind::array, "[]"}};
  ASSERT_EQ(object->members.size(), expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    EXPECT_EQ(object->members[i].name, expected[i].name);
    const JsonValue& value = object->members[i].value;
    EXPECT_EQ(value.kind, expected[i].kind) << expected[i].name;
    const bool string = value.kind == JsonValue::Kind::string;
    EXPECT_EQ(string ? value.text : compact_json(value), expected[i].text) << expected[i].name;
  }
  EXPECT_EQ(compact_json(*object),
            R"({"s":"a\né\"","n":1.10,"big":18446744073709551615,"e":-1E-2,"t":true,"f":false,)"
            R"("z":null,"o":{"x":[1,{},"/"]},"a":[]})");
}

TEST(JsonObject, AnEmptyObjectIsOne) {
  const auto object = read_json_object("{}");
  ASSERT_TRUE(object);
  EXPECT_TRUE(object->members.empty());
  EXPECT_EQ(compact_json(*object), "{}");
}

TEST(JsonObject, CompactTextIsStable) {
  const std::string text = R"({"a":{"b":[1,2,{"c":"\u0001\\"}]},"d":"志"})";
  const auto once = read_json_object(text);
  ASSERT_TRUE(once);
  EXPECT_EQ(compact_json(*once), text);
}

TEST(JsonObject, EveryProblemIsNamed) {
  struct Case {
    std::string text;
    JsonProblem problem;
  };
  const std::vector<Case> cases{
      {"", JsonProblem::incomplete},
      {" ", JsonProblem::incomplete},
      {"{", JsonProblem::incomplete},
      {"{}x", JsonProblem::trailing_text},
      {"{} {}", JsonProblem::trailing_text},
      {"{\"a\":1,}", JsonProblem::syntax},
      {"{'a':1}", JsonProblem::syntax},
      {"{a:1}", JsonProblem::syntax},
      {"{\"a\":01}", JsonProblem::syntax},
      {"{\"a\":+1}", JsonProblem::syntax},
      {"{\"a\":.5}", JsonProblem::syntax},
      {"{\"a\":1.}", JsonProblem::syntax},
      {"{\"a\":NaN}", JsonProblem::syntax},
      {"{\"a\":Infinity}", JsonProblem::syntax},
      {"{\"a\":tru}", JsonProblem::syntax},
      {"/**/{}", JsonProblem::syntax},
      {"\xEF\xBB\xBF{}", JsonProblem::syntax},
      {"{\"a\":\"\xFF\"}", JsonProblem::syntax},
      {"{\"\xC3\":1}", JsonProblem::syntax},
      {"{\"a\":\"\n\"}", JsonProblem::syntax},
      {R"({"a":"\ud800"})", JsonProblem::syntax},
      {R"({"a":"\udc00"})", JsonProblem::syntax},
      {R"({"a":"\x"})", JsonProblem::syntax},
      {"{}\0"s, JsonProblem::trailing_text},
      {"[]", JsonProblem::not_an_object},
      {"1", JsonProblem::not_an_object},
      {"\"{}\"", JsonProblem::not_an_object},
      {"null", JsonProblem::not_an_object},
      {R"({"a":1,"a":2})", JsonProblem::duplicate_member},
      {R"({"a":1,"\u0061":2})", JsonProblem::duplicate_member},
      {R"({"a":[{"b":1,"b":1}]})", JsonProblem::duplicate_member},
      {R"({"a":"x\u0000y"})", JsonProblem::nul_character},
      {R"({"a\u0000":1})", JsonProblem::nul_character},
      {R"({"a":[{"b":"\u0000"}]})", JsonProblem::nul_character},
      {R"({"a":1e400})", JsonProblem::out_of_range},
      {R"({"a":-1e400})", JsonProblem::out_of_range},
      {R"({"a":1e-400})", JsonProblem::out_of_range},
      {R"({"a":1e99999999999})", JsonProblem::out_of_range},
      {R"({"a":18446744073709551616})", JsonProblem::out_of_range},
      {R"({"a":-9223372036854775809})", JsonProblem::out_of_range},
      {"{\"a\":1" + std::string(400, '0') + "}", JsonProblem::out_of_range}};
  for (const auto& [text, problem] : cases) {
    const auto object = read_json_object(text);
    ASSERT_FALSE(object) << testing::PrintToString(text);
    EXPECT_EQ(object.error(), problem) << testing::PrintToString(text);
    EXPECT_FALSE(describe(object.error()).empty());
  }
}

TEST(JsonObject, TheSameNameInDifferentObjectsIsFine) {
  EXPECT_TRUE(read_json_object(R"({"a":{"a":{"a":1}},"b":[{"a":1},{"a":2}]})"));
}

TEST(JsonObject, TheDepthIsBounded) {
  const auto nested = [](std::size_t arrays) {
    return "{\"a\":" + std::string(arrays, '[') + std::string(arrays, ']') + "}";
  };
  EXPECT_TRUE(read_json_object(nested(3), 4));
  EXPECT_EQ(read_json_object(nested(4), 4).error(), JsonProblem::too_deep);
  EXPECT_EQ(read_json_object(nested(100'000)).error(), JsonProblem::too_deep);
}

}  // namespace
}  // namespace um
