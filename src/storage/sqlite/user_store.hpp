// SqliteUserStore: the UserStore of a SQLite database. Contract, thread safety and errors as in
// user_store.hpp.
#pragma once

#include "storage/purge.hpp"
#include "storage/sqlite/database.hpp"
#include "storage/user_store.hpp"

namespace um {

class SqliteUserStore final : public UserStore {
 public:
  explicit SqliteUserStore(SqliteDatabase& database) : db_{database} {}

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
  SqliteDatabase& db_;
};

}  // namespace um
