// The counters of a named query as a plain value.
#pragma once

#include "base/query_stats.hpp"
#include "storage/storage.hpp"

namespace um {

inline StorageStats::Query report_of(const QueryCounters& counters) {
  static_assert(StorageStats::Query::kBucketBoundsSeconds == QueryCounters::kBoundsSeconds);
  StorageStats::Query query;
  query.calls = counters.calls.load(std::memory_order_relaxed);
  query.errors = counters.errors.load(std::memory_order_relaxed);
  for (std::size_t i = 0; i < query.buckets.size(); ++i) {
    query.buckets[i] = counters.buckets[i].load(std::memory_order_relaxed);
  }
  const auto nanoseconds = counters.nanoseconds.load(std::memory_order_relaxed);
  query.seconds_sum = static_cast<double>(nanoseconds) * 1e-9;
  return query;
}

}  // namespace um
