// Do two JSON texts say the same? Pure; any thread.
#pragma once

#include <string_view>

namespace um {

// White space, the order of members, and how a character or a number is written do not count: 1 and
// 1.0 are the same, 1 and 1.0000000000000001 are not, however alike as doubles. False if one of
// them is not JSON, nests deeper than kMaxJsonDepth, or has a member twice in one object.
bool same_json(std::string_view one, std::string_view other);

}  // namespace um
