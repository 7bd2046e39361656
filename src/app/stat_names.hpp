// The names under which the cache's arrays of counters are shown, in metrics and in /cache/stats.
#pragma once

#include <cstddef>
#include <string_view>

#include "cache/cache_stats.hpp"

namespace um {

constexpr std::string_view entry_kind_name(std::size_t kind) {
  constexpr std::array<std::string_view, kEntryKinds> names{"absent", "email", "user", "session"};
  return names.at(kind);
}

constexpr std::string_view admission_name(std::size_t verdict) {
  constexpr std::array<std::string_view, kAdmissions> names{"admitted", "other_namespace", "held",
                                                            "not_covered", "changed"};
  return names.at(verdict);
}

}  // namespace um
