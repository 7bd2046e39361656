// Counters of requests by route, status and duration.
//
// Counting costs three uncontended atomic additions: the counters exist once per processor core
// (modulo kShards), each copy on cache lines of its own, and stats() adds them up.
// Thread safety: any thread.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace um::api {

struct RequestStats {
  // Upper bounds of the buckets; the last bucket of a route counts everything longer.
  static constexpr std::array<double, 13> kBucketBoundsSeconds{
      0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 2.5};
  struct RouteCounts {
    std::string route;   // its name; "unmatched" for paths without one
    std::string method;  // empty for "unmatched"
    std::map<unsigned, std::uint64_t> by_status{};
    std::array<std::uint64_t, kBucketBoundsSeconds.size() + 1> buckets{};
    double seconds_sum = 0;
  };
  std::vector<RouteCounts> routes{};   // in the order of the route table, then "unmatched"
  std::uint64_t answered_at_once = 0;  // without waiting for anything
};

class RequestCounters {
 public:
  RequestCounters();
  RequestCounters(const RequestCounters&) = delete;
  RequestCounters& operator=(const RequestCounters&) = delete;

  enum class Way { at_once, waited };
  struct Request {
    std::size_t route;  // index in the table; kUnmatched: none
    unsigned status;
    std::chrono::nanoseconds took;
    Way way;
  };
  // The status of requests that were given up because their client disconnected.
  static constexpr unsigned kClientGone = 499;
  static constexpr std::size_t kUnmatched = static_cast<std::size_t>(-1);
  void count(const Request& request);
  RequestStats stats() const;

 private:
  static constexpr std::size_t kShards = 16;
  // Statuses that are counted one by one; others are counted under the last.
  static constexpr std::array<unsigned, 25> kStatuses{
      200, 201, 204, 304, 400, 401, 403,         404, 405, 408, 409, 412, 413,
      414, 415, 417, 422, 429, 431, kClientGone, 501, 503, 505, 500, 0};
  struct Counters {
    std::array<std::atomic<std::uint64_t>, kStatuses.size()> by_status{};
    std::array<std::atomic<std::uint64_t>, RequestStats::kBucketBoundsSeconds.size() + 1> buckets{};
    std::atomic<std::uint64_t> nanoseconds{0};
  };
  struct alignas(64) Shard {
    std::vector<Counters> routes;
    std::atomic<std::uint64_t> at_once{0};
  };
  static std::size_t status_index(unsigned status);

  std::unique_ptr<std::array<Shard, kShards>> shards_;
};

}  // namespace um::api
