// The stores of a PostgreSQL database. Contracts, thread safety and errors as in the headers of
// storage/.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include "storage/attempt_store.hpp"
#include "storage/postgres/database.hpp"
#include "storage/postgres/usage_batcher.hpp"
#include "storage/purge.hpp"
#include "storage/rules.hpp"
#include "storage/session_store.hpp"
#include "storage/signing_key_store.hpp"
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

  // Deletes idempotency keys older than a day; returns how many it deleted.
  Task<Result<std::int64_t>> purge_usage_keys(Purge purge, Deadline deadline);

 private:
  Task<Result<std::optional<Credentials>>> find_credentials(const pg::Query& query,
                                                            pg::Params params, Deadline deadline);
  // The row of the primary; not_found.
  Task<Result<UserRef>> read_row(UserId id, Deadline deadline);
  Task<Result<UserRef>> recall(UserId id, Deadline deadline);
  PostgresDatabase::CachedChange<UserRef> plan_change(const UserRef& row,
                                                      const rules::PlannedUpdate& plan);
  PostgresDatabase::CachedChange<void> plan_removal(const UserRef& row);

  PostgresDatabase& db_;
  PostgresUsageBatcher usage_;
};

namespace postgres_writes {

// UserStore::insert_many(), in insert_many.cpp. References outlive the call.
using InsertAnswers = std::vector<Result<UserId>>;
Task<Result<InsertAnswers>> insert_many(PostgresDatabase& db, const UserStore::InsertMany& batch,
                                        Deadline deadline);

}  // namespace postgres_writes

namespace postgres_search {

// UserStore::search() and count(), in search.cpp. `folded`: fold_for_search(keyword), not empty.
using Users = std::vector<UserRef>;
Task<Result<Users>> search(PostgresDatabase& db, std::string folded, Page page, Deadline deadline);
Task<Result<std::int64_t>> count(PostgresDatabase& db, std::string folded, Deadline deadline);

}  // namespace postgres_search

class PostgresSessionStore final : public SessionStore {
 public:
  explicit PostgresSessionStore(PostgresDatabase& database) : db_{database} {}

  Task<Result<SessionReading>> find(SessionId id, ReadOptions options) override;
  Task<Result<CreatedSession>> create(NewSession session, Deadline deadline) override;
  Task<Result<void>> revoke(Revoke revoke, Deadline deadline) override;
  Task<Result<std::vector<SessionRef>>> list(UserId user, Deadline deadline) override;
  Task<Result<std::int64_t>> purge(Purge purge, Deadline deadline) override;

 private:
  PostgresDatabase& db_;
};

class PostgresSigningKeyStore final : public SigningKeyStore {
 public:
  // How much longer keys are listed that do not verify any more, for people.
  static constexpr std::chrono::hours kDeadKeysListed{24 * 7};

  explicit PostgresSigningKeyStore(PostgresDatabase& database) : db_{database} {}

  Task<Result<std::vector<SigningKey>>> list(Deadline deadline) override;
  Task<Result<SigningKey>> insert_first(SigningKey key, Deadline deadline) override;
  Task<Result<void>> rotate(Rotate rotate, Deadline deadline) override;
  Task<Result<void>> revoke(Revoke revoke, Deadline deadline) override;

 private:
  PostgresDatabase& db_;
};

// Each call is a call of a function of the schema. The table is unlogged, so no commit waits for a
// disk. Caches do not keep attempts.
class PostgresAttemptStore final : public AttemptStore {
 public:
  // For tests: milliseconds, instead of the server's time.
  using Now = std::function<std::int64_t()>;
  explicit PostgresAttemptStore(PostgresDatabase& database, Now now = {})
      : db_{database}, now_{std::move(now)} {}

  Task<Result<Answer>> take(Take take, Deadline deadline) override;
  Task<Result<void>> end(End end, Deadline deadline) override;
  // Deletes at most `limit` cells without counts; returns how many it deleted.
  Task<Result<std::int64_t>> purge(std::int64_t limit, Deadline deadline);

 private:
  std::optional<std::int64_t> now() const;

  PostgresDatabase& db_;
  const Now now_;
};

}  // namespace um
