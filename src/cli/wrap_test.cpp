#include "cli/wrap.hpp"

#include <gtest/gtest.h>

namespace um {
namespace {

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
