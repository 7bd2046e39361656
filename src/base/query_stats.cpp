#include "base/query_stats.hpp"

#include <algorithm>
#include <cstddef>

namespace um {

void QueryCounters::add(std::chrono::nanoseconds took, bool failed) {
  const double seconds = std::chrono::duration<double>(took).count();
  const auto bucket = static_cast<std::size_t>(std::ranges::lower_bound(kBoundsSeconds, seconds) -
                                               kBoundsSeconds.begin());
  calls.fetch_add(1, std::memory_order_relaxed);
  if (failed) errors.fetch_add(1, std::memory_order_relaxed);
  buckets[bucket].fetch_add(1, std::memory_order_relaxed);
  nanoseconds.fetch_add(static_cast<std::uint64_t>(took.count()), std::memory_order_relaxed);
}

}  // namespace um
