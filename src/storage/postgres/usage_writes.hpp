// Recording usage in PostgreSQL: many records in one transaction.
//
// Thread safety: coroutines of the caller's executor. References outlive the call.
#pragma once

#include <vector>

#include "storage/postgres/database.hpp"
#include "storage/user_store.hpp"

namespace um {

struct UsageCall {
  WallTime now;
  Deadline deadline;
};
// One answer for each record, in their order, as if each had come alone. An error: nothing was
// recorded.
Task<Result<std::vector<Result<UsageTotals>>>> record_usage(PostgresDatabase& db,
                                                            const std::vector<UsageRecord>& usages,
                                                            UsageCall call);

}  // namespace um
