// UTF-8 (RFC 3629), read code point by code point, and the two properties of code points that rules
// about text ask for. Pure; thread safety: any.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace um {

// One code point at the front of `text` and how many bytes it takes. A broken sequence (overlong,
// surrogate, above U+10FFFF, cut off) has no `code_point`; `bytes` is then the number of bytes to
// skip. `bytes` is at least 1. Precondition: text is not empty.
struct Utf8Step {
  std::optional<char32_t> code_point{};
  std::size_t bytes = 1;
};
Utf8Step next_code_point(std::string_view text);

bool is_utf8(std::string_view text);
// nullopt if the text is not UTF-8.
std::optional<std::size_t> count_code_points(std::string_view text);
// The longest prefix of at most `max_bytes` that does not end within a code point.
std::string_view utf8_prefix(std::string_view text, std::size_t max_bytes);

// Unicode's category Cc: C0, DEL and C1.
constexpr bool is_control(char32_t c) {
  return c < 0x20 || (c >= 0x7F && c <= 0x9F);
}
// Unicode's property White_Space.
constexpr bool is_white_space(char32_t c) {
  return (c >= 0x09 && c <= 0x0D) || c == 0x20 || c == 0x85 || c == 0xA0 || c == 0x1680 ||
         (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F ||
         c == 0x3000;
}

}  // namespace um
