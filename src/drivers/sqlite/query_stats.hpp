// QueryStats: how often each named query ran, how often it failed, and how long it took.
//
// Thread safety: any thread; counters are relaxed atomics, so a reader sees each number a little
// late but never torn. The set of queries is fixed at construction.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <unordered_map>

#include "drivers/sqlite/query.hpp"

namespace um::sqlite {

class QueryStats {
 public:
  static constexpr std::array<double, 10> kBoundsSeconds{0.0001, 0.00025, 0.0005, 0.001, 0.0025,
                                                         0.005,  0.01,    0.05,   0.25,  1.0};
  struct Counters {
    std::atomic<std::uint64_t> calls{0};
    std::atomic<std::uint64_t> errors{0};
    std::array<std::atomic<std::uint64_t>, kBoundsSeconds.size() + 1> buckets{};
    std::atomic<std::uint64_t> nanoseconds{0};

    void add(std::chrono::nanoseconds took, bool failed);
  };

  explicit QueryStats(std::span<const Query* const> queries);

  // nullptr for a query that was not named at construction: it is not counted.
  Counters* find(const Query& query);
  const std::unordered_map<const Query*, Counters>& all() const { return counters_; }

 private:
  std::unordered_map<const Query*, Counters> counters_;
};

}  // namespace um::sqlite
