// Storage: one opened database with its stores. Made by open_sqlite() (sqlite_storage.hpp) and
// open_postgres() (postgres_storage.hpp); the only thing above storage that knows which one it is,
// is the composition root.
//
// Thread safety: as the stores (user_store.hpp); stats() and describe() from any thread.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "base/error.hpp"
#include "async/task.hpp"
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
    // Latency: how many calls took at most kBucketBounds[i]; the last bucket is everything longer.
    static constexpr std::array<double, 10> kBucketBoundsSeconds{
        0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.25, 1.0};
    std::array<std::uint64_t, kBucketBoundsSeconds.size() + 1> buckets{};
    double seconds_sum = 0;
  };
  std::map<std::string, Query> queries{};  // by the query's name: "find_user", "insert_user", …
  std::uint64_t commits = 0;
  std::uint64_t writes = 0;     // callers answered; writes / commits is the size of a group commit
  std::size_t write_queue = 0;  // waiting now
  std::size_t read_queue = 0;
  std::uint64_t refused = 0;  // because a queue was full
  // Logins that ended because their user signed in once more than is kept.
  std::uint64_t sessions_displaced = 0;
};

class Storage {
 public:
  virtual ~Storage() = default;  // closes; finishes what was accepted first
  virtual UserStore& users() = 0;
  virtual SessionStore& sessions() = 0;
  virtual SigningKeyStore& signing_keys() = 0;
  virtual ChangeFeed& changes() = 0;
  // Where instances count attempts to sign in together; null: there is only this one.
  virtual AttemptStore* attempts() { return nullptr; }
  // Can a read and a write be done? For /readyz. The error's detail says what is wrong.
  virtual Task<Result<void>> ping(Deadline deadline) = 0;
  // Deletes a batch of what is over: expired sessions, idempotency keys older than a day, counts of
  // failed sign-ins. True: there may be more. The application calls it every minute.
  virtual Task<Result<bool>> housekeeping(WallTime now, Deadline deadline) = 0;
  virtual StorageStats stats() const = 0;
  virtual std::string describe() const = 0;  // for people: "SQLite /srv/data/users.db"
};

}  // namespace um
