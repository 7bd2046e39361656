// Long lines of help, broken at spaces. Pure; any thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace um {

// Lines wider than `columns` go on under the text of their second column (what follows the first
// gap of at least two spaces), or under their own beginning if they have none. A word that is wider
// than a line stays whole.
std::string wrap(std::string_view text, std::size_t columns);

}  // namespace um
