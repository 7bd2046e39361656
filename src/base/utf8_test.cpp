#include "base/utf8.hpp"

#include <string>

#include <gtest/gtest.h>

namespace um {
namespace {

using namespace std::string_literals;

TEST(Utf8, FirstAndLastOfEachLengthAreWellFormed) {
  for (const char* text :
       {"", "a", "\x7F", "\xC2\x80", "\xDF\xBF", "\xE0\xA0\x80", "\xED\x9F\xBF", "\xEE\x80\x80",
        "\xEF\xBF\xBF", "\xF0\x90\x80\x80", "\xF4\x8F\xBF\xBF"}) {
    EXPECT_TRUE(is_utf8(text)) << text;
  }
}

TEST(Utf8, CountsCodePoints) {
  EXPECT_EQ(count_code_points(""), 0U);
  EXPECT_EQ(count_code_points("aé志😀"), 4U);
  EXPECT_EQ(count_code_points("\u007F\u0080\u07FF\u0800\uD7FF\uE000\uFFFF\U00010000\U0010FFFF"),
            9U);
  EXPECT_EQ(count_code_points("e\u0301"), 2U);
  EXPECT_EQ(count_code_points("\0"s), 1U);
}

TEST(Utf8, BrokenUtf8IsRecognized) {
  for (const std::string& text : {"\x80"s,
                                  "\xC3"s,
                                  "\xC0\x80"s,
                                  "\xC1\xBF"s,
                                  "\xE0\x80\x80"s,
                                  "\xE0\x9F\xBF"s,
                                  "\xED\xA0\x80"s,
                                  "\xED\xBF\xBF"s,
                                  "\xF0\x80\x80\x80"s,
                                  "\xF0\x8F\xBF\xBF"s,
                                  "\xF4\x90\x80\x80"s,
                                  "\xF5\x80\x80\x80"s,
                                  "\xFF"s,
                                  "\xE2\x82"s,
                                  "\xE2\x82z"s,
                                  "ok\xF0\x9F\x98"s,
                                  "\xBF"s,
                                  "\xC2\x41"s,
                                  "\xE2\x28\xA1"s,
                                  "\xE2\x82\x28"s,
                                  "a\xF0\x9F\x98z"s}) {
    EXPECT_FALSE(is_utf8(text)) << testing::PrintToString(text);
    EXPECT_FALSE(count_code_points(text));
  }
}

TEST(Utf8, DecodesCodePoints) {
  EXPECT_EQ(next_code_point("é").code_point, U'é');
  EXPECT_EQ(next_code_point("志明").code_point, U'志');
  EXPECT_EQ(next_code_point("😀").code_point, U'😀');
  EXPECT_EQ(next_code_point("😀").bytes, 4U);
  EXPECT_EQ(next_code_point("\xE2\x82z").bytes, 2U);
}

TEST(Utf8, PrefixesEndAtCodePoints) {
  EXPECT_EQ(utf8_prefix("a志b", 9), "a志b");
  EXPECT_EQ(utf8_prefix("a志b", 4), "a志");
  EXPECT_EQ(utf8_prefix("a志b", 3), "a");
  EXPECT_EQ(utf8_prefix("a志b", 2), "a");
  EXPECT_EQ(utf8_prefix("志", 0), "");
  EXPECT_LE(utf8_prefix("\x80\x80\x80\x80\x80\x80\x80", 5).size(), 5U);
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
