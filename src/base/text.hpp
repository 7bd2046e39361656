// Small functions over the bytes of a text. Pure; thread safety: any.
#pragma once

#include <string>
#include <string_view>

namespace um {

// A-Z to a-z; every other byte stays: what lower(… collate "C") does in SQL.
std::string fold_ascii(std::string_view text);

// Lower-case hexadecimal, two digits for each byte.
std::string hex_text(std::string_view bytes);

// Replaces every occurrence of `what` (not empty) from the front; replacements are not searched
// again.
void replace_all(std::string& text, std::string_view what, std::string_view with);

}  // namespace um
