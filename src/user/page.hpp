// What part of a list is wanted. Lists are ordered by id, ascending.
#pragma once

#include <cstdint>
#include <optional>

#include "user/user_id.hpp"

namespace um {

// Either `after` (keyset: costs the same at any depth) or `offset` rows are skipped, never both.
struct Page {
  std::int64_t limit = 10;
  std::int64_t offset = 0;
  std::optional<UserId> after{};
};

}  // namespace um
