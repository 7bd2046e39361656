// Passwords that attackers try first: a list of words with their usual decorations, and patterns of
// the keyboard. Thread safety: any.
#pragma once

#include <string_view>

namespace um {

// Without case, and with the usual letters turned into digits ("P4$$w0rd"), `password` is
//  - a well-known word, twice, or with up to five digits or signs before or behind it
//    ("dragon2024!"),
//  - one piece of up to four characters repeated ("abcabcabc"),
//  - a run of the alphabet, the digits or the keyboard, in either direction ("qwertyuiop",
//    "87654321").
bool is_common_password(std::string_view password);

}  // namespace um
