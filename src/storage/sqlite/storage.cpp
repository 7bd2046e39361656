#include "storage/sqlite/storage.hpp"

#include "drivers/sqlite/database_file.hpp"
#include "storage/purge.hpp"
#include "storage/sqlite/database.hpp"
#include "storage/sqlite/migrator.hpp"
#include "storage/sqlite/queries.hpp"
#include "storage/sqlite/stores.hpp"

namespace um {

namespace {

class SqliteStorage final : public Storage {
 public:
  SqliteStorage(const SqliteOptions& options, std::optional<sqlite::FileLock> lock)
      : lock_{std::move(lock)}, file_{options.file}, database_{options} {}

  UserStore& users() override { return users_; }
  SessionStore& sessions() override { return sessions_; }
  SigningKeyStore& signing_keys() override { return signing_keys_; }
  ChangeFeed& changes() override { return database_.feed(); }
  StorageStats stats() const override { return database_.stats(); }
  std::string describe() const override { return "SQLite " + file_.string(); }

  Task<Result<void>> ping(Deadline deadline) override {
    const auto read =
        co_await database_.look_up<bool>(deadline, [](sqlite::Connection& db) -> Result<bool> {
          auto run = db.run(sqlite_queries::kPing);
          return run.next();
        });
    if (!read) co_return std::unexpected(read.error());
    // Takes the write lock and a place in a group commit. Normally it changes nothing and costs no
    // sync; after a failure only a real write shows whether the failure is over.
    const bool really = database_.troubled();
    auto written =
        co_await database_.write<void>(deadline, [really](sqlite::Transaction& tx) -> Result<void> {
          tx.db().run(really ? sqlite_queries::kNextCommit : sqlite_queries::kPing).finish();
          return {};
        });
    co_return written;
  }

  Task<Result<bool>> housekeeping(WallTime now, Deadline deadline) override {
    return purge_expired(users_, sessions_, now, deadline);
  }

 private:
  std::optional<sqlite::FileLock> lock_;  // released after the database was closed
  std::filesystem::path file_;
  SqliteDatabase database_;
  SqliteUserStore users_{database_};
  SqliteSessionStore sessions_{database_};
  SqliteSigningKeyStore signing_keys_{database_};
};

Result<void> check_schema(const SqliteOptions& options) {
  const SqliteMigrator migrator{options};
  const auto plan = options.migrate ? migrator.apply(Misfits::refuse) : migrator.pending();
  if (!plan) return std::unexpected(plan.error());
  if (!options.migrate && !plan->empty()) {
    return fail(ErrorCode::invalid, options.file.string() + " needs `migrate` first");
  }
  return {};
}

Result<std::optional<sqlite::FileLock>> take_lock(const SqliteOptions& options) {
  if (!options.exclusive_service) return std::nullopt;
  auto lock = sqlite::FileLock::take(options.file.string() + ".lock");
  if (lock) return std::move(*lock);
  Error error = lock.error();
  if (error.code == ErrorCode::conflict) {
    error.detail = "another user-manager serves " + options.file.string() + ": " + error.detail;
  }
  return std::unexpected(std::move(error));
}

}  // namespace

Result<std::unique_ptr<Storage>> open_sqlite(SqliteOptions options) {
  std::error_code failed;
  // The lock file is named after the file, so all names of a file must become one.
  const auto canonical = std::filesystem::weakly_canonical(options.file, failed);
  if (!failed) options.file = canonical;
  // Checked before a lock file is made beside it.
  if (const auto usable = sqlite::refuse_hard_links(options.file); !usable)
    return std::unexpected(usable.error());
  auto lock = take_lock(options);
  if (!lock) return std::unexpected(lock.error());
  if (const auto checked = check_schema(options); !checked) {
    return std::unexpected(checked.error());
  }
  try {
    return std::make_unique<SqliteStorage>(options, std::move(*lock));
  } catch (const sqlite::SqliteError& error) {
    Error described = to_error(error);
    described.detail = options.file.string() + ": " + described.detail;
    return std::unexpected(std::move(described));
  }
}

}  // namespace um
