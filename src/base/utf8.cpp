#include "base/utf8.hpp"

namespace um {

namespace {

// The range of the second byte carries all the exceptions (RFC 3629, section 4).
struct Lead {
  std::size_t bytes = 0;
  unsigned char low = 0x80;
  unsigned char high = 0xBF;
};

constexpr Lead lead_of(unsigned char c) {
  if (c >= 0xC2 && c <= 0xDF) return {.bytes = 2};
  if (c == 0xE0) return {.bytes = 3, .low = 0xA0};
  if (c == 0xED) return {.bytes = 3, .high = 0x9F};
  if (c >= 0xE1 && c <= 0xEF) return {.bytes = 3};
  if (c == 0xF0) return {.bytes = 4, .low = 0x90};
  if (c >= 0xF1 && c <= 0xF3) return {.bytes = 4};
  if (c == 0xF4) return {.bytes = 4, .high = 0x8F};
  return {};
}

unsigned char byte_at(std::string_view text, std::size_t i) {
  return static_cast<unsigned char>(text[i]);
}

}  // namespace

Utf8Step next_code_point(std::string_view text) {
  const unsigned char first = byte_at(text, 0);
  if (first < 0x80) return {.code_point = first, .bytes = 1};
  const Lead lead = lead_of(first);
  if (lead.bytes == 0) return {.bytes = 1};
  char32_t code_point = first & (0x7FU >> lead.bytes);
  for (std::size_t i = 1; i < lead.bytes; ++i) {
    const unsigned char low = i == 1 ? lead.low : 0x80;
    const unsigned char high = i == 1 ? lead.high : 0xBF;
    if (i >= text.size() || byte_at(text, i) < low || byte_at(text, i) > high) return {.bytes = i};
    code_point = (code_point << 6U) | (byte_at(text, i) & 0x3FU);
  }
  return {.code_point = code_point, .bytes = lead.bytes};
}

bool is_utf8(std::string_view text) {
  return count_code_points(text).has_value();
}

std::optional<std::size_t> count_code_points(std::string_view text) {
  std::size_t count = 0;
  while (!text.empty()) {
    const Utf8Step step = next_code_point(text);
    if (!step.code_point) return std::nullopt;
    text.remove_prefix(step.bytes);
    ++count;
  }
  return count;
}

std::string_view utf8_prefix(std::string_view text, std::size_t max_bytes) {
  if (text.size() <= max_bytes) return text;
  std::size_t end = max_bytes;
  // Back over at most three continuation bytes: more would not be UTF-8, and then any cut will do.
  for (int i = 0; i < 3 && end > 0 && (byte_at(text, end) & 0xC0U) == 0x80U; ++i) --end;
  return text.substr(0, end);
}

}  // namespace um
