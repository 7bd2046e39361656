// The character classes of HTTP's grammar (RFC 9110 section 5.6, RFC 3986 section 2) as one table,
// and comparisons that know ASCII only. Pure.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace um::http {

enum CharacterClass : std::uint8_t {
  kTokenChar = 1,   // tchar: methods, field names
  kFieldChar = 2,   // field values: visible, space, tab, and bytes from 0x80 (obs-text)
  kTargetChar = 4,  // characters of a request target; the two digits after '%' are checked apart
  kHexDigit = 8,
  kDigit = 16,
  // reg-name without percent escapes, and without the comma that RFC 3986 allows there: no name has
  // one, and "a,b" may be two Host fields that a proxy put together.
  kHostChar = 32,
  kUnreserved = 64,  // RFC 3986 section 2.3: means the same when it is percent-encoded
};

constexpr std::array<std::uint8_t, 256> make_character_table() {
  std::array<std::uint8_t, 256> table{};
  const auto mark = [&](std::string_view characters, std::uint8_t classes) {
    for (const char c : characters) table[static_cast<unsigned char>(c)] |= classes;
  };
  for (std::size_t c = 0; c < 256; ++c) {
    if (c == '\t' || (c >= ' ' && c != 0x7F)) table[c] |= kFieldChar;
    if (c > ' ' && c < 0x7F && c != '#') table[c] |= kTargetChar;
  }
  constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
  mark(kLetters, kTokenChar | kHostChar | kUnreserved);
  mark("0123456789", kTokenChar | kHostChar | kUnreserved | kDigit | kHexDigit);
  mark("-._~", kUnreserved);
  mark("abcdefABCDEF", kHexDigit);
  mark("!#$%&'*+-.^_`|~", kTokenChar);
  mark("-._~!$&'()*+;=", kHostChar);
  return table;
}
inline constexpr auto kCharacterTable = make_character_table();

constexpr bool is(char c, CharacterClass wanted) {
  return (kCharacterTable[static_cast<unsigned char>(c)] & wanted) != 0;
}
constexpr bool all_are(std::string_view text, CharacterClass wanted) {
  for (const char c : text) {
    if (!is(c, wanted)) return false;
  }
  return true;
}
constexpr char to_lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}
constexpr bool equal_without_case(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (to_lower(a[i]) != to_lower(b[i])) return false;
  }
  return true;
}
// The value of a hex digit. REQUIRES: is(c, kHexDigit).
constexpr unsigned hex_value(char c) {
  if (c <= '9') return static_cast<unsigned>(c - '0');
  return static_cast<unsigned>(to_lower(c) - 'a') + 10;
}
// Without spaces and tabs (OWS) at both ends.
constexpr std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

}  // namespace um::http
