// Deleting what is over, in small batches between the writes of others.
#pragma once

#include <algorithm>
#include <cstdint>

#include "base/clock.hpp"
#include "base/deadline.hpp"
#include "base/error.hpp"
#include "async/task.hpp"

namespace um {

// What is over at `now`, at most `limit` rows of it.
struct Purge {
  WallTime now;
  std::int64_t limit = 1000;
};

// A batch of expired sessions and one of old idempotency keys; whether there may be more. Errors
// are those of the stores, which outlive the task.
template <class Users, class Sessions>
Task<Result<bool>> purge_expired(Users& users, Sessions& sessions, WallTime now,
                                 Deadline deadline) {
  // Some milliseconds of SQLite's writer, or of locks.
  const Purge batch{.now = now, .limit = 500};
  const auto ended = co_await sessions.purge(batch, deadline);
  if (!ended) co_return std::unexpected(ended.error());
  const auto keys = co_await users.purge_usage_keys(batch, deadline);
  if (!keys) co_return std::unexpected(keys.error());
  co_return std::max(*ended, *keys) >= batch.limit;
}

}  // namespace um
