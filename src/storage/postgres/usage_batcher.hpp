// PostgresUsageBatcher: usage of many callers in one transaction. Whoever finds that a flight may
// start (usage_queue.hpp) flies it for all that wait, tells each its own answer, and wakes the
// next; so there is no coroutine without an owner.
//
// A batch goes on until the latest deadline of its members; each of them waits until its own. Who
// gives up while its record is in a flight is answered `timeout`, and it may have been recorded.
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
  class Flight;
  using Batch = std::vector<UsageQueue::Ticket>;
  using Answers = std::vector<Result<UsageTotals>>;

  // With the lock: the answer if there is one, else what this caller is to fly.
  struct Look {
    std::optional<Result<UsageTotals>> answer{};
    Batch batch{};
  };
  Look look(const std::shared_ptr<Waiting>& place);
  Task<void> fly(Batch batch);
  void land(const Batch& batch, Answers answers);
  void leave(const std::shared_ptr<Waiting>& place);

  Task<Result<Answers>> record(const std::vector<UsageRecord>& usages, Deadline deadline);

  PostgresDatabase& db_;
  std::mutex mutex_;
  UsageQueue queue_;  // and the answers of those in it, guarded by mutex_
};

}  // namespace um
