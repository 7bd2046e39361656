// CacheTimes: the times of the cache's protocol that are properties of a deployment. Every instance
// must have the same ones; PostgreSQL keeps them (cache_settings), migrate writes them.
// docs/consistency.md explains the letters.
#pragma once

#include <chrono>

namespace um {

struct CacheTimes {
  using ms = std::chrono::milliseconds;
  ms staleness_bound{500};       // T
  ms instance_lease{6'000};      // Y: an instance whose refreshes fail for so long has no lease
  ms instance_reap{15'000};      // X: a silent instance is taken out of the registry; above Y
  ms change_retention{900'000};  // of changes and marks
  bool operator==(const CacheTimes&) const = default;
};

}  // namespace um
