// QueryStats: how often each named query ran, how often it failed, and how long it took. `Query` is
// the driver's type of a named query; its address is the key.
//
// Thread safety: any thread; counters are relaxed atomics, so a reader sees each number a little
// late but never torn. The set of queries is fixed at construction.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <span>
#include <unordered_map>

namespace um {

struct QueryCounters {
  static constexpr std::array<double, 10> kBoundsSeconds{0.0001, 0.00025, 0.0005, 0.001, 0.0025,
                                                         0.005,  0.01,    0.05,   0.25,  1.0};
  std::atomic<std::uint64_t> calls{0};
  std::atomic<std::uint64_t> errors{0};
  std::array<std::atomic<std::uint64_t>, kBoundsSeconds.size() + 1> buckets{};
  std::atomic<std::uint64_t> nanoseconds{0};

  void add(std::chrono::nanoseconds took, bool failed);
};

template <class Query>
class QueryStats {
 public:
  using Counters = QueryCounters;
  static constexpr auto kBoundsSeconds = Counters::kBoundsSeconds;

  explicit QueryStats(std::span<const Query* const> queries) {
    for (const Query* query : queries) counters_.try_emplace(query);
  }

  // nullptr for a query that was not given to the constructor: it is not counted.
  Counters* find(const Query& query) {
    const auto found = counters_.find(&query);
    return found == counters_.end() ? nullptr : &found->second;
  }
  const std::unordered_map<const Query*, Counters>& all() const { return counters_; }

 private:
  std::unordered_map<const Query*, Counters> counters_;
};

}  // namespace um
