#include "storage/postgres/migrator.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <span>
#include <string_view>
#include <thread>

#include "base/database_times.hpp"
#include "drivers/pg/connection_info.hpp"
#include "storage/postgres/adoption.hpp"
#include "storage/postgres/blocking_connection.hpp"
#include "storage/postgres/queries.hpp"
#include "storage/postgres/reaper.hpp"

namespace um {

namespace {

constexpr std::int64_t kOldestServer = 150'000;  // server_version_num

// These override defaults of the role or database: a migration may take long, and the literals of
// its scripts have one meaning.
constexpr const char* kBegin =
    "BEGIN READ WRITE;"
    " SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0;"
    " SET LOCAL lock_timeout = 0; SET LOCAL search_path = pg_catalog, pg_temp;"
    " SET LOCAL standard_conforming_strings = on; SET LOCAL synchronous_commit = on";
constexpr const char* kBeginReading =
    "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;"
    " SET LOCAL statement_timeout = 0; SET LOCAL search_path = pg_catalog, pg_temp";
// The same number for all migrators of a database.
constexpr const char* kLock =
    "SELECT pg_advisory_xact_lock(hashtextextended('user-manager: migrations', 0))";

Result<void> check_server(BlockingConnection& db) {
  const auto rows = db.run(
      "SELECT current_setting('server_version_num'), current_setting('server_encoding'),"
      " pg_is_in_recovery()");
  if (rows.integer(0, 0) < kOldestServer)
    return fail(ErrorCode::invalid, "the server is older than PostgreSQL 15");
  if (rows.text(0, 1) != "UTF8") {
    return fail(ErrorCode::invalid, "the encoding of the database is " +
                                        std::string{rows.text(0, 1)} + ", it has to be UTF8");
  }
  if (rows.boolean(0, 2)) return fail(ErrorCode::unavailable, "the server is a standby");
  return {};
}

bool table_exists(BlockingConnection& db, const std::string& name) {
  return !db.run("SELECT to_regclass($1)", {name}).null(0, 0);
}

// The checksum of the one migration of earlier builds. It made the schema of today's first five.
constexpr std::string_view kUndivided =
    "cbd5ef565e73abb636d24cdf1b12fb0a70383bb36e67d34af1dbd153ed3fadd1";
constexpr std::size_t kDividedInto = 5;

void record(BlockingConnection& db, const Migration& migration) {
  db.run("INSERT INTO public.schema_migrations (number, name, sha256) VALUES ($1, $2, $3)",
         {migration.number, migration.name, migration.sha256});
}

// Records the five in place of the undivided migration. True: it did.
bool divide(BlockingConnection& db) {
  if (!table_exists(db, "public.schema_migrations")) return false;
  const auto removed =
      db.run("DELETE FROM public.schema_migrations WHERE sha256 = $1", {kUndivided});
  if (removed.affected() == 0) return false;
  for (const Migration& migration : postgres_schema::migrations().first(kDividedInto))
    record(db, migration);
  return true;
}

// The number of our migrations that the database has; an error if it has others.
Result<std::size_t> count_applied(BlockingConnection& db) {
  if (!table_exists(db, "public.schema_migrations")) return 0;
  const auto known = postgres_schema::migrations();
  const auto rows =
      db.run("SELECT number, name, sha256 FROM public.schema_migrations ORDER BY number");
  if (rows.size() == 1 && rows.text(0, 2) == kUndivided) return kDividedInto;
  for (std::size_t row = 0; row < rows.size(); ++row) {
    const std::string name{rows.text(row, 1)};
    if (row >= known.size()) {
      return fail(ErrorCode::invalid,
                  "the database has the migration " + name +
                      ", which this version does not know: it was made by a newer one");
    }
    if (rows.integer(row, 0) != known[row].number || rows.text(row, 2) != known[row].sha256) {
      return fail(ErrorCode::invalid, "the migration " + name +
                                          " of the database is not the one of this version "
                                          "(the checksums differ)");
    }
  }
  return rows.size();
}

CacheTimes read_times(BlockingConnection& db) {
  // 0006_strict_writes.sql makes a deployment strict.
  const bool has_mode = !db.run(
                               "SELECT FROM pg_attribute WHERE attrelid ="
                               " 'public.cache_settings'::regclass AND attname = 'mode'")
                             .empty();
  const auto rows = db.run(
      std::string{"SELECT staleness_bound_ms, instance_lease_ms, instance_reap_ms,"
                  " change_retention_ms, "} +
      (has_mode ? "mode" : "CASE WHEN staleness_bound_ms > 1000 THEN 'bounded' ELSE 'strict' END") +
      " FROM public.cache_settings");
  if (rows.empty()) throw PostgresError{{.message = "the table cache_settings is empty"}};
  const auto time = [&rows](std::size_t column) { return CacheTimes::ms{rows.integer(0, column)}; };
  return {.mode = consistency_of(rows.text(0, 4)),
          .staleness_bound = time(0),
          .instance_lease = time(1),
          .instance_reap = time(2),
          .change_retention = time(3)};
}

// What belongs to the namespace begins a new epoch, so no namespace ever comes again, and all
// caches start from nothing. Instances of any former T may still be alive when nobody is
// registered.
void write_times(BlockingConnection& db, const CacheTimes& times) {
  const CacheTimes stored = read_times(db);
  db.run("UPDATE public.cache_settings SET change_retention_ms = $1",
         {times.change_retention.count()});
  if (same_namespace(stored, times)) return;
  db.run(
      "UPDATE public.cache_settings SET mode = $1, staleness_bound_ms = $2, instance_lease_ms = $3,"
      " instance_reap_ms = $4,"
      " former_staleness_bound_ms = greatest(former_staleness_bound_ms, staleness_bound_ms)",
      {to_string(times.mode), times.staleness_bound.count(), times.instance_lease.count(),
       times.instance_reap.count()});
  db.run("SELECT public.bump_cache_epoch()");
}

// --- The registry of instances

// While an instance runs with other times than the database has, nobody is safe: it has to be
// stopped first. Rows of instances that died are removed as the reaper would.

constexpr std::chrono::milliseconds kRegistryPause{200};
// What lists the registry of a database before 0006_strict_writes.sql.
constexpr const char* kListOldInstances =
    "SELECT id, refreshes, 0, id::text, false FROM public.cache_instances";

// They change the protocol of the cache: instances of the version before must not run.
constexpr std::array<std::string_view, 2> kNeedStandstill{"0006_strict_writes",
                                                          "0007_lean_strict_gate"};

bool needs_empty_registry(BlockingConnection& db, const MigrationPlan& plan,
                          const std::optional<CacheTimes>& times) {
  if (!table_exists(db, "public.cache_instances")) return false;
  const auto needs_one = [](const std::string& name) {
    return std::ranges::find(kNeedStandstill, name) != kNeedStandstill.end();
  };
  if (std::ranges::any_of(plan.pending, needs_one)) return true;
  return times && !same_namespace(read_times(db), *times);
}

Error still_running(const std::string& names) {
  return {.code = ErrorCode::conflict,
          .detail = "instances are running (" + names +
                    "); stop all of them, then migrate; nothing was changed"};
}

// An instance is alive if its counter goes on.
Result<void> wait_for_dead_instances(BlockingConnection& db, const Clock& clock) {
  const bool listed =
      !db.run("SELECT to_regprocedure('public.session_has_ended(uuid)')").null(0, 0);
  const CacheTimes stored = read_times(db);
  PostgresReaper reaper{{.silence = stored.instance_reap,
                         .longest_lease = 2 * stored.staleness_bound + std::chrono::seconds{1}}};
  std::map<std::string, std::int64_t> first;
  for (;;) {
    const auto all = PostgresReaper::read(
        db.run(listed ? std::string{postgres_queries::kListInstances.sql} : kListOldInstances));
    if (all.empty()) return {};
    for (const PostgresReaper::Instance& one : all) {
      const auto known = first.emplace(one.id, one.refreshes).first->second;
      if (known != one.refreshes) return fail(still_running(one.name));
    }
    for (const auto& dead : reaper.dead(all, clock.now()))
      db.run(std::string{postgres_queries::kExpelInstance.sql}, {dead.id, dead.refreshes});
    std::this_thread::sleep_for(kRegistryPause);
  }
}

// Until the end of the transaction no instance joins.
Result<void> close_registry(BlockingConnection& db) {
  db.execute("LOCK TABLE public.cache_instances IN EXCLUSIVE MODE");
  if (db.integer("SELECT count(*) FROM public.cache_instances") == 0) return {};
  return fail(still_running("one began just now"));
}

std::vector<std::string> differences(const CacheTimes& stored, const CacheTimes& wanted) {
  std::vector<std::string> lines;
  const auto compare = [&lines](const char* name, CacheTimes::ms from, CacheTimes::ms to) {
    if (from == to) return;
    lines.push_back(std::string{name} + ": " + std::to_string(from.count()) + " ms -> " +
                    std::to_string(to.count()) + " ms");
  };
  if (stored.mode != wanted.mode)
    lines.push_back("consistency: " + std::string{to_string(stored.mode)} + " -> " +
                    std::string{to_string(wanted.mode)});
  compare("staleness-bound", stored.staleness_bound, wanted.staleness_bound);
  compare("instance-lease", stored.instance_lease, wanted.instance_lease);
  compare("instance-reap", stored.instance_reap, wanted.instance_reap);
  compare("change-retention", stored.change_retention, wanted.change_retention);
  return lines;
}

Result<void> plan_adoption(BlockingConnection& db, MigrationPlan& plan) {
  if (!table_exists(db, "public.users")) return {};
  if (!postgres_adoption::is_possible(db)) {
    return fail(ErrorCode::invalid, "the database has a table users of another program");
  }
  if (const std::string others = postgres_adoption::dependents(db); !others.empty()) {
    return fail(ErrorCode::conflict, "the table users cannot be replaced, because of " + others +
                                         "; nothing was changed");
  }
  plan.adoption = true;
  plan.rows_to_adopt = postgres_adoption::count_rows(db);
  plan.misfits = postgres_adoption::misfits(db);
  return {};
}

Result<MigrationPlan> plan_for(BlockingConnection& db, const std::optional<CacheTimes>& times) {
  const auto applied = count_applied(db);
  if (!applied) return std::unexpected(applied.error());
  MigrationPlan plan;
  for (const Migration& migration : postgres_schema::migrations().subspan(*applied)) {
    plan.pending.emplace_back(migration.name);
  }
  if (*applied > 0) {
    if (times) plan.settings = differences(read_times(db), *times);
    return plan;
  }
  if (const auto planned = plan_adoption(db, plan); !planned) {
    return std::unexpected(planned.error());
  }
  return plan;
}

void execute(BlockingConnection& db, const MigrationPlan& plan) {
  if (plan.adoption) postgres_adoption::set_aside(db);
  db.execute(
      "CREATE TABLE IF NOT EXISTS public.schema_migrations (number integer PRIMARY KEY,"
      " name text NOT NULL, sha256 text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())");
  const auto known = postgres_schema::migrations();
  for (const Migration& migration : known.subspan(known.size() - plan.pending.size())) {
    db.execute(std::string{migration.sql});
    record(db, migration);
  }
  if (plan.adoption) postgres_adoption::move_rows(db, plan.misfits);
}

Error describe(const PostgresError& error) {
  const pg::Failure& failure = error.failure();
  if (failure.kind == pg::Failure::refused && !failure.sqlstate.empty()) {
    // A table, a type, a function or a schema with one of our names exists already.
    for (const std::string_view taken : {"42P07", "42710", "42723", "42P06"}) {
      if (failure.sqlstate == taken) {
        return {.code = ErrorCode::invalid,
                .detail = "the database has something of another program: " + failure.message};
      }
    }
  }
  return {.code = ErrorCode::unavailable, .detail = error.what()};
}

template <class T, class Work>
Result<T> with_connection(const Secret& url, Work work) {
  try {
    BlockingConnection db{{.url = url}};
    if (const auto fits = check_server(db); !fits) return std::unexpected(fits.error());
    return work(db);
  } catch (const PostgresError& error) {
    return fail(describe(error));
  } catch (const std::invalid_argument& error) {
    return fail(ErrorCode::invalid, error.what());
  }
}

}  // namespace

Result<MigrationPlan> PostgresMigrator::pending() const {
  return with_connection<MigrationPlan>(options_.url, [this](BlockingConnection& db) {
    db.execute(kBeginReading);
    return plan_for(db, options_.times);  // the connection ends, and the transaction with it
  });
}

Result<MigrationPlan> PostgresMigrator::apply(Misfits misfits) const {
  return with_connection<MigrationPlan>(
      options_.url, [&](BlockingConnection& db) -> Result<MigrationPlan> {
        // Outside of the transaction, which would keep living instances from their registry.
        db.execute(kBeginReading);
        const auto first_plan = plan_for(db, options_.times);
        const bool alone = first_plan && needs_empty_registry(db, *first_plan, options_.times);
        db.execute("ROLLBACK");
        if (alone) {
          const auto dead = wait_for_dead_instances(db, SystemClock{});
          if (!dead) return fail(dead.error());
        }
        if (options_.times && options_.times->mode == Consistency::strict &&
            options_.times->staleness_bound > kLongestStrictBound) {
          return fail(
              ErrorCode::invalid,
              "a staleness bound of " + std::to_string(options_.times->staleness_bound.count()) +
                  " ms is too long for strict writes, which may have to wait that long; at "
                  "most " +
                  std::to_string(kLongestStrictBound.count()) + " ms, or consistency = bounded");
        }
        db.execute(kBegin);
        // The plan is made under the lock: another migrator may have finished meanwhile.
        db.run(kLock);
        if (!table_exists(db, "public.schema_migrations") && postgres_adoption::is_possible(db)) {
          postgres_adoption::lock(db);
        }
        const bool divided = divide(db);
        auto plan = plan_for(db, options_.times);
        if (!plan || (plan->empty() && !divided)) return plan;
        if (!plan->misfits.empty() && misfits == Misfits::refuse) {
          return fail(ErrorCode::conflict,
                      std::to_string(plan->misfits.size()) +
                          " rows of the table users cannot be taken over; nothing was changed"
                          " (migrate names them)");
        }
        if (needs_empty_registry(db, *plan, options_.times)) {
          const auto closed = close_registry(db);
          if (!closed) return fail(closed.error());
        }
        execute(db, *plan);
        if (options_.times) write_times(db, *options_.times);
        db.execute("COMMIT");
        return plan;
      });
}

Result<CacheTimes> read_cache_times(const Secret& url) {
  return with_connection<CacheTimes>(url, [](BlockingConnection& db) -> Result<CacheTimes> {
    if (!table_exists(db, "public.cache_settings"))
      return fail(ErrorCode::invalid, "the database has no schema of this program");
    return read_times(db);
  });
}

Result<PostgresDeployment> read_deployment(const Secret& url) {
  const auto times = read_cache_times(url);
  if (!times) return fail(times.error());
  try {
    BlockingConnection db{{.url = url}};
    const auto rows = db.run("SELECT mac_key FROM public.cache_settings");
    if (rows.empty()) return fail(ErrorCode::invalid, "the table cache_settings is empty");
    return PostgresDeployment{.times = *times, .deployment_key = Secret{rows.bytes(0, 0)}};
  } catch (const PostgresError& error) {
    return fail(pg::to_error(error.failure()));
  } catch (const std::invalid_argument& error) {
    return fail(ErrorCode::invalid, error.what());
  }
}

Result<void> check_postgres_url(const Secret& url) {
  const auto info = pg::ConnectionInfo::parse(url);
  if (!info) return fail(info.error());
  return {};
}

}  // namespace um
