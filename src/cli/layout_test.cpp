#include "cli/layout.hpp"

#include <sstream>

#include <gtest/gtest.h>

namespace um {
namespace {

std::string text_of(const Table& table) {
  std::ostringstream out;
  table.write(out);
  return out.str();
}

TEST(TextWidth, CountsColumnsNotBytes) {
  EXPECT_EQ(display_width("abc"), 3U);
  EXPECT_EQ(display_width("Zoë"), 3U);
  EXPECT_EQ(display_width("Zoe\xcc\x88"), 3U);  // combining diaeresis
  EXPECT_EQ(display_width("志明"), 4U);
  EXPECT_EQ(display_width("ﾊﾝｶｸ"), 4U);  // half-width
  EXPECT_EQ(display_width("🙂"), 2U);
  EXPECT_EQ(display_width("a\xe2\x80\x8b"
                          "b"),
            2U);  // zero width space
  EXPECT_EQ(display_width("\xff"), 1U);
  EXPECT_EQ(display_width(""), 0U);
}

TEST(TextWidth, LongTextIsCutBeforeTheColumnItWouldCross) {
  EXPECT_EQ(fit_width("abcdef", 6), "abcdef");
  EXPECT_EQ(fit_width("abcdef", 4), "abc…");
  EXPECT_EQ(fit_width("志明志明", 4), "志…");
  EXPECT_EQ(fit_width("志明志明", 5), "志明…");
  EXPECT_EQ(fit_width("abc", 0), "");
}

TEST(Table, ColumnsAlignWithWideCharacters) {
  using enum Table::Column::Align;
  Table table{{{"ID", right}, {"NAME"}, {"ROLE"}}};
  table.add({"7", "志明", "user"});
  table.add({"1000", "Ann", "admin"});
  EXPECT_EQ(text_of(table),
            "  ID  NAME  ROLE\n"
            "   7  志明  user\n"
            "1000  Ann   admin\n");
}

TEST(Table, NoLineEndsInBlanks) {
  Table table{{{"A"}, {"B"}, {"C"}}};
  table.add({"1", "", ""});
  table.add({"", "", "3"});
  EXPECT_EQ(text_of(table), "A  B  C\n1\n      3\n");
}

TEST(Table, CellsCannotForgeLinesAndAreCut) {
  Table table{{{.title = "A", .max_width = 10}}};
  table.add({"x\ny\x1b[2J\xff"});
  table.add({std::string(1000, 'a')});
  EXPECT_EQ(text_of(table), "A\nx\\ny\\u001…\naaaaaaaaa…\n");
}

TEST(Wrap, ShortLinesStayAsTheyAre) {
  EXPECT_EQ(wrap("", 10), "");
  EXPECT_EQ(wrap("one two\n\n  three   x\n", 12), "one two\n\n  three   x\n");
  EXPECT_EQ(wrap("exactly 10", 10), "exactly 10");
}

TEST(Wrap, ALongLineGoesOnUnderItsBeginning) {
  EXPECT_EQ(wrap("one two three four", 9), "one two\nthree\nfour");
  EXPECT_EQ(wrap("  one two three\nx", 9), "  one two\n  three\nx");
}

TEST(Wrap, OrUnderItsSecondColumn) {
  EXPECT_EQ(wrap("  --a B   one two three", 17), "  --a B   one two\n          three");
}

TEST(Wrap, AWordThatDoesNotFitStaysWhole) {
  EXPECT_EQ(wrap("a incomprehensible b", 5), "a\nincomprehensible\nb");
  EXPECT_EQ(wrap("  --a   incomprehensible b", 8), "  --a   incomprehensible\n        b");
}

TEST(Wrap, ColumnsAreCountedAndNotBytes) {
  EXPECT_EQ(wrap("äöü … x", 7), "äöü … x");
  EXPECT_EQ(wrap("志明 王", 6), "志明\n王");
}

}  // namespace
}  // namespace um
