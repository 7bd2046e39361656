#include "storage/postgres/usage_writes.hpp"

#include <algorithm>

#include "drivers/pg/query.hpp"
#include "storage/postgres/queries.hpp"
#include "storage/rules.hpp"
#include "user/time_text.hpp"

namespace um {

namespace {

namespace queries = postgres_queries;
using Answers = std::vector<Result<UsageTotals>>;

struct KeyColumns {
  std::vector<std::int64_t> users;
  std::vector<std::string> keys;
};

// Loads the users and keys that the records name. The users' rows are locked before the keys are
// read, so of two transactions with the same key the second sees the rows that the first has
// stored.
std::vector<pg::Statement> questions(const std::vector<UsageRecord>& usages, WallTime now) {
  std::vector<std::int64_t> users;
  KeyColumns named;
  for (const UsageRecord& usage : usages) {
    users.push_back(usage.user.value());
    if (!usage.idempotency_key) continue;
    named.users.push_back(usage.user.value());
    named.keys.push_back(*usage.idempotency_key);
  }
  std::vector<pg::Statement> statements;
  statements.push_back({.query = &queries::kLockCounters, .params = {pg::integer_array(users)}});
  if (!named.keys.empty()) {
    statements.push_back({.query = &queries::kFindUsageKeys,
                          .params = {pg::integer_array(named.users), pg::text_array(named.keys),
                                     time_text(now - rules::kUsageKeysKept)}});
  }
  return statements;
}

UsageTally tally_of(const std::vector<pg::Rows>& known) {
  UsageTally tally;
  const pg::Rows& users = known.front();
  for (std::size_t row = 0; row < users.size(); ++row) {
    UsageTally::Counters counters{.used_micros = read_usd(users.text(row, 1)).micros()};
    if (!users.null(row, 2)) counters.quota_micros = read_usd(users.text(row, 2)).micros();
    tally.know_user(UserId::from(users.integer(row, 0)).value(), counters);
  }
  if (known.size() == 1) return tally;
  const pg::Rows& keys = known.back();
  for (std::size_t row = 0; row < keys.size(); ++row) {
    tally.know_key({UserId::from(keys.integer(row, 0)).value(), std::string{keys.text(row, 1)}},
                   read_usd(keys.text(row, 2)).micros());
  }
  return tally;
}

std::string micros_text(std::int64_t micros) {
  return Usd::from_micros(micros).value().text();
}

std::vector<pg::Statement> changes(const UsageTally& tally, WallTime now) {
  std::vector<pg::Statement> statements;
  if (!tally.new_keys().empty()) {
    KeyColumns stored;
    std::vector<std::string> amounts;
    for (const auto& [key, micros] : tally.new_keys()) {
      stored.users.push_back(key.first.value());
      stored.keys.push_back(key.second);
      amounts.push_back(micros_text(micros));
    }
    statements.push_back({.query = &queries::kPutUsageKeys,
                          .params = {pg::integer_array(stored.users), pg::text_array(stored.keys),
                                     pg::text_array(amounts), time_text(now)}});
  }
  std::vector<std::int64_t> users;
  std::vector<std::string> amounts;
  for (const auto& [user, micros] : tally.additions()) {
    users.push_back(user.value());
    amounts.push_back(micros_text(micros));
  }
  statements.push_back({.query = &queries::kAddUsage,
                        .params = {pg::integer_array(users), pg::text_array(amounts)}});
  return statements;
}

// Only another program can have stored an amount out of bounds; it becomes the nearest bound.
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
  // The subtraction cannot overflow: an amount is at most a thousandth of what 64 bits hold.
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

Task<Result<Answers>> record_usage(PostgresDatabase& db, const std::vector<UsageRecord>& usages,
                                   UsageCall call) {
  const auto work = [&](PostgresWrite& write) -> Task<Result<Answers>> {
    const auto known = co_await write.run_all(questions(usages, call.now));
    if (!known) co_return std::unexpected(known.error());
    UsageTally tally = tally_of(*known);
    Answers answers;
    for (const UsageRecord& usage : usages) answers.push_back(tally.add(usage));
    if (tally.additions().empty()) co_return answers;
    const auto added = co_await write.run_all(changes(tally, call.now));
    if (!added) co_return std::unexpected(added.error());
    write.is_transaction(added->back(), {});
    for (const auto& [user, micros] : tally.additions()) write.touch(CacheKey::of(user));
    co_return answers;
  };
  auto answers = co_await db.write<Answers>(call.deadline, work);
  co_return answers;
}

}  // namespace um
