#include "cli/table.hpp"

#include <sstream>

#include <gtest/gtest.h>

#include "cli/text_width.hpp"

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

}  // namespace
}  // namespace um
