#include "monitor/tally.hpp"

#include <algorithm>
#include <cmath>

namespace um {
namespace {

constexpr double kGrowth = 1.25;
constexpr std::chrono::nanoseconds kSmallest{50'000};

std::chrono::nanoseconds upper_bound(std::size_t bucket) {
  const double nanoseconds =
      static_cast<double>(kSmallest.count()) * std::pow(kGrowth, static_cast<double>(bucket));
  return std::chrono::nanoseconds{static_cast<std::int64_t>(nanoseconds)};
}

}  // namespace

void Durations::add(std::chrono::nanoseconds took) {
  std::size_t bucket = 0;
  while (bucket + 1 < kBuckets && took > upper_bound(bucket)) ++bucket;
  ++counts_[bucket];
}

std::chrono::nanoseconds Durations::quantile(double part) const {
  std::uint64_t all = 0;
  for (const std::uint64_t count : counts_) all += count;
  if (all == 0) return {};
  const double wanted = part * static_cast<double>(all);
  std::uint64_t seen = 0;
  for (std::size_t bucket = 0; bucket < kBuckets; ++bucket) {
    seen += counts_[bucket];
    if (static_cast<double>(seen) >= wanted) return upper_bound(bucket);
  }
  return upper_bound(kBuckets - 1);
}

Durations& Durations::operator+=(const Durations& other) {
  for (std::size_t bucket = 0; bucket < kBuckets; ++bucket)
    counts_[bucket] += other.counts_[bucket];
  return *this;
}

InstanceTally& InstanceTally::operator+=(const InstanceTally& other) {
  reads += other.reads;
  broken += other.broken;
  excused += other.excused;
  writes += other.writes;
  errors += other.errors;
  greatest_age = std::max(greatest_age, other.greatest_age);
  read_time += other.read_time;
  return *this;
}

InstanceTally sum_of(const Tally& tally) {
  InstanceTally sum;
  for (const InstanceTally& instance : tally) sum += instance;
  return sum;
}

}  // namespace um
