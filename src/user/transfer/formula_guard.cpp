#include "user/transfer/formula_guard.hpp"

#include <algorithm>
#include <array>

namespace um {

namespace {

// With the full-width forms that spreadsheets of some languages read in the same way, and the
// characters that some of them skip before a formula.
constexpr std::array<std::string_view, 11> kDangerous{"=",  "+",  "-",  "@",  "\t", "\r",
                                                      "\n", "＝", "＋", "－", "＠"};

bool is_dangerous_after_apostrophes(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of('\''), text.size()));
  return std::ranges::any_of(kDangerous,
                             [&](std::string_view start) { return text.starts_with(start); });
}

}  // namespace

std::string guard_formula(std::string_view text) {
  return (is_dangerous_after_apostrophes(text) ? "'" : "") + std::string{text};
}

std::string unguard_formula(std::string_view text) {
  if (text.starts_with('\'') && is_dangerous_after_apostrophes(text)) text.remove_prefix(1);
  return std::string{text};
}

}  // namespace um
