// Replaces every occurrence of `what` (not empty) in a text; what was put in is not looked at
// again. Pure; any thread.
#pragma once

#include <string>
#include <string_view>

namespace um {

inline void replace_all(std::string& text, std::string_view what, std::string_view with) {
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + with.size()))
    text.replace(at, what.size(), with);
}

}  // namespace um
