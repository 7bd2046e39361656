// The stores of a SQLite database. Contracts, thread safety and errors as in the headers of
// storage/.
#pragma once

#include <cstdint>

#include "drivers/sqlite/writer.hpp"
#include "storage/purge.hpp"
#include "storage/session_store.hpp"
#include "storage/signing_key_store.hpp"
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

  // Deletes idempotency keys older than a day; returns how many it deleted.
  Task<Result<std::int64_t>> purge_usage_keys(Purge purge, Deadline deadline);

 private:
  SqliteDatabase& db_;
};

// Searching, in search.cpp. Blocks: call it on a reader's thread. Throws SqliteError. `folded`:
// fold_for_search(keyword), not empty.
namespace sqlite_search {

// The ids of one page of hits, ascending.
std::vector<std::int64_t> find(sqlite::Connection& db, const std::string& folded, const Page& page);
std::int64_t count(sqlite::Connection& db, const std::string& folded);

}  // namespace sqlite_search

class SqliteSessionStore final : public SessionStore {
 public:
  explicit SqliteSessionStore(SqliteDatabase& database) : db_{database} {}

  Task<Result<SessionReading>> find(SessionId id, ReadOptions options) override;
  Task<Result<CreatedSession>> create(NewSession session, Deadline deadline) override;
  Task<Result<void>> revoke(Revoke revoke, Deadline deadline) override;
  Task<Result<std::vector<SessionRef>>> list(UserId user, Deadline deadline) override;
  Task<Result<std::int64_t>> purge(Purge purge, Deadline deadline) override;

 private:
  SqliteDatabase& db_;
};

class SqliteSigningKeyStore final : public SigningKeyStore {
 public:
  // How much longer keys are listed that do not verify any more, for people.
  static constexpr std::chrono::hours kDeadKeysListed{24 * 7};

  explicit SqliteSigningKeyStore(SqliteDatabase& database) : db_{database} {}

  Task<Result<std::vector<SigningKey>>> list(Deadline deadline) override;
  Task<Result<SigningKey>> insert_first(SigningKey key, Deadline deadline) override;
  Task<Result<void>> rotate(Rotate rotate, Deadline deadline) override;
  Task<Result<void>> revoke(Revoke revoke, Deadline deadline) override;

 private:
  SqliteDatabase& db_;
};

// Inserts one user within a transaction of the caller. An error leaves the transaction as it was.
// Throws SqliteError for failures other than those of UserStore::insert().
Result<User> insert_user(sqlite::Transaction& tx, const NewUser& user, WallTime now);

}  // namespace um
