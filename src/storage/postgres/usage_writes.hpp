// Recording usage in PostgreSQL: many records in one transaction.
//
// UsageTally decides, record_usage() reads and writes. The tally takes the records one after
// another as if each had come alone: each caller gets the totals after its own amount, and a
// refused record changes nothing for the others.
//
// Thread safety: UsageTally is a value. record_usage() is a coroutine of the caller's executor;
// references outlive the call.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "storage/postgres/database.hpp"
#include "storage/user_store.hpp"

namespace um {

// Use: load the users (locked) and the idempotency keys that the records name, add the records in
// order, then write additions() and new_keys().
class UsageTally {
 public:
  struct Counters {
    std::int64_t used_micros = 0;
    std::optional<std::int64_t> quota_micros{};
  };
  using UsageKey = std::pair<UserId, std::string>;

  void know_user(UserId id, Counters counters) { users_.insert_or_assign(id, counters); }
  // An idempotency key that was used within the last day, and its amount.
  void know_key(UsageKey key, std::int64_t micros) {
    keys_.insert_or_assign(std::move(key), micros);
  }

  // invalid (negative, or the sum leaves the bound), not_found, conflict (the key was used with
  // another amount).
  Result<UsageTotals> add(const UsageRecord& usage);

  // The micro-dollars to add to each user.
  const std::map<UserId, std::int64_t>& additions() const { return additions_; }
  const std::map<UsageKey, std::int64_t>& new_keys() const { return new_keys_; }

 private:
  std::map<UserId, Counters> users_;
  std::map<UsageKey, std::int64_t> keys_;
  std::map<UserId, std::int64_t> additions_;
  std::map<UsageKey, std::int64_t> new_keys_;
};

struct UsageCall {
  WallTime now;
  Deadline deadline;
};
// One result for each record, in their order. An error: nothing was recorded.
Task<Result<std::vector<Result<UsageTotals>>>> record_usage(PostgresDatabase& db,
                                                            const std::vector<UsageRecord>& usages,
                                                            UsageCall call);

}  // namespace um
