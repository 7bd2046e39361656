#include "base/printable.hpp"

#include <gtest/gtest.h>

namespace um {
namespace {

TEST(Printable, OrdinaryTextOfAnyLanguageStays) {
  EXPECT_EQ(printable("plain, Zoë, 志明, Дмитрий, 🙂"), "plain, Zoë, 志明, Дмитрий, 🙂");
}

TEST(Printable, LineEndsAndControlCharactersAreEscaped) {
  EXPECT_EQ(printable("a\r\nb\tc"), "a\\r\\nb\\tc");
  EXPECT_EQ(printable("\x1b[31mred"), "\\u001b[31mred");
  EXPECT_EQ(printable(std::string_view{"a\0b", 3}), "a\\u0000b");
  EXPECT_EQ(printable("\x7f"), "\\u007f");
  EXPECT_EQ(printable("\xc2\x85"), "\\u0085");                 // NEL
  EXPECT_EQ(printable("\xe2\x80\xa8"), "\\u2028");             // line separator
  EXPECT_EQ(printable("\xf3\xa0\x81\x81"), "\\udb40\\udc41");  // an invisible tag
}

TEST(Printable, MarksThatReorderTheLineAreEscaped) {
  EXPECT_EQ(printable("\xe2\x80\xae"), "\\u202e");
  EXPECT_EQ(printable("\xe2\x80\x8b"), "\\u200b");  // a space without width
  EXPECT_EQ(printable("\xe2\x81\xa6"), "\\u2066");
}

TEST(Printable, QuotesAndBackslashesAreEscaped) {
  EXPECT_EQ(printable(R"(say "x" \n)"), R"(say \"x\" \\n)");
}

TEST(Printable, ForDisplayQuotesAndBackslashesStay) {
  EXPECT_EQ(printable("say \"x\" \\n\n", {.escapes = Escapes::display}), "say \"x\" \\n\\n");
}

TEST(Printable, BytesThatAreNotUtf8NeverPass) {
  EXPECT_EQ(printable("a\xff\xfe"), "a\\xff\\xfe");
  EXPECT_EQ(printable("\xc0\xaf"), "\\xc0\\xaf");                    // overlong
  EXPECT_EQ(printable("\xe0\x80\xaf"), "\\xe0\\x80\\xaf");           // overlong
  EXPECT_EQ(printable("\xed\xa0\x80"), "\\xed\\xa0\\x80");           // surrogate
  EXPECT_EQ(printable("\xf4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80");  // above U+10FFFF
  EXPECT_EQ(printable("\xe5\xbf"), "\\xe5\\xbf");                    // cut short
  EXPECT_EQ(printable("\xff", {.escapes = Escapes::json}), "\\ufffd");
}

TEST(Printable, LongTextIsCutBetweenCharacters) {
  EXPECT_EQ(printable("abcdef", {.max_bytes = 3}), "abc…");
  EXPECT_EQ(printable("志明", {.max_bytes = 4}), "志…");
  EXPECT_EQ(printable("abc", {.max_bytes = 3}), "abc");
}

}  // namespace
}  // namespace um
