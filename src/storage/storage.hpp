// Storage: one open database with its stores. open_sqlite() and open_postgres() make it; above
// storage/ only the composition root knows which database it is.
//
// Thread safety: stores as in user_store.hpp; stats() and describe() from any thread.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>

#include "async/task.hpp"
#include "base/error.hpp"
#include "base/query_stats.hpp"
#include "storage/attempt_store.hpp"
#include "storage/change_feed.hpp"
#include "storage/session_store.hpp"
#include "storage/signing_key_store.hpp"
#include "storage/user_store.hpp"

namespace um {

struct StorageStats {
  struct Query {
    std::uint64_t calls = 0;
    std::uint64_t errors = 0;
    // buckets[i]: calls that took at most kBucketBoundsSeconds[i] and longer than the bound before.
    // The last bucket counts all longer calls.
    static constexpr auto kBucketBoundsSeconds = QueryCounters::kBoundsSeconds;
    std::array<std::uint64_t, kBucketBoundsSeconds.size() + 1> buckets{};
    double seconds_sum = 0;
  };
  std::map<std::string, Query> queries{};  // by the query's name: "find_user", "insert_user", …
  std::uint64_t commits = 0;
  std::uint64_t writes = 0;     // answered calls; writes / commits is the size of a group commit
  std::size_t write_queue = 0;  // waiting now
  std::size_t read_queue = 0;
  std::uint64_t refused = 0;  // because a queue was full
  // Logins that were deleted because their user had the largest number of sessions.
  std::uint64_t sessions_displaced = 0;
};

inline StorageStats::Query report_of(const QueryCounters& counters) {
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

class Storage {
 public:
  virtual ~Storage() = default;  // finishes accepted writes, then closes
  virtual UserStore& users() = 0;
  virtual SessionStore& sessions() = 0;
  virtual SigningKeyStore& signing_keys() = 0;
  virtual ChangeFeed& changes() = 0;
  // Where instances count attempts to sign in together; null: there is only this instance.
  virtual AttemptStore* attempts() { return nullptr; }
  // For /readyz: does one read and one write. The error's detail names the fault.
  virtual Task<Result<void>> ping(Deadline deadline) = 0;
  // Deletes one batch of expired rows: sessions, idempotency keys older than a day, counts of
  // failed sign-ins. True: there may be more. The application calls it every minute.
  virtual Task<Result<bool>> housekeeping(WallTime now, Deadline deadline) = 0;
  virtual StorageStats stats() const = 0;
  virtual std::string describe() const = 0;  // for people: "SQLite /srv/data/users.db"
};

}  // namespace um
