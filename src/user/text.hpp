// Text: what the rules about names, addresses and keywords need to know of characters, and how text
// is written into JSON (RFC 8259). Pure; any thread.
#pragma once

#include <string>
#include <string_view>

#include "base/utf8.hpp"

namespace um {

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

// Appends `text` as a JSON string with its quotes. Bytes that are not UTF-8 (rows written by other
// programs) become U+FFFD, so that the result is always valid JSON.
void append_json_string(std::string& out, std::string_view text);

}  // namespace um
