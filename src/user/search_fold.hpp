// The form in which names and addresses are searched: a user matches a keyword if the folded text
// contains the folded keyword. The databases store it, so a change of it needs a
// migration.
//
// Canonical composition (NFC, UAX #15) around full case folding (Unicode 15, section 3.13):
// "STRASSE" finds "Straße", "ΣΊΣΥΦΟΣ" finds "Σίσυφος". The dot that the folding of the Turkish İ
// leaves behind its i is dropped, so that "istanbul" finds "İstanbul"; ı stays a letter of its own.
#pragma once

#include <string>
#include <string_view>

namespace um {

// Longer input is cut at a code point: rows that other programs wrote may be of any length.
inline constexpr std::size_t kMaxSearchFoldBytes = 8192;

// Bytes that are not UTF-8 become U+FFFD. Idempotent. Pure; thread safety: any.
std::string fold_for_search(std::string_view utf8);

}  // namespace um
