// UTF-8 (RFC 3629): reading it code point by code point, and telling what is not well-formed. Pure;
// any thread.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace um {

// One code point at the front of `text` and how many bytes it takes. A broken sequence (overlong,
// surrogate, above U+10FFFF, cut off) has no `code_point`; `bytes` is then what to skip. `bytes` is
// at least 1. Precondition: text is not empty.
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

}  // namespace um
