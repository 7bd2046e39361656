#include "user/text.hpp"

namespace um {

namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

void append_escape(std::string& out, char c) {
  constexpr std::string_view kHex = "0123456789abcdef";
  switch (c) {
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
  const auto byte = static_cast<unsigned char>(c);
  out += "\\u00";
  out += kHex[byte >> 4U];
  out += kHex[byte & 0xFU];
}

}  // namespace

void append_json_string(std::string& out, std::string_view text) {
  out += '"';
  while (!text.empty()) {
    const char c = text.front();
    if (static_cast<unsigned char>(c) < 0x80) {
      if (c == '"' || c == '\\' || static_cast<unsigned char>(c) < 0x20) {
        append_escape(out, c);
      } else {
        out += c;
      }
      text.remove_prefix(1);
      continue;
    }
    const Utf8Step step = next_code_point(text);
    out += step.code_point ? text.substr(0, step.bytes) : kReplacement;
    text.remove_prefix(step.bytes);
  }
  out += '"';
}

}  // namespace um
