// PostgresUserStore: the UserStore of a PostgreSQL database. Contract, thread safety and errors as
// in user_store.hpp.
#pragma once

#include "storage/postgres/database.hpp"
#include "storage/postgres/usage_batcher.hpp"
#include "storage/purge.hpp"
#include "storage/user_store.hpp"

namespace um {

class PostgresUserStore final : public UserStore {
 public:
  explicit PostgresUserStore(PostgresDatabase& database) : db_{database}, usage_{database} {}

  Task<Result<UserReading>> find(UserId id, ReadOptions options) override;
  Task<Result<UserReading>> find(Email email, ReadOptions options) override;
  Task<Result<std::vector<UserRef>>> list(Page page, Deadline deadline) override;
  Task<Result<std::vector<UserRef>>> search(std::string keyword, Page page,
                                            Deadline deadline) override;
  Task<Result<std::int64_t>> count(std::string keyword, Deadline deadline) override;
  Task<Result<bool>> has_admin(Deadline deadline) override;

  Task<Result<UserRef>> insert(NewUser user, Deadline deadline) override;
  Task<Result<std::vector<Result<UserId>>>> insert_many(InsertMany batch,
                                                        Deadline deadline) override;
  Task<Result<UserRef>> update(UpdateUser update, Deadline deadline) override;
  Task<Result<void>> remove(RemoveUser request, Deadline deadline) override;
  Task<Result<UsageTotals>> add_usage(UsageRecord usage, Deadline deadline) override;

  Task<Result<std::optional<Credentials>>> credentials(Email email, Deadline deadline) override;
  Task<Result<std::optional<Credentials>>> credentials(UserId id, Deadline deadline) override;
  Task<Result<void>> rehash(Rehash rehash, Deadline deadline) override;
  Task<Result<void>> end_sessions(UserId id, Deadline deadline) override;
  Task<Result<void>> invalidate(UserId id, Deadline deadline) override;

  // Deletes idempotency keys older than a day, at most `limit`; how many it deleted.
  Task<Result<std::int64_t>> purge_usage_keys(Purge purge, Deadline deadline);

 private:
  Task<Result<std::optional<Credentials>>> find_credentials(const pg::Query& query,
                                                            pg::Params params, Deadline deadline);

  PostgresDatabase& db_;
  PostgresUsageBatcher usage_;
};

}  // namespace um
