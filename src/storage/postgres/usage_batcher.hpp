// PostgresUsageBatcher: usage of many callers in one transaction. A caller that finds that a batch
// may start (usage_queue.hpp) leads it: it writes the records of all callers that wait, hands each
// its own answer, and wakes the leader of the next batch. So no coroutine is without an owner.
//
// A batch goes on until the latest deadline of its members; each member waits until its own. A
// caller that gives up while its record is in a batch is answered `timeout`, and the record may
// have been written.
//
// Thread safety: any thread. Outlives its calls.
#pragma once

#include <mutex>

#include "storage/postgres/database.hpp"
#include "storage/postgres/usage_queue.hpp"

namespace um {

class PostgresUsageBatcher {
 public:
  explicit PostgresUsageBatcher(PostgresDatabase& database, UsageQueue::Limits limits = {})
      : db_{database}, queue_{limits} {}

  Task<Result<UsageTotals>> add(UsageRecord usage, Deadline deadline);

 private:
  struct Waiting;
  class Presence;
  class Writing;
  using Batch = std::vector<UsageQueue::Ticket>;
  using Answers = std::vector<Result<UsageTotals>>;

  // The answer if there is one, otherwise the batch that this caller leads now (maybe none).
  struct Look {
    std::optional<Result<UsageTotals>> answer{};
    Batch batch{};
  };
  Look look(const std::shared_ptr<Waiting>& place);
  Task<void> lead(Batch batch);
  void finish(const Batch& batch, Answers answers);
  void leave(const std::shared_ptr<Waiting>& place);

  Task<Result<Answers>> record(const std::vector<UsageRecord>& usages, Deadline deadline);

  PostgresDatabase& db_;
  std::mutex mutex_;
  UsageQueue queue_;  // and the answers of those in it, guarded by mutex_
};

}  // namespace um
