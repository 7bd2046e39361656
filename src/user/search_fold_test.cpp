#include "user/search_fold.hpp"

#include <gtest/gtest.h>

#include "base/utf8.hpp"

namespace um {
namespace {

TEST(SearchFold, ForgetsCaseInEveryScript) {
  struct Case {
    const char* text;
    const char* folded;
  };
  for (const auto& [text, folded] : {Case{"", ""},
                                     {"Ada LOVELACE 42%_", "ada lovelace 42%_"},
                                     {"Straße", "strasse"},
                                     {"STRASSE", "strasse"},
                                     {"GROẞ", "gross"},
                                     {"ÄÖÜ", "äöü"},
                                     {"Иван ПЕТРОВ", "иван петров"},
                                     {"ΣΊΣΥΦΟΣ", "σίσυφοσ"},
                                     {"Σίσυφος", "σίσυφοσ"},
                                     {"İstanbul", "istanbul"},
                                     {"ISTANBUL", "istanbul"},
                                     {"ısparta", "ısparta"},
                                     {"ŞĞÇ", "şğç"},
                                     {"志明", "志明"},
                                     {"ﬁ", "fi"},
                                     {"王小明 Wang", "王小明 wang"},
                                     {"𐐀", "𐐨"},
                                     {"😀", "😀"}}) {
    EXPECT_EQ(fold_for_search(text), folded) << text;
  }
}

TEST(SearchFold, ComposedAndDecomposedLettersAreEqual) {
  EXPECT_EQ(fold_for_search("E\u0301mile"), fold_for_search("\u00E9MILE"));
  EXPECT_EQ(fold_for_search("\u212B"), fold_for_search("A\u030A"));
  EXPECT_EQ(fold_for_search("I\u0307\u0301"), fold_for_search("\u00ED"));
}

TEST(SearchFold, BrokenBytesBecomeReplacementCharacters) {
  EXPECT_EQ(fold_for_search("A\xFFZ"), "a\uFFFDz");
  EXPECT_TRUE(is_utf8(fold_for_search("\xC3\xC3\xE2\x82\xED\xA0\x80\xF5")));
}

TEST(SearchFold, FoldingTwiceChangesNothing) {
  std::uint32_t state = 1;
  for (int round = 0; round < 2000; ++round) {
    std::string text;
    for (int i = 0; i < 24; ++i) {
      state = state * 1664525U + 1013904223U;
      text += static_cast<char>(state >> 24U);
    }
    // Letters and combining marks of Greek and Latin, where folding and composition meet.
    for (int i = 0; i < 8; ++i) {
      state = state * 1664525U + 1013904223U;
      static constexpr std::array<const char*, 10> kTricky{
          "\u0130", "i", "\u0307", "\u0345", "α", "\u1FB3", "\u0301", "ΐ", "ŉ", "ǰ"};
      text += kTricky.at((state >> 16U) % kTricky.size());
    }
    const std::string once = fold_for_search(text);
    ASSERT_EQ(fold_for_search(once), once) << testing::PrintToString(text);
  }
}

TEST(SearchFold, LongInputIsCutAtACodePoint) {
  EXPECT_EQ(fold_for_search(std::string(100'000, 'A')), std::string(kMaxSearchFoldBytes, 'a'));
  std::string wide = "x";
  while (wide.size() < 2 * kMaxSearchFoldBytes) wide += "志";
  const std::string folded = fold_for_search(wide);
  EXPECT_LE(folded.size(), kMaxSearchFoldBytes);
  EXPECT_GT(folded.size(), kMaxSearchFoldBytes - 3);
  EXPECT_TRUE(is_utf8(folded));
  EXPECT_EQ(folded.find("\uFFFD"), std::string::npos);
}

}  // namespace
}  // namespace um
