#include "user/text.hpp"

#include <gtest/gtest.h>

namespace um {
namespace {

using namespace std::string_literals;

std::string json_of(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

TEST(Text, CountsCodePoints) {
  EXPECT_EQ(count_code_points(""), 0U);
  EXPECT_EQ(count_code_points("aé志😀"), 4U);
  EXPECT_EQ(count_code_points("\u007F\u0080\u07FF\u0800\uD7FF\uE000\uFFFF\U00010000\U0010FFFF"),
            9U);
  EXPECT_EQ(count_code_points("e\u0301"), 2U);
  EXPECT_EQ(count_code_points("\0"s), 1U);
}

TEST(Text, BrokenUtf8IsRecognized) {
  for (const std::string& text :
       {"\x80"s, "\xC3"s, "\xC0\x80"s, "\xC1\xBF"s, "\xE0\x80\x80"s, "\xE0\x9F\xBF"s,
        "\xED\xA0\x80"s, "\xED\xBF\xBF"s, "\xF0\x80\x80\x80"s, "\xF0\x8F\xBF\xBF"s,
        "\xF4\x90\x80\x80"s, "\xF5\x80\x80\x80"s, "\xFF"s, "\xE2\x82"s, "\xE2\x82z"s,
        "ok\xF0\x9F\x98"s}) {
    EXPECT_FALSE(is_utf8(text)) << testing::PrintToString(text);
    EXPECT_FALSE(count_code_points(text));
  }
}

TEST(Text, DecodesCodePoints) {
  EXPECT_EQ(next_code_point("é").code_point, U'é');
  EXPECT_EQ(next_code_point("志明").code_point, U'志');
  EXPECT_EQ(next_code_point("😀").code_point, U'😀');
  EXPECT_EQ(next_code_point("😀").bytes, 4U);
  EXPECT_EQ(next_code_point("\xE2\x82z").bytes, 2U);
}

TEST(Text, PrefixesEndAtCodePoints) {
  EXPECT_EQ(utf8_prefix("a志b", 9), "a志b");
  EXPECT_EQ(utf8_prefix("a志b", 4), "a志");
  EXPECT_EQ(utf8_prefix("a志b", 3), "a");
  EXPECT_EQ(utf8_prefix("a志b", 2), "a");
  EXPECT_EQ(utf8_prefix("志", 0), "");
  EXPECT_LE(utf8_prefix("\x80\x80\x80\x80\x80\x80\x80", 5).size(), 5U);
}

TEST(Text, JsonStringsAreEscaped) {
  EXPECT_EQ(json_of("plain"), R"("plain")");
  EXPECT_EQ(json_of(R"(a"b\c/d)"), R"("a\"b\\c/d")");
  EXPECT_EQ(json_of("\b\f\n\r\t\0\x1F\x7F"s), "\"\\b\\f\\n\\r\\t\\u0000\\u001f\x7F\"");
  EXPECT_EQ(json_of("é志😀\u2028"), "\"é志😀\u2028\"");
  EXPECT_EQ(json_of("a\xFF\xE2\x82z"), "\"a\uFFFD\uFFFDz\"");
}

TEST(Text, ControlAndWhiteSpaceAreUnicodes) {
  for (const char32_t c : {U'\0', U'\n', U'\x1F', U'\x7F', U'\u0080', U'\u009F'})
    EXPECT_TRUE(is_control(c)) << static_cast<std::uint32_t>(c);
  for (const char32_t c : {U' ', U'a', U'~', U'\u00A0', U'志'})
    EXPECT_FALSE(is_control(c)) << static_cast<std::uint32_t>(c);
  for (const char32_t c : {U' ', U'\t', U'\u0085', U'\u00A0', U'\u2003', U'\u3000'})
    EXPECT_TRUE(is_white_space(c)) << static_cast<std::uint32_t>(c);
  for (const char32_t c : {U'a', U'\u200B', U'志'})
    EXPECT_FALSE(is_white_space(c)) << static_cast<std::uint32_t>(c);
}

}  // namespace
}  // namespace um
