#include "ops/printable.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace um {
namespace {

constexpr Rune kBroken{.code = 0xFFFD, .bytes = 1, .valid = false};

unsigned byte_at(std::string_view text, std::size_t i) {
  return static_cast<unsigned char>(text[i]);
}

void append_escaped(std::string& out, char32_t code) {
  switch (code) {
    case '"':
      out += "\\\"";
      return;
    case '\\':
      out += "\\\\";
      return;
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    default:
      break;
  }
  auto unit = static_cast<std::uint32_t>(code);
  if (unit > 0xFFFF) {  // JSON has no longer form than a pair of surrogates
    unit -= 0x10000;
    out += fmt::format("\\u{:04x}\\u{:04x}", 0xD800 + (unit >> 10U), 0xDC00 + (unit & 0x3FFU));
  } else {
    out += fmt::format("\\u{:04x}", unit);
  }
}

}  // namespace

Rune first_rune(std::string_view text) {
  const unsigned lead = byte_at(text, 0);
  if (lead < 0x80) return {.code = lead, .bytes = 1, .valid = true};
  const std::size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || text.size() < length) return kBroken;

  char32_t code = lead & (0xFFU >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) {
    const unsigned byte = byte_at(text, i);
    if ((byte & 0xC0U) != 0x80) return kBroken;
    code = (code << 6U) | (byte & 0x3FU);
  }
  constexpr std::array<char32_t, 5> smallest{0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = code >= 0xD800 && code <= 0xDFFF;
  if (code < smallest[length] || surrogate || code > 0x10FFFF) return kBroken;
  return {.code = code, .bytes = length, .valid = true};
}

bool is_unprintable(char32_t code) {
  return code < 0x20 || (code >= 0x7F && code <= 0x9F) ||       // C0, DEL, C1
         code == 0x061C || code == 0x200E || code == 0x200F ||  // marks of writing direction
         (code >= 0x2028 &&
          code <= 0x202E) ||  // line and paragraph separator, embeddings, overrides
         (code >= 0x2066 && code <= 0x2069) ||  // isolates
         code == 0xFEFF ||
         (code >= 0xFFF9 && code <= 0xFFFB) ||
         (code >= 0xE0000 && code <= 0xE007F);  // invisible tags
}

std::string printable(std::string_view text, PrintableOptions options) {
  const bool quoted = options.escapes != Escapes::display;
  const bool cut = text.size() > options.max_bytes;
  std::string out;
  out.reserve(std::min(text.size(), options.max_bytes) + 2);
  std::size_t at = 0;
  while (at < text.size()) {
    const Rune rune = first_rune(text.substr(at));
    if (at + rune.bytes > options.max_bytes) break;
    if (!rune.valid) {
      out += options.escapes == Escapes::json ? "\\ufffd"
                                              : fmt::format("\\x{:02x}", byte_at(text, at));
    } else if (is_unprintable(rune.code) || (quoted && (rune.code == '"' || rune.code == '\\'))) {
      append_escaped(out, rune.code);
    } else {
      out += text.substr(at, rune.bytes);
    }
    at += rune.bytes;
  }
  if (cut) out += "…";
  return out;
}

}  // namespace um
