// Deletes expired rows in small batches between the writes of other callers.
#pragma once

#include <algorithm>
#include <cstdint>

#include "async/task.hpp"
#include "base/clock.hpp"
#include "base/deadline.hpp"
#include "base/error.hpp"

namespace um {

// Rows that expired before `now`, at most `limit` of them.
struct Purge {
  WallTime now;
  std::int64_t limit = 1000;
};

// Deletes one batch of expired sessions and one of old idempotency keys. Returns whether there may
// be more. Errors are those of the stores, which must outlive the task.
template <class Users, class Sessions>
Task<Result<bool>> purge_expired(Users& users, Sessions& sessions, WallTime now,
                                 Deadline deadline) {
  // A batch this large occupies SQLite's writer, or row locks, for some milliseconds.
  const Purge batch{.now = now, .limit = 500};
  const auto ended = co_await sessions.purge(batch, deadline);
  if (!ended) co_return std::unexpected(ended.error());
  const auto keys = co_await users.purge_usage_keys(batch, deadline);
  if (!keys) co_return std::unexpected(keys.error());
  co_return std::max(*ended, *keys) >= batch.limit;
}

}  // namespace um
