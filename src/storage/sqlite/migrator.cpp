#include "storage/sqlite/migrator.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <unistd.h>

#include "drivers/sqlite/database_file.hpp"
#include "storage/sqlite/adoption.hpp"
#include "storage/sqlite/rows.hpp"

namespace um {

namespace {

using sqlite::Connection;
using sqlite::Query;
using sqlite::SqliteError;

// How long to wait for another process that is migrating; a migration does not take long.
constexpr std::chrono::seconds kLockPatience{10};

constexpr Query kApplied{"applied_migrations",
                         "SELECT number, name, sha256 FROM schema_migrations ORDER BY number"};
constexpr Query kRemember{"remember_migration",
                          "INSERT INTO schema_migrations VALUES (?1, ?2, ?3, ?4)"};
constexpr Query kTable{"table_exists",
                       "SELECT 1 FROM sqlite_master WHERE type = 'table'"
                       " AND name = ?1 COLLATE NOCASE"};

bool table_exists(Connection& db, std::string_view name) {
  auto run = db.run(kTable, name);
  return run.next();
}

// The number of our migrations that the database has; an error if it has others.
Result<std::size_t> count_applied(Connection& db) {
  if (!table_exists(db, "schema_migrations")) return 0;
  const auto known = sqlite_schema::migrations();
  std::size_t applied = 0;
  for (auto run = db.run(kApplied); run.next(); ++applied) {
    const std::string name{run.text(1)};
    if (applied >= known.size()) {
      return fail(ErrorCode::invalid,
                  "the database has the migration " + name +
                      ", which this version does not know: it was made by a newer one");
    }
    const Migration& ours = known[applied];
    if (run.integer(0) != ours.number || run.text(2) != ours.sha256) {
      return fail(ErrorCode::invalid, "the migration " + name +
                                          " of the database is not the one of this version "
                                          "(the checksums differ)");
    }
  }
  return applied;
}

Result<MigrationPlan> plan_for(Connection& db) {
  const auto applied = count_applied(db);
  if (!applied) return std::unexpected(applied.error());
  MigrationPlan plan;
  for (const Migration& migration : sqlite_schema::migrations().subspan(*applied)) {
    plan.pending.emplace_back(migration.name);
  }
  if (*applied > 0) return plan;
  if (sqlite_adoption::is_possible(db)) {
    plan.adoption = true;
    plan.rows_to_adopt = sqlite_adoption::count_rows(db);
    plan.misfits = sqlite_adoption::misfits(db);
  } else if (db.integer("SELECT count(*) FROM sqlite_master") != 0) {
    return fail(ErrorCode::invalid, "the file is a database of another program");
  }
  return plan;
}

void execute(Connection& db, const MigrationPlan& plan, WallTime now) {
  if (plan.adoption) sqlite_adoption::set_aside(db);
  db.execute(
      "CREATE TABLE IF NOT EXISTS schema_migrations (number INTEGER PRIMARY KEY, name TEXT NOT "
      "NULL,"
      " sha256 TEXT NOT NULL, applied_at INTEGER NOT NULL) STRICT");
  const auto known = sqlite_schema::migrations();
  for (const Migration& migration : known.subspan(known.size() - plan.pending.size())) {
    db.execute(std::string{migration.sql}.c_str());
    db.run(kRemember, migration.number, migration.name, migration.sha256, to_micros(now)).finish();
  }
  if (plan.adoption) sqlite_adoption::move_rows(db, {.misfits = plan.misfits, .now = now});
}

Connection::Options connection(const SqliteOptions& options, Connection::Mode mode) {
  return {.file = options.file, .mode = mode, .busy_timeout = kLockPatience, .vfs = options.vfs};
}

// Makes the file before SQLite would make it readable for every user of the machine: it will
// contain password hashes.
Result<void> make_file(const std::filesystem::path& file) {
  const int descriptor = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (descriptor < 0) {
    return fail(ErrorCode::unavailable,
                "cannot write " + file.string() + ": " + std::strerror(errno));
  }
  ::close(descriptor);
  return {};
}

Error describe(const SqliteError& error, const std::filesystem::path& file) {
  Error described = to_error(error);
  described.detail = file.string() + ": " + described.detail + " (" + error.what() + ")";
  return described;
}

}  // namespace

Result<MigrationPlan> SqliteMigrator::pending() const {
  MigrationPlan everything;
  for (const Migration& migration : sqlite_schema::migrations()) {
    everything.pending.emplace_back(migration.name);
  }
  if (!std::filesystem::exists(options_.file)) return everything;
  if (const auto alone = sqlite::refuse_hard_links(options_.file); !alone)
    return std::unexpected(alone.error());
  try {
    Connection db{connection(options_, Connection::Mode::read_only)};
    return plan_for(db);
  } catch (const SqliteError& error) {
    return fail(describe(error, options_.file));
  }
}

Result<MigrationPlan> SqliteMigrator::apply(Misfits misfits) const {
  if (const auto alone = sqlite::refuse_hard_links(options_.file); !alone)
    return std::unexpected(alone.error());
  if (const auto made = make_file(options_.file); !made) return std::unexpected(made.error());
  try {
    Connection db{connection(options_, Connection::Mode::create)};
    db.execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
    // The plan is made under the write lock: another migrator may have finished meanwhile.
    db.execute("BEGIN IMMEDIATE");
    auto plan = plan_for(db);
    if (!plan || plan->empty()) {
      db.execute("ROLLBACK");
      return plan;
    }
    if (!plan->misfits.empty() && misfits == Misfits::refuse) {
      db.execute("ROLLBACK");
      return fail(ErrorCode::conflict,
                  std::to_string(plan->misfits.size()) +
                      " rows of the table users cannot be taken over; nothing was changed"
                      " (migrate names them)");
    }
    execute(db, *plan, options_.clock->wall_now());
    db.execute("COMMIT");
    return plan;
  } catch (const SqliteError& error) {
    return fail(describe(error, options_.file));
  }
}

}  // namespace um
