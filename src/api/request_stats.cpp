#include "api/request_stats.hpp"

#include <algorithm>
#include <sched.h>

#include "api/routes.hpp"

namespace um::api {
namespace {

constexpr auto kRelaxed = std::memory_order_relaxed;

// The core that runs this thread now: a read of thread-local memory. If the thread is moved to
// another core in between, counting costs a cache line more.
std::size_t current_shard(std::size_t shards) {
  const int core = ::sched_getcpu();
  return core < 0 ? 0 : static_cast<std::size_t>(core) % shards;
}

std::size_t bucket_of(std::chrono::nanoseconds took) {
  const double seconds = std::chrono::duration<double>{took}.count();
  const auto& bounds = RequestStats::kBucketBoundsSeconds;
  return static_cast<std::size_t>(std::ranges::lower_bound(bounds, seconds) - bounds.begin());
}

}  // namespace

RequestCounters::RequestCounters() : shards_{std::make_unique<std::array<Shard, kShards>>()} {
  for (Shard& shard : *shards_) shard.routes = std::vector<Counters>(routes().size() + 1);
}

std::size_t RequestCounters::status_index(unsigned status) {
  const auto* const found = std::ranges::find(kStatuses, status);
  return std::min<std::size_t>(static_cast<std::size_t>(found - kStatuses.begin()),
                               kStatuses.size() - 1);
}

void RequestCounters::count(const Request& request) {
  Shard& shard = (*shards_)[current_shard(kShards)];
  Counters& counters = shard.routes[std::min(request.route, shard.routes.size() - 1)];
  const auto took = std::max(request.took, std::chrono::nanoseconds{0});
  counters.by_status[status_index(request.status)].fetch_add(1, kRelaxed);
  counters.buckets[bucket_of(took)].fetch_add(1, kRelaxed);
  counters.nanoseconds.fetch_add(static_cast<std::uint64_t>(took.count()), kRelaxed);
  if (request.way == Way::at_once) shard.at_once.fetch_add(1, kRelaxed);
}

RequestStats RequestCounters::stats() const {
  RequestStats stats;
  for (const Route& route : routes()) {
    stats.routes.push_back({std::string{route.name}, std::string{http::to_string(route.method)}});
  }
  stats.routes.push_back({"unmatched", ""});
  for (const Shard& shard : *shards_) {
    stats.answered_at_once += shard.at_once.load(kRelaxed);
    for (std::size_t r = 0; r < shard.routes.size(); ++r) {
      const Counters& from = shard.routes[r];
      RequestStats::RouteCounts& to = stats.routes[r];
      for (std::size_t i = 0; i < kStatuses.size(); ++i) {
        const std::uint64_t count = from.by_status[i].load(kRelaxed);
        if (count > 0) to.by_status[kStatuses[i]] += count;
      }
      for (std::size_t i = 0; i < to.buckets.size(); ++i) {
        to.buckets[i] += from.buckets[i].load(kRelaxed);
      }
      to.seconds_sum += static_cast<double>(from.nanoseconds.load(kRelaxed)) / 1e9;
    }
  }
  return stats;
}

}  // namespace um::api
