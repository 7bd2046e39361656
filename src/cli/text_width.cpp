#include "cli/text_width.hpp"

#include <unicode/uchar.h>

#include "base/utf8.hpp"

namespace um {
namespace {

std::size_t width_of(char32_t code) {
  const auto c = static_cast<UChar32>(code);
  switch (u_charType(c)) {
    case U_NON_SPACING_MARK:
    case U_ENCLOSING_MARK:
    case U_FORMAT_CHAR:
    case U_CONTROL_CHAR:
      return 0;
    default:
      break;
  }
  const int width = u_getIntPropertyValue(c, UCHAR_EAST_ASIAN_WIDTH);
  return width == U_EA_WIDE || width == U_EA_FULLWIDTH ? 2 : 1;
}

}  // namespace

std::size_t display_width(std::string_view utf8) {
  std::size_t width = 0;
  while (!utf8.empty()) {
    const Utf8Step step = next_code_point(utf8);
    width += step.code_point ? width_of(*step.code_point) : 1;
    utf8.remove_prefix(step.bytes);
  }
  return width;
}

std::string fit_width(std::string_view utf8, std::size_t columns) {
  if (display_width(utf8) <= columns) return std::string{utf8};
  if (columns == 0) return {};
  std::size_t width = 0;
  std::size_t bytes = 0;
  while (bytes < utf8.size()) {
    const Utf8Step step = next_code_point(utf8.substr(bytes));
    width += step.code_point ? width_of(*step.code_point) : 1;
    if (width > columns - 1) break;  // one is for the ellipsis
    bytes += step.bytes;
  }
  return std::string{utf8.substr(0, bytes)} + "…";
}

}  // namespace um
