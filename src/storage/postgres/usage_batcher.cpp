#include "storage/postgres/usage_batcher.hpp"

#include "storage/postgres/usage_writes.hpp"

namespace um {

namespace {
// The clock of the deadlines of the driver, which is not the database's clock in every test.
const SystemClock kDeadlineClock{};
}  // namespace

PostgresUsageBatcher::PostgresUsageBatcher(PostgresDatabase& database)
    : db_{database}, batcher_{{}, kDeadlineClock} {}

Task<Result<UsageTotals>> PostgresUsageBatcher::add(UsageRecord usage, Deadline deadline) {
  auto write = [this](const Batching::Items& items, Deadline until) {
    return record(items, until);
  };
  Item item{.record = std::move(usage)};
  Result<UsageTotals> totals = co_await batcher_.add(std::move(item), deadline, write);
  co_return totals;
}

Task<PostgresUsageBatcher::Batching::Answers> PostgresUsageBatcher::record(
    const Batching::Items& items, Deadline deadline) {
  std::vector<UsageRecord> usages;
  for (const Item& item : items) usages.push_back(item.record);
  db_.counters().writes.add(usages.size() - 1);  // the further callers that it answered
  const WallTime now = db_.clock().wall_now();
  auto together = co_await record_usage(db_, usages, {.now = now, .deadline = deadline});
  if (together) co_return std::move(*together);
  const bool refused =
      together.error().code == ErrorCode::invalid || together.error().code == ErrorCode::internal;
  if (!refused || usages.size() == 1)
    co_return Batching::Answers(usages.size(), std::unexpected(together.error()));
  // The database refused one of the records, and does not say which: each is tried alone.
  Batching::Answers answers;
  for (const UsageRecord& usage : usages) {
    const std::vector<UsageRecord> alone{usage};
    auto answer = co_await record_usage(db_, alone, {.now = now, .deadline = deadline});
    if (answer) {
      answers.push_back(std::move(answer->front()));
    } else {
      answers.emplace_back(std::unexpected(answer.error()));
    }
  }
  co_return answers;
}

}  // namespace um
