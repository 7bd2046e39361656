// Text that a spreadsheet would run as a formula ("=HYPERLINK(…)" as a first name) is written with
// an apostrophe before it, which spreadsheets take as "this is text". Exactly reversible, so a
// round trip keeps every name: the guard is put before, and taken from, text of the form '*
// followed by a dangerous character; "'t Hooft" is none and stays as it is. Pure; any thread.
#pragma once

#include <string>
#include <string_view>

namespace um {

std::string guard_formula(std::string_view text);
std::string unguard_formula(std::string_view text);

}  // namespace um
