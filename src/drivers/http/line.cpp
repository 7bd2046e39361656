#include "drivers/http/line.hpp"

#include <algorithm>

namespace um::http {

Line next_line(std::string_view input, std::size_t limit) {
  const std::string_view window = input.substr(0, limit + 2);
  const std::size_t lf = window.find('\n');
  const std::size_t end = std::min(lf, window.size());
  const std::size_t cr = window.substr(0, end).find('\r');
  if (lf != std::string_view::npos) {
    if (cr == std::string_view::npos || cr + 1 != lf) return {.status = LineStatus::malformed};
    return {.status = LineStatus::complete, .text = window.substr(0, cr)};
  }
  if (cr != std::string_view::npos && cr + 1 < window.size()) {
    return {.status = LineStatus::malformed};
  }
  if (window.size() == limit + 2) return {.status = LineStatus::too_long};
  return {.status = LineStatus::need_more};
}

}  // namespace um::http
