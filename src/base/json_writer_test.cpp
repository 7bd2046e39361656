#include "base/json_writer.hpp"

#include <gtest/gtest.h>

namespace um {
namespace {

using namespace std::string_literals;

TEST(JsonText, CommasStandBetweenMembersOnly) {
  JsonWriter json;
  json.open_object().member("a", 1).key("b").open_object().key("c");
  EXPECT_EQ(json.text(), R"({"a":1,"b":{"c":)");
}

TEST(JsonWriter, EveryKindOfValueIsWritten) {
  JsonWriter json;
  json.open_object()
      .member("text", "a\"b")
      .member("view", std::string_view{"v"})
      .member("yes", true)
      .member("number", std::int64_t{-7})
      .member("big", std::numeric_limits<std::uint64_t>::max())
      .member("double", 0.25)
      .member("null", nullptr)
      .member("some", std::optional<std::string>{"s"})
      .member("none", std::optional<std::string>{})
      .raw_member("raw", "1.50");
  json.key("array").open_array().value(1).open_array().close().open_object().close().close();
  EXPECT_EQ(json.close().text(),
            R"({"text":"a\"b","view":"v","yes":true,"number":-7,"big":18446744073709551615,)"
            R"("double":0.25,"null":null,"some":"s","none":null,"raw":1.50,"array":[1,[],{}]})");
}

TEST(JsonWriter, AnArrayOfLinesHasEveryElementOnItsOwn) {
  JsonWriter json;
  json.open_array(JsonWriter::Layout::lines);
  json.open_object().member("a", 1).member("b", 2).close();
  json.value("c");
  EXPECT_EQ(json.close().text(), "[\n{\"a\":1,\"b\":2},\n\"c\"\n]");
  EXPECT_EQ(JsonWriter{}.open_array(JsonWriter::Layout::lines).close().text(), "[]");
}

std::string json_of(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

TEST(Text, JsonStringsAreEscaped) {
  EXPECT_EQ(json_of("plain"), R"("plain")");
  EXPECT_EQ(json_of(R"(a"b\c/d)"), R"("a\"b\\c/d")");
  EXPECT_EQ(json_of("\b\f\n\r\t\0\x1F\x7F"s), "\"\\b\\f\\n\\r\\t\\u0000\\u001f\x7F\"");
  EXPECT_EQ(json_of("é志😀\u2028"), "\"é志😀\u2028\"");
  EXPECT_EQ(json_of("a\xFF\xE2\x82z"), "\"a\uFFFD\uFFFDz\"");
}

}  // namespace
}  // namespace um
