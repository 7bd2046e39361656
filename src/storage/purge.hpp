// Deleting what is over, in small batches between the writes of others.
#pragma once

#include <algorithm>
#include <cstdint>

#include "base/clock.hpp"
#include "base/deadline.hpp"
#include "base/error.hpp"
#include "base/task.hpp"

namespace um {

// What is over at `now`, at most `limit` rows of it.
struct Purge {
  WallTime now;
  std::int64_t limit = 1000;
};

// Expired sessions and old idempotency keys, until nothing is left. Both stores outlive the task.
template <class Users, class Sessions>
Task<Result<void>> purge_expired(Users& users, Sessions& sessions, WallTime now,
                                 Deadline deadline) {
  // Some milliseconds of SQLite's writer, or of locks.
  const Purge batch{.now = now, .limit = 500};
  std::int64_t deleted = batch.limit;
  while (deleted >= batch.limit) {
    const auto ended = co_await sessions.purge(batch, deadline);
    if (!ended) co_return std::unexpected(ended.error());
    const auto keys = co_await users.purge_usage_keys(batch, deadline);
    if (!keys) co_return std::unexpected(keys.error());
    deleted = std::max(*ended, *keys);
  }
  co_return Result<void>{};
}

}  // namespace um
