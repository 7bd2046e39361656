// Makes text from outside safe to write into one line of a log or onto a terminal.
//
// Control characters, line separators, the marks that change the writing direction and characters
// that take no room are escaped, because all of them can make a line look like another one. So are
// quotes, backslashes and bytes that are not UTF-8. Other characters stay as they are. Pure; thread
// safety: any.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace um {

// The character as an escape of JSON (RFC 8259, section 7), in the short form if it has one.
void append_escape(std::string& out, char32_t code);

// Would this character, written as it is, end a line, move the cursor or reorder its neighbours?
bool is_unprintable(char32_t code);

enum class Escapes {
  json,     // \n \u0007 and U+FFFD: valid inside a JSON string (RFC 8259, section 7)
  text,     // \n \u0007 and \xff for a byte that is not UTF-8
  display,  // as text, but quotes and backslashes stay: for people, where nothing is quoted
};
struct PrintableOptions {
  Escapes escapes = Escapes::text;
  std::size_t max_bytes = 4096;  // of the input; the rest becomes "…"
};
std::string printable(std::string_view text, PrintableOptions options = {});

}  // namespace um
