#include "user/transfer/formula_guard.hpp"

#include <gtest/gtest.h>

namespace um {
namespace {

TEST(FormulaGuard, GuardsWhatASpreadsheetWouldRun) {
  for (const char* text : {"=1+1", "+tag@x", "-2", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1", "＋1",
                           "－1", "＠x", "'=1", "''+x"})
    EXPECT_EQ(guard_formula(text), std::string{"'"} + text);
}

TEST(FormulaGuard, LeavesNamesAsTheyAre) {
  for (const char* text : {"", "Ada", "'t Hooft", "'", "O'Neill", "a=b", " =1", "志明"}) {
    EXPECT_EQ(guard_formula(text), text);
    EXPECT_EQ(unguard_formula(text), text);
  }
}

TEST(FormulaGuard, IsExactlyReversible) {
  constexpr std::array<const char*, 6> kPieces{"'", "=", "-", "a", "＝", "\t"};
  for (int code = 0; code < 6 * 6 * 6 * 6; ++code) {
    std::string text;
    for (int rest = code; rest > 0; rest /= 6)
      text += kPieces.at(static_cast<std::size_t>(rest % 6));
    EXPECT_EQ(unguard_formula(guard_formula(text)), text);
  }
}

}  // namespace
}  // namespace um
