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
