#include "storage/postgres/usage_tally.hpp"

#include <algorithm>

#include "storage/rules.hpp"

namespace um {

namespace {

// Out of bounds only if another program wrote it; the bound is the nearest amount there is.
Usd bounded(std::int64_t micros) {
  return *Usd::from_micros(std::clamp(micros, -Usd::kMaxMicros, Usd::kMaxMicros));
}

UsageTotals totals(const UsageTally::Counters& counters) {
  UsageTotals totals{.used_usd = bounded(counters.used_micros), .quota_usd = std::nullopt};
  if (counters.quota_micros) totals.quota_usd = bounded(*counters.quota_micros);
  return totals;
}

}  // namespace

Result<UsageTotals> UsageTally::add(const UsageRecord& usage) {
  if (usage.amount.negative()) return fail(ErrorCode::invalid, "usage cannot be negative");
  const auto user = users_.find(usage.user);
  if (user == users_.end()) return fail(rules::no_such_user());
  Counters& counters = user->second;
  const std::int64_t micros = usage.amount.micros();
  if (usage.idempotency_key) {
    const auto seen = keys_.find({usage.user, *usage.idempotency_key});
    if (seen != keys_.end()) {
      if (seen->second == micros) return totals(counters);
      return fail(ErrorCode::conflict, "the idempotency key was used with another amount");
    }
  }
  // Both are at most a thousandth of what 64 bits hold, unless another program wrote the counter.
  if (counters.used_micros > Usd::kMaxMicros - micros) {
    return fail(ErrorCode::invalid, "the sum would be too large");
  }
  counters.used_micros += micros;
  additions_[usage.user] += micros;
  if (usage.idempotency_key) {
    const UsageKey key{usage.user, *usage.idempotency_key};
    keys_.emplace(key, micros);
    new_keys_.emplace(key, micros);
  }
  return totals(counters);
}

}  // namespace um
