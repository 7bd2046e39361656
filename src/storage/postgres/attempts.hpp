// PostgresAttempts: the AttemptStore of PostgreSQL: a call of a function of the schema each, in an
// unlogged table, so that no commit waits for a disk. No cache hears of it.
//
// Thread safety: any thread. `database` outlives it.
#pragma once

#include <functional>

#include "storage/attempt_store.hpp"
#include "storage/postgres/database.hpp"

namespace um {

class PostgresAttempts final : public AttemptStore {
 public:
  // For tests: milliseconds, instead of the server's time.
  using Now = std::function<std::int64_t()>;
  explicit PostgresAttempts(PostgresDatabase& database, Now now = {})
      : db_{database}, now_{std::move(now)} {}

  Task<Result<Answer>> take(Take take, Deadline deadline) override;
  Task<Result<void>> end(End end, Deadline deadline) override;
  // Deletes at most `limit` cells in which nothing counts any more; how many.
  Task<Result<std::int64_t>> purge(std::int64_t limit, Deadline deadline);

 private:
  std::optional<std::int64_t> now() const;

  PostgresDatabase& db_;
  const Now now_;
};

}  // namespace um
