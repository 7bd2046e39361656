// SqliteSessionStore: the SessionStore of a SQLite database. Contract, thread safety and errors
// as in session_store.hpp; displaced() may be called from any thread.
#pragma once

#include <atomic>
#include <cstdint>

#include "storage/session_store.hpp"
#include "storage/sqlite/database.hpp"

namespace um {

class SqliteSessionStore final : public SessionStore {
 public:
  explicit SqliteSessionStore(SqliteDatabase& database) : db_{database} {}

  Task<Result<SessionReading>> find(SessionId id, ReadOptions options) override;
  Task<Result<CreatedSession>> create(NewSession session, Deadline deadline) override;
  Task<Result<void>> revoke(Revoke revoke, Deadline deadline) override;
  Task<Result<std::vector<SessionRef>>> list(UserId user, Deadline deadline) override;
  Task<Result<std::int64_t>> purge(Purge purge, Deadline deadline) override;

  // Logins that made room for newer ones.
  std::uint64_t displaced() const { return displaced_.load(std::memory_order_relaxed); }

 private:
  SqliteDatabase& db_;
  std::atomic<std::uint64_t> displaced_{0};
};

}  // namespace um
