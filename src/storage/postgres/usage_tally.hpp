// UsageTally: what one transaction makes of many usage records, decided one after another as if
// each were alone: every caller is told the totals after its own amount, and one that is refused
// changes nothing for the others.
//
// Use: load the users (locked) and the idempotency keys that the records name, add the records in
// order, then write what additions() and new_keys() say.
//
// Thread safety: a value; pure.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "storage/user_store.hpp"

namespace um {

class UsageTally {
 public:
  struct Counters {
    std::int64_t used_micros = 0;
    std::optional<std::int64_t> quota_micros{};
  };
  using UsageKey = std::pair<UserId, std::string>;

  void know_user(UserId id, Counters counters) { users_.insert_or_assign(id, counters); }
  // A key that was used within the last day, with its amount.
  void know_key(UsageKey key, std::int64_t micros) {
    keys_.insert_or_assign(std::move(key), micros);
  }

  // invalid (negative, or the sum leaves the bound), not_found, conflict (the key was used with
  // another amount).
  Result<UsageTotals> add(const UsageRecord& usage);

  // How many micro-dollars each user gets.
  const std::map<UserId, std::int64_t>& additions() const { return additions_; }
  const std::map<UsageKey, std::int64_t>& new_keys() const { return new_keys_; }

 private:
  std::map<UserId, Counters> users_;
  std::map<UsageKey, std::int64_t> keys_;
  std::map<UserId, std::int64_t> additions_;
  std::map<UsageKey, std::int64_t> new_keys_;
};

}  // namespace um
