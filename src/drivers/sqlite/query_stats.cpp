#include "drivers/sqlite/query_stats.hpp"

#include <algorithm>

namespace um::sqlite {

void QueryStats::Counters::add(std::chrono::nanoseconds took, bool failed) {
  const double seconds = std::chrono::duration<double>(took).count();
  const auto bucket = static_cast<std::size_t>(std::ranges::lower_bound(kBoundsSeconds, seconds) -
                                               kBoundsSeconds.begin());
  calls.fetch_add(1, std::memory_order_relaxed);
  if (failed) errors.fetch_add(1, std::memory_order_relaxed);
  buckets[bucket].fetch_add(1, std::memory_order_relaxed);
  nanoseconds.fetch_add(static_cast<std::uint64_t>(took.count()), std::memory_order_relaxed);
}

QueryStats::QueryStats(std::span<const Query* const> queries) {
  for (const Query* query : queries) counters_.try_emplace(query);
}

QueryStats::Counters* QueryStats::find(const Query& query) {
  const auto found = counters_.find(&query);
  return found == counters_.end() ? nullptr : &found->second;
}

}  // namespace um::sqlite
