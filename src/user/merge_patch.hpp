// JSON Merge Patch (RFC 7396) of one object, on the texts: numbers stay as they were written. Pure;
// any thread.
#pragma once

#include <expected>
#include <string>
#include <string_view>

#include "user/json_object.hpp"

namespace um {

struct MergePatch {
  std::string_view target;
  std::string_view patch;
};
// The target with the patch applied, without white space: members that the patch has as null are
// removed, objects are merged, everything else is replaced. Members keep their places, new ones
// follow. Both must be objects (see read_json_object for what is refused).
std::expected<std::string, JsonProblem> merge_json(const MergePatch& merge);

}  // namespace um
