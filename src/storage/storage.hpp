// Storage: one open database with its stores. open_sqlite() and open_postgres() make it; above
// storage/ only the composition root knows which database it is.
//
// Thread safety: stores as in user_store.hpp; stats() and describe() from any thread.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "async/task.hpp"
#include "base/counters.hpp"
#include "base/error.hpp"
#include "base/query_stats.hpp"
#include "storage/attempt_store.hpp"
#include "storage/change_feed.hpp"
#include "storage/session_store.hpp"
#include "storage/signing_key_store.hpp"
#include "storage/user_store.hpp"

namespace um {

template <class Number>
struct StorageNumbers {
  Number commits{};
  Number writes{};       // answered calls; writes / commits is the size of a group commit
  Number write_queue{};  // waiting now
  Number read_queue{};
  Number refused{};  // because a queue was full
  // Logins that were deleted because their user had the largest number of sessions.
  Number sessions_displaced{};

  static constexpr auto table() {
    using N = StorageNumbers;
    return std::tuple{
        level_of(&N::write_queue, kQueueLength, {"queue", "database_writes"}),
        level_of(&N::read_queue, kQueueLength, {"queue", "database_reads"}),
        count_of(&N::refused, kQueueRefusals, {"queue", "database"}),
        count_of(&N::commits, {"database_commits_total", "Commits of this process"}),
        count_of(&N::writes,
                 {"database_writes_total", "Writes answered; over commits: the size of a group"}),
        count_of(&N::sessions_displaced,
                 {"sessions_displaced_total",
                  "Logins that ended because their user signed in too many times since"})};
  }
};

struct StorageStats : StorageNumbers<std::uint64_t> {
  struct Query {
    std::uint64_t calls = 0;
    std::uint64_t errors = 0;
    // buckets[i]: calls that took at most kBucketBoundsSeconds[i] and longer than the bound before.
    // The last bucket counts all longer calls.
    static constexpr auto kBucketBoundsSeconds = QueryCounters::kBoundsSeconds;
    std::array<std::uint64_t, kBucketBoundsSeconds.size() + 1> buckets{};
    double seconds_sum = 0;
  };
  // Strict writes: times of waits for other instances, and by the instance's name the waits in
  // which it was the last.
  std::optional<Query> strict_waits{};
  std::map<std::string, std::uint64_t> slowest_instances{};
  std::map<std::string, Query> queries{};  // by the query's name: "find_user", "insert_user", …
  std::vector<PublishedNumber> client{};   // more, from the client of a database server
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
  // The part of housekeeping that instances do for each other while they run: dead instances,
  // holds, the log of changes. True: there is more. The application calls it several times a
  // second.
  virtual Task<Result<bool>> upkeep(Deadline /*deadline*/) { co_return false; }
  virtual StorageStats stats() const = 0;
  virtual std::string describe() const = 0;  // for people: "SQLite /srv/data/users.db"
};

}  // namespace um
