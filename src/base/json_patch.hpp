// Comparing JSON texts by their meaning, and JSON Merge Patch (RFC 7396). Pure; thread safety: any.
#pragma once

#include <expected>
#include <string>
#include <string_view>

#include "base/json.hpp"

namespace um {

// White space, the order of members, and how a character or a number is written do not count: 1 and
// 1.0 are the same, 1 and 1.0000000000000001 are not, however alike as doubles. False if one of the
// texts is not JSON as read_json() has it.
bool same_json(std::string_view one, std::string_view other);

// RFC 7396, section 2: members that the patch has as null are removed, objects are merged,
// everything else is replaced. Members keep their places, new ones follow.
JsonValue apply_merge_patch(JsonValue target, JsonValue patch);

struct MergePatch {
  std::string_view target;
  std::string_view patch;
};
// apply_merge_patch() on the texts of two objects. The patch is read by read_json_object(); of the
// target, which is stored already, neither the number nor the form of the values is limited: the
// caller checks the result. The result has no white space.
std::expected<std::string, JsonProblem> merge_json(const MergePatch& merge);

}  // namespace um
