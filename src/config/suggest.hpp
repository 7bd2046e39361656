// "Did you mean …?" for names that are nearly right.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace um {

// "; did you mean cache-ttl?" if one of `known` is at most two edits away, else empty.
std::string suggestion(std::string_view name, std::span<const std::string> known);

}  // namespace um
