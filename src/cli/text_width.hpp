// How many columns of a terminal a text takes. Pure; any thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace um {

// East Asian wide and full-width characters and emoji take two columns (UAX #11), combining marks
// and format characters none, everything else one. Terminals differ for joined emoji; names rarely
// have them.
std::size_t display_width(std::string_view utf8);

// At most `columns` wide; what is longer ends in "…".
std::string fit_width(std::string_view utf8, std::size_t columns);

}  // namespace um
