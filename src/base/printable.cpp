#include "base/printable.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/utf8.hpp"

namespace um {
namespace {

void append_broken(std::string& out, std::string_view bytes, Escapes escapes) {
  if (escapes == Escapes::json) {
    out += "\\ufffd";
    return;
  }
  for (const char c : bytes) out += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
}

}  // namespace

void append_escape(std::string& out, char32_t code) {
  switch (code) {
    case '"':
      out += "\\\"";
      return;
    case '\\':
      out += "\\\\";
      return;
    case '\b':
      out += "\\b";
      return;
    case '\f':
      out += "\\f";
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

bool is_unprintable(char32_t code) {
  return code < 0x20 || (code >= 0x7F && code <= 0x9F) ||         // C0, DEL, C1
         code == 0x200B || (code >= 0x2060 && code <= 0x2064) ||  // take no room
         code == 0x061C || code == 0x200E || code == 0x200F ||    // marks of writing direction
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
    const Utf8Step step = next_code_point(text.substr(at));
    if (at + step.bytes > options.max_bytes) break;
    const std::string_view bytes = text.substr(at, step.bytes);
    if (!step.code_point) {
      append_broken(out, bytes, options.escapes);
    } else if (is_unprintable(*step.code_point) ||
               (quoted && (*step.code_point == '"' || *step.code_point == '\\'))) {
      append_escape(out, *step.code_point);
    } else {
      out += bytes;
    }
    at += step.bytes;
  }
  if (cut) out += "…";
  return out;
}

}  // namespace um
