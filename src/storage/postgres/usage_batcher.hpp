// PostgresUsageBatcher: usage of many callers in one transaction (async/batcher.hpp). A user is in
// one transaction at a time: another one would wait for the lock of the user's row.
//
// Thread safety: any thread. Outlives its calls.
#pragma once

#include "async/batcher.hpp"
#include "storage/postgres/database.hpp"
#include "storage/user_store.hpp"

namespace um {

class PostgresUsageBatcher {
 public:
  explicit PostgresUsageBatcher(PostgresDatabase& database);

  Task<Result<UsageTotals>> add(UsageRecord usage, Deadline deadline);

 private:
  struct Item {
    UsageRecord record;
    UserId group() const { return record.user; }
  };
  using Batching = Batcher<Item, UsageTotals>;

  // One answer for each.
  Task<Batching::Answers> record(const Batching::Items& items, Deadline deadline);

  PostgresDatabase& db_;
  Batching batcher_;
};

}  // namespace um
