// Tally: what the monitor has counted, for each instance: reads, broken promises, errors, writes,
// and how long the reads took. A value; thread safety: as any value.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace um {

// Durations by size, in buckets that grow by a quarter: a quantile is at most that much too large.
class Durations {
 public:
  void add(std::chrono::nanoseconds took);
  // 0.99: 99 % of the durations were at most this long. Zero if there are none.
  std::chrono::nanoseconds quantile(double part) const;
  Durations& operator+=(const Durations& other);

 private:
  static constexpr std::size_t kBuckets = 64;
  std::array<std::uint64_t, kBuckets> counts_{};
};

struct InstanceTally {
  std::uint64_t reads = 0;                  // answered and judged
  std::uint64_t broken = 0;                 // of these
  std::uint64_t excused = 0;                // answers that said they may be stale
  std::uint64_t writes = 0;                 // done
  std::uint64_t errors = 0;                 // reads and writes without a usable answer
  std::chrono::nanoseconds greatest_age{};  // of a broken read
  Durations read_time{};
  InstanceTally& operator+=(const InstanceTally& other);
};

using Tally = std::vector<InstanceTally>;  // in the order of the instances
InstanceTally sum_of(const Tally& tally);

}  // namespace um
